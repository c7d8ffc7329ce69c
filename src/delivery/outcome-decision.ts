import type { CircuitView } from '../push/circuit.ts'
import type { CircuitReport } from '../push/circuit-state.ts'
import { type Outcome, refusesContent } from '../push/outcome.ts'
import type { Decision } from '../queue/message.ts'

/** `report` goes to the circuit, with the message's aggregate. */
export type Verdict = Readonly<{ decision: Decision; report: Omit<CircuitReport, 'aggregate'> }>

/** What an outcome means for its message and for the hub as a whole. */
export function decide(outcome: Outcome): Verdict {
  switch (outcome.kind) {
    case 'accepted':
      return {
        decision: { do: 'acknowledge', answer: outcome.messageId },
        report: { signal: 'success', text: '' },
      }
    case 'aborted':
      return {
        decision: { do: 'hold', reason: outcome.text },
        report: { signal: 'nothing', text: outcome.text },
      }
    case 'foreign':
      return {
        decision: { do: 'park', reason: outcome.text },
        report: { signal: 'nothing', text: outcome.text },
      }
    case 'misdirected':
      return holdForUs(outcome)
    case 'refused':
      return refusesContent(outcome) ? parkIt(outcome) : decideRefusal(outcome)
    case 'failed':
    case 'unconfirmed':
    case 'unreachable':
    case 'reset':
    case 'timedOut':
    case 'tooLarge':
      return retryLater(outcome)
  }
}

type Answered = Readonly<{ status?: number; text: string; retryAfterSeconds?: number }>

function parkIt({ text }: Answered): Verdict {
  return { decision: { do: 'park', reason: text }, report: { signal: 'refusedMessage', text } }
}

/**
 * The statuses that speak of the message's content, and those that speak of the moment, are few and known. Every other 4xx
 * (401, 403, 404 and 410: token, rights, store; 405, 406, 411, 414, 415, 421, 431: URL or form; 402, 451 and whatever else)
 * would meet any message alike. It holds the messages and opens the circuit, because what a wrong setting parked a person
 * would have to bring back one by one.
 */
function decideRefusal(outcome: Answered): Verdict {
  switch (outcome.status) {
    // 409: the same key is being dealt with at this moment. 423 and 424: something else is.
    case 408:
    case 409:
    case 423:
    case 424:
    case 425:
    case 429:
      return retryLater(outcome)
    default:
      return holdForUs(outcome)
  }
}

function holdForUs({ text, retryAfterSeconds }: Answered): Verdict {
  const pause = retryAfterSeconds === undefined ? {} : { pauseSeconds: retryAfterSeconds }
  return { decision: { do: 'hold', reason: text }, report: { signal: 'refusedUs', text, ...pause } }
}

function retryLater({ status, text, retryAfterSeconds }: Answered): Verdict {
  const wait = retryAfterSeconds === undefined ? {} : { afterSeconds: retryAfterSeconds }
  // Too many requests, and no service, are said to all of us; with any other status the wait is this message's own.
  const forAll = retryAfterSeconds !== undefined && (status === 429 || status === 503)
  const pause = forAll ? { pauseSeconds: retryAfterSeconds } : {}
  return {
    decision: { do: 'retry', reason: text, ...wait },
    report: { signal: 'unavailable', text, ...pause },
  }
}

/** Once the circuit has opened because the hub refuses one message after the other, it parks no more of them. */
export function holdWhileRefusing(decision: Decision, circuit: CircuitView): Decision {
  if (decision.do !== 'park' || circuit.state === 'closed' || circuit.cause !== 'refusals') return decision
  return { do: 'hold', reason: decision.reason }
}
