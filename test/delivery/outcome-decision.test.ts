import { describe, expect, test } from '@jest/globals'

import { decide, holdWhileRefusing } from '../../src/delivery/outcome-decision.ts'
import { type Outcome, readAnswer } from '../../src/push/outcome.ts'

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

const PARKED = [400, 413, 422]
const OF_THE_MOMENT = [408, 409, 423, 424, 425, 429]

/** do, what the circuit hears, and whether a Retry-After holds back this message and everybody's. */
type Row = readonly [decision: string, signal: string, after: boolean, pause: boolean]

function expectedRow(status: number): Row {
  if (status === 503 || status === 429) return ['retry', 'unavailable', true, true]
  if (status >= 500 || OF_THE_MOMENT.includes(status)) return ['retry', 'unavailable', true, false]
  if (PARKED.includes(status)) return ['park', 'refusedMessage', false, false]
  if (status >= 400) return ['hold', 'refusedUs', false, true]
  if (status >= 200 && status < 300) return ['retry', 'unavailable', false, false]
  return ['hold', 'refusedUs', false, false]
}

const answered = (status: number, body: string, retryAfter?: string) =>
  decide(readAnswer({ status, body, retryAfter }, 'the-token'))

describe('every status', () => {
  test.each(range(100, 599).map((status) => [status, ...expectedRow(status)] as const))(
    '%i: %s, circuit %s; Retry-After for the message %s, for all %s',
    (status, decision, signal, after, pause) => {
      // 201 is here an answer without an id.
      const plain = answered(status, '{}')
      expect(plain.decision.do).toBe(decision)
      expect(plain.report.signal).toBe(signal)
      expect(plain.decision).not.toHaveProperty('afterSeconds')
      expect(plain.report).not.toHaveProperty('pauseSeconds')
      expect(plain.decision).toHaveProperty('reason', expect.stringContaining(`answered ${status}`))

      const patient = answered(status, '{}', '7')
      expect(patient.decision).toEqual(after ? { ...plain.decision, afterSeconds: 7 } : plain.decision)
      expect(patient.report).toEqual(pause ? { ...plain.report, pauseSeconds: 7 } : plain.report)
    },
  )

  test('C105 no status but 201 acknowledges, even with a message_id', () => {
    const acknowledged = range(100, 599).filter(
      (status) => answered(status, '{"message_id":"52811a8584a8169f7a000002"}').decision.do === 'acknowledge',
    )
    expect(acknowledged).toEqual([201])
  })
})

test("C105: 201 with a message_id is accepted, and the hub's id kept", () => {
  expect(answered(201, '{"message":"a:b","payload":{},"message_id":"52811a8584a8169f7a000002"}')).toEqual({
    decision: { do: 'acknowledge', answer: '52811a8584a8169f7a000002' },
    report: { signal: 'success', text: '' },
  })
})

test('C106: 401, 404 and 422 are not repeated as they are, and say what the hub said', () => {
  expect(answered(401, '{"error":"Token is invalid."}').decision).toEqual({
    do: 'hold',
    reason: 'The hub answered 401: Token is invalid.',
  })
  expect(answered(404, '{"error":"Store not found."}').decision).toEqual({
    do: 'hold',
    reason: 'The hub answered 404: Store not found.',
  })
  expect(answered(422, '{"error":"Invalid object.","errors":{"payload":["is missing"]}}').decision).toEqual({
    do: 'park',
    reason: 'The hub answered 422: Invalid object. {"payload":["is missing"]}',
  })
})

describe('every fault', () => {
  const text = 'What happened.'
  const faults: readonly (readonly [Outcome, string, string])[] = [
    [{ kind: 'unreachable', code: 'ECONNREFUSED', text }, 'retry', 'unavailable'],
    [{ kind: 'unreachable', code: 'ENOTFOUND', text }, 'retry', 'unavailable'],
    [{ kind: 'unreachable', code: 'EAI_AGAIN', text }, 'retry', 'unavailable'],
    [{ kind: 'unreachable', code: 'UND_ERR_CONNECT_TIMEOUT', text }, 'retry', 'unavailable'],
    [{ kind: 'unreachable', code: 'CERT_HAS_EXPIRED', text }, 'retry', 'unavailable'],
    [{ kind: 'reset', code: 'ECONNRESET', text }, 'retry', 'unavailable'],
    [{ kind: 'reset', code: 'UND_ERR_SOCKET', text }, 'retry', 'unavailable'],
    [{ kind: 'timedOut', text }, 'retry', 'unavailable'],
    [{ kind: 'tooLarge', text }, 'retry', 'unavailable'],
    [{ kind: 'aborted', text }, 'hold', 'nothing'],
  ]
  test.each(faults)('C108 %o: %s, circuit %s', (outcome, decision, signal) => {
    expect(decide(outcome)).toEqual({ decision: { do: decision, reason: text }, report: { signal, text } })
  })
})

describe('while the hub refuses one message after the other', () => {
  const since = new Date(0)
  const park = { do: 'park', reason: 'no' } as const
  const retry = { do: 'retry', reason: 'later' } as const
  const refusing = { state: 'open', since, cause: 'refusals', text: '', nextProbeAt: since } as const

  test('a refused message is held instead of parked, and nothing else changes', () => {
    expect(holdWhileRefusing(park, refusing)).toEqual({ do: 'hold', reason: 'no' })
    expect(holdWhileRefusing(park, { state: 'halfOpen', since, cause: 'refusals', text: '' })).toEqual({
      do: 'hold',
      reason: 'no',
    })
    expect(holdWhileRefusing(retry, refusing)).toBe(retry)
  })

  test('a circuit that is closed, or open for another cause, lets it be parked', () => {
    expect(holdWhileRefusing(park, { state: 'closed', since })).toBe(park)
    expect(holdWhileRefusing(park, { ...refusing, cause: 'unavailable' })).toBe(park)
  })
})
