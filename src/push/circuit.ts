import { setMaxListeners } from 'node:events'

import {
  type CircuitCause,
  type CircuitReport,
  type CircuitState,
  closeCircuit,
  halfOpenCircuit,
  type Permit,
  receiveReport,
  takePermit,
} from './circuit-state.ts'

/** The circuit as status and metrics show it. `since`: when it last closed, or when the present trouble began. */
export type CircuitView =
  | Readonly<{ state: 'closed'; since: Date }>
  | Readonly<{ state: 'open'; since: Date; cause: CircuitCause; text: string; nextProbeAt: Date }>
  | Readonly<{ state: 'halfOpen'; since: Date; cause: CircuitCause; text: string }>

/**
 * Keeps one worker from hammering a hub that is down or refuses us. Every push asks for a permit and reports under it what
 * became of it, exactly once.
 */
export type Circuit = Readonly<{
  /** Resolves when a message may be sent, in the order of asking; undefined if the signal came first. */
  permit(signal: AbortSignal): Promise<Permit | undefined>
  report(permit: Permit, report: CircuitReport): void
  state(): CircuitView
}>

/** A closed circuit. `onChange` is told of each change of state, for log, alarm and metrics. */
export function createCircuit(onChange: (view: CircuitView) => void): Circuit {
  let circuit: CircuitState = closeCircuit(Date.now())
  // In the order of asking: a message that fails as probe must not be every probe.
  const waiting = new Set<(permit: Permit) => void>()

  function take(): Permit | undefined {
    const taken = takePermit(circuit)
    circuit = taken.circuit
    return taken.permit
  }

  function moveTo(next: CircuitState): void {
    const changed = next.state !== circuit.state
    circuit = next
    if (changed) onChange(view(circuit))
    if (changed && next.state === 'open') {
      setTimeout(() => moveTo(halfOpenCircuit(circuit)), next.nextProbeAt - Date.now()).unref()
    }
    for (const resolve of waiting) {
      const permit = take()
      if (permit === undefined) return
      waiting.delete(resolve)
      resolve(permit)
    }
  }

  return {
    async permit(signal) {
      if (signal.aborted) return undefined
      const permit = take()
      if (permit !== undefined) return permit
      setMaxListeners(0, signal) // one signal may stand for every push of a worker
      return new Promise((resolve) => {
        const grant = (granted: Permit) => {
          signal.removeEventListener('abort', giveUp)
          resolve(granted)
        }
        const giveUp = () => {
          waiting.delete(grant)
          resolve(undefined)
        }
        signal.addEventListener('abort', giveUp, { once: true })
        waiting.add(grant)
      })
    },
    report(permit, report) {
      moveTo(receiveReport(circuit, permit, report, Date.now()))
    },
    state: () => view(circuit),
  }
}

function view(circuit: CircuitState): CircuitView {
  const since = new Date(circuit.since)
  switch (circuit.state) {
    case 'closed':
      return { state: 'closed', since }
    case 'open': {
      const { state, cause, text, nextProbeAt } = circuit
      return { state, since, cause, text, nextProbeAt: new Date(nextProbeAt) }
    }
    case 'halfOpen': {
      const { state, cause, text } = circuit
      return { state, since, cause, text }
    }
  }
}
