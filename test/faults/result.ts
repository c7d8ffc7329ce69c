import type { Finding } from '../checker/evidence.ts'
import type { Behaviour } from '../support/hub-behaviour.ts'

/** What a scenario did and what was found. */
export type Result = Readonly<{
  /** Faults and how often each was injected. */
  injected: Readonly<Record<string, number>>
  changes: number
  messages: number
  requests: number
  findings: readonly Finding[]
  complaints: readonly string[]
  /** Why it could not run on this machine. */
  skipped?: string
}>

/** A trouble by the name under which it is counted; null where all is well. */
export function nameOf(behaviour: Behaviour): string | null {
  if (behaviour.kind === 'accept') return behaviour.afterMs ? 'late answers' : null
  if (behaviour.kind === 'answer') return `answers ${behaviour.status}`
  if (behaviour.kind === 'reset') return behaviour.accepted ? 'answers lost' : 'connections reset'
  return behaviour.kind === 'hang' ? 'silences' : 'answers byte by byte'
}
