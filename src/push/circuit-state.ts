/** What one outcome tells of the hub as a whole. `nothing`: the outcome says nothing about it. */
export type CircuitSignal = 'success' | 'refusedUs' | 'unavailable' | 'refusedMessage' | 'nothing'

/** Why a circuit opened. `refusals`: the hub refuses one message after the other, so the fault is hardly theirs. */
export type CircuitCause = Exclude<CircuitSignal, 'success' | 'refusedMessage' | 'nothing'> | 'refusals'

export type CircuitReport = Readonly<{
  signal: CircuitSignal
  /** Whose message it was: one aggregate's trouble is never taken for the hub's. */
  aggregate: string
  /** The outcome in words, shown as the reason for opening. */
  text: string
  /** The hub asked for a pause of this length. */
  pauseSeconds?: number
}>

/** Leave to send one message, given back with its report. Identity matters: a report under an outdated one is ignored. */
export type Permit = Readonly<{ probe: boolean }>

/** Times are milliseconds since 1970. `since` is when the circuit last left or reached `closed`. */
export type CircuitState = Closed | Open | HalfOpen

type Closed = Readonly<{
  state: 'closed'
  since: number
  permit: Permit
  /** Aggregates whose last pushes found no hub or no answer, none having got through in between. */
  unavailable: ReadonlySet<string>
  /** Aggregates whose messages were refused, none having got through in between. */
  refused: ReadonlySet<string>
}>

type Opened = Readonly<{ since: number; cause: CircuitCause; text: string; failedProbes: number }>
type Open = Opened & Readonly<{ state: 'open'; nextProbeAt: number }>
type HalfOpen = Opened & Readonly<{ state: 'halfOpen'; probe: Permit | undefined }>

export const UNAVAILABLE_AGGREGATES = 5
export const REFUSED_AGGREGATES = 20

/** A wrong token or URL is mended by a person, not by asking often. */
const BACK_OFF_SECONDS: Readonly<Record<CircuitCause, Readonly<{ first: number; longest: number }>>> = {
  unavailable: { first: 1, longest: 60 },
  refusals: { first: 1, longest: 60 },
  refusedUs: { first: 30, longest: 300 },
}

const NONE: ReadonlySet<string> = new Set()

export function closeCircuit(now: number): Closed {
  return { state: 'closed', since: now, permit: { probe: false }, unavailable: NONE, refused: NONE }
}

/** The time for a probe has come. */
export function halfOpenCircuit(circuit: CircuitState): CircuitState {
  if (circuit.state !== 'open') return circuit
  const { nextProbeAt: _, ...opened } = circuit
  return { ...opened, state: 'halfOpen', probe: undefined }
}

/** Takes a permit, if there is one to be had: any number while closed, one at a time while half-open. */
export function takePermit(
  circuit: CircuitState,
): Readonly<{ circuit: CircuitState; permit: Permit | undefined }> {
  if (circuit.state === 'closed') return { circuit, permit: circuit.permit }
  if (circuit.state === 'open' || circuit.probe !== undefined) return { circuit, permit: undefined }
  const permit = { probe: true }
  return { circuit: { ...circuit, probe: permit }, permit }
}

/**
 * What a report makes of the circuit. While it is open nothing does: what was under way when it opened is late news, and
 * only a probe closes it.
 */
export function receiveReport(
  circuit: CircuitState,
  permit: Permit,
  report: CircuitReport,
  now: number,
): CircuitState {
  if (circuit.state === 'closed' && permit === circuit.permit) return receiveWhileClosed(circuit, report, now)
  if (circuit.state === 'halfOpen' && permit === circuit.probe) return receiveProbe(circuit, report, now)
  return circuit
}

function receiveWhileClosed(circuit: Closed, report: CircuitReport, now: number): CircuitState {
  switch (report.signal) {
    case 'nothing':
      return circuit
    case 'success':
      if (circuit.unavailable.size === 0 && circuit.refused.size === 0) return circuit
      return { ...circuit, unavailable: NONE, refused: NONE }
    case 'refusedUs':
      return openCircuit('refusedUs', report, { since: now, failedProbes: 0 }, now)
    case 'unavailable': {
      const unavailable = new Set(circuit.unavailable).add(report.aggregate)
      if (report.pauseSeconds === undefined && unavailable.size < UNAVAILABLE_AGGREGATES) {
        return { ...circuit, unavailable }
      }
      return openCircuit('unavailable', report, { since: now, failedProbes: 0 }, now)
    }
    case 'refusedMessage': {
      const refused = new Set(circuit.refused).add(report.aggregate)
      if (refused.size < REFUSED_AGGREGATES) return { ...circuit, unavailable: NONE, refused }
      return openCircuit('refusals', report, { since: now, failedProbes: 0 }, now)
    }
  }
}

function receiveProbe(circuit: HalfOpen, report: CircuitReport, now: number): CircuitState {
  switch (report.signal) {
    case 'nothing':
      return { ...circuit, probe: undefined }
    case 'success':
      return closeCircuit(now)
    case 'refusedMessage':
      // A hub that judges a message is there and knows us; only where refusing was the trouble does it go on.
      if (circuit.cause === 'refusals') return reopenCircuit('refusals', circuit, report, now)
      return receiveWhileClosed(closeCircuit(now), report, now)
    case 'refusedUs':
    case 'unavailable':
      return reopenCircuit(report.signal, circuit, report, now)
  }
}

function reopenCircuit(
  cause: CircuitCause,
  circuit: HalfOpen,
  report: CircuitReport,
  now: number,
): CircuitState {
  const failedProbes = cause === circuit.cause ? circuit.failedProbes + 1 : 0
  return openCircuit(cause, report, { since: circuit.since, failedProbes }, now)
}

function openCircuit(
  cause: CircuitCause,
  { text, pauseSeconds = 0 }: CircuitReport,
  { since, failedProbes }: Readonly<{ since: number; failedProbes: number }>,
  now: number,
): CircuitState {
  const { first, longest } = BACK_OFF_SECONDS[cause]
  const waitSeconds = Math.max(Math.min(first * 2 ** failedProbes, longest), pauseSeconds)
  return { state: 'open', since, cause, text, failedProbes, nextProbeAt: now + waitSeconds * 1_000 }
}
