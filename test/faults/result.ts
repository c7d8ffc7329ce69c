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

/** Faults that never came about: what they would have broken was not tried. */
export function findUntried(injected: Result['injected']): Finding[] {
  const untried = Object.keys(injected).length === 0 ? ['faults'] : []
  for (const [fault, count] of Object.entries(injected)) if (count === 0) untried.push(fault)
  return untried.map((about) => ({ rule: 'injected', about, text: 'never came about' }))
}

/** A trouble by the name under which it is counted; null where all is well. */
export function nameOf(behaviour: Behaviour): string | null {
  if (behaviour.kind === 'accept') return behaviour.afterMs ? 'late answers' : null
  if (behaviour.kind === 'answer') return `answers ${behaviour.status}`
  if (behaviour.kind === 'reset') return behaviour.accepted ? 'answers lost' : 'connections reset'
  return behaviour.kind === 'hang' ? 'silences' : 'answers byte by byte'
}
