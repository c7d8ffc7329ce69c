import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { deliveredAs, spellingsOf } from '../../src/hub/aliases.ts'
import { readReply } from '../../src/hub/delivery/consumer-answer.ts'
import { decideDelivery } from '../../src/hub/delivery/delivery-decision.ts'
import { copiesOf } from '../../src/hub/route.ts'
import type { ConsumerAnswer } from '../../src/push/consumer-client.ts'

const ID = '5281a1584a8169f7a0000009'
const delivered = {
  messageId: ID,
  type: 'order:new',
  url: 'https://erp.example/hub/orders',
  retriesAllowed: true,
}
const answered = (status: number, body: unknown = { message_id: ID }, retryAfterSeconds?: number) =>
  ({
    kind: 'answered',
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    retryAfterSeconds,
  }) satisfies ConsumerAnswer
const decide = (...answer: Parameters<typeof answered>) => decideDelivery(answered(...answer), delivered)

describe('what an answer means', () => {
  test('200 with the id is success, and the answer is kept', () => {
    expect(decide(200, { message_id: ID, sku: 'A' })).toEqual({
      decision: { do: 'acknowledge', answer: `{"code":"200","response":{"message_id":"${ID}","sku":"A"}}` },
      effects: undefined,
      outcome: 'delivered',
    })
  })

  test('200 without the id counts, with another it does not', () => {
    expect(decide(200, {}).decision.do).toBe('acknowledge')
    expect(decide(200, { message_id: null }).decision.do).toBe('acknowledge')
    expect(decide(200, { message_id: '5281a1584a8169f7a0000001' }).decision).toMatchObject({
      do: 'retry',
      reason: expect.stringContaining('5281a1584a8169f7a0000001'),
    })
  })

  test.each(['', 'OK', '[]', '"x"', 'null', '{"message_id":'])('200 with %p is none', (body) => {
    expect(decide(200, body).decision).toMatchObject({ do: 'retry', reason: expect.stringContaining('JSON') })
  })

  test.each([100, 201, 202, 204, 301, 302, 307, 400, 401, 404, 409, 410, 422, 429, 500, 502, 503, 599])(
    'C68 %i is a failure, whatever the body says',
    (status) => {
      const { decision, outcome } = decide(status, { message_id: ID, messages: [{ message: 'x:y' }] })
      expect(decision).toEqual({
        do: 'retry',
        reason: `Endpoint response code was '${status}', expected '200'`,
      })
      expect(outcome).toBe('failed')
    },
  )

  test('C71 a mapping that forbids retries parks at once', () => {
    const verdict = decideDelivery(answered(503), { ...delivered, retriesAllowed: false })
    expect(verdict.decision.do).toBe('park')
    const fault = { kind: 'timedOut', text: 'No whole answer.' } as const
    expect(decideDelivery(fault, { ...delivered, retriesAllowed: false }).decision.do).toBe('park')
  })

  test('a wait that the consumer asks for is kept', () => {
    expect(decide(503, {}, 30).decision).toMatchObject({ do: 'retry', afterSeconds: 30 })
  })

  test('a fault is tried again, an abort of our own counts for nothing', () => {
    const text = 'No connection to erp.example: ECONNREFUSED.'
    expect(decideDelivery({ kind: 'unreachable', code: 'ECONNREFUSED', text }, delivered).decision).toEqual({
      do: 'retry',
      reason: text,
    })
    expect(decideDelivery({ kind: 'aborted', text: 'stop' }, delivered).decision.do).toBe('hold')
  })
})

describe('what follows from an answer', () => {
  test('messages, parameters and notifications of a 200', () => {
    const { effects } = decide(200, {
      message_id: ID,
      messages: [
        { message: 'stock:actual', payload: { sku: 'A', quantity: 3 }, inflate: true },
        { key: 'old:form', parameters: [{ name: 'erp.cursor', value: 7 }] },
        { payload: {} },
      ],
      parameters: [{ name: 'erp.last', value: '2026' }, { value: 'nameless' }],
      notifications: [
        { level: 'warning', subject: 'Odd' },
        { level: 'loud', subject: 'unknown level' },
      ],
      events: [{ code: 200 }],
    })
    expect(effects?.messages).toEqual([
      { message: 'stock:actual', payload: { sku: 'A', quantity: 3 }, envelope: { inflate: true } },
      { message: 'old:form', payload: {}, envelope: {} },
    ])
    expect(effects?.parameters).toMatchObject([
      { name: 'erp.last', value: '2026' },
      { name: 'erp.cursor', value: 7 },
    ])
    expect(effects?.notifications).toEqual([{ level: 'warn', subject: 'Odd', description: 'Odd' }])
  })

  test('C87 a message with its payload at the top level is one message; a text that is called message is none', () => {
    expect(decide(200, { message_id: ID, message: 'a:b', payload: { n: 1 } }).effects?.messages).toEqual([
      { message: 'a:b', payload: { n: 1 }, envelope: { message_id: ID } },
    ])
    expect(decide(200, { message_id: ID, message: 'Created' })).toMatchObject({
      decision: { do: 'acknowledge' },
      effects: undefined,
    })
  })

  test('what nobody could push under its name is no message', () => {
    const names = ['Order created', 'a'.repeat(256), '', 'a\n']
    const messages = [...names, 'a:b'].map((message) => ({ message, payload: {} }))
    expect(decide(200, { message_id: ID, messages }).effects?.messages).toMatchObject([{ message: 'a:b' }])
    for (const message of names)
      expect(decide(200, { message_id: ID, message, payload: {} }).effects).toBeUndefined()
  })

  test('what is only sent back is no new message', () => {
    const echo = { message: 'order:new', message_id: ID, payload: { order: {} } }
    expect(decide(200, echo)).toMatchObject({ decision: { do: 'acknowledge' }, effects: undefined })
    const confirmed = JSON.stringify({ ...echo, message: 'shipment:confirmation' })
    expect(readReply(confirmed, 'shipment:confirm')?.messages).toEqual([])
  })

  test('C77 C78 of a 500 only the notifications; of other failures nothing', () => {
    const body = {
      message_id: ID,
      messages: [{ message: 'a:b', payload: {} }],
      notifications: [{ level: 'error', subject: 'S', description: 'D' }],
    }
    expect(decide(500, body).effects).toMatchObject({
      messages: [],
      notifications: [{ level: 'error', subject: 'S', description: 'D' }],
      result: { code: 500 },
    })
    expect(decide(502, body).effects).toMatchObject({ messages: [], notifications: [] })
  })

  test('C83 C85 a consumer that needs time is asked again on its own host, not earlier', () => {
    const late = (update_url: string) => decide(200, { message_id: ID, delay: 60, update_url })
    expect(late('status/1')).toMatchObject({
      decision: { do: 'retry', afterSeconds: 60 },
      effects: { pollUrl: 'https://erp.example/hub/status/1' },
      outcome: 'scheduled',
    })
    expect(late('https://erp.example/x').effects?.pollUrl).toBe('https://erp.example/x')
    expect(late('https://evil.example/x').decision.do).toBe('park')
    expect(late('http://').decision.do).toBe('park')
  })

  test('what PostgreSQL does not keep is left out of it, and the rest is not', () => {
    const [nul, half] = ['\\u0000', '\\uD83D']
    const { effects } = decide(
      200,
      `{"message_id": "${ID}",
        "messages": [{"message": "a:${nul}b", "payload": {"k${nul}": ["${half}x", "\\\\u0000"]}}],
        "notifications": [{"level": "info", "subject": "S${nul}", "description": "${half}"}],
        "parameters": [
          {"name": "erp.${nul}cursor", "value": [{"${nul}a": {"b": "${half}${nul}c\\ude00 \\ud83d\\ude00"}}]},
          {"name": "${nul}", "value": 1},
          {"name": "${'n'.repeat(256)}", "value": 2}
        ]}`,
    )
    expect(effects).toMatchObject({
      messages: [{ message: 'a:b', payload: { k: ['x', '\\u0000'] } }],
      notifications: [{ level: 'info', subject: 'S', description: '' }],
    })
    expect(effects?.parameters).toEqual([{ name: 'erp.cursor', value: [{ a: { b: 'c 😀' } }] }])
  })

  test('no answer makes it throw', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), fc.json(), (status, body) => {
        expect(['acknowledge', 'retry', 'park']).toContain(decide(status, body).decision.do)
        readReply(body, 'order:new')
      }),
    )
  })
})

describe('who gets a copy', () => {
  const mapping = (mappingId: string, over = {}) => ({
    mappingId,
    isStore: false,
    retriesAllowed: true,
    passes: true,
    ...over,
  })

  test('every mapping, but not the store what it has said itself', () => {
    const all = [mapping('store', { isStore: true }), mapping('erp'), mapping('wms')]
    const to = (origin: string | null) =>
      copiesOf({ origin, aggregate: 'product:7' }, all).map(({ mappingId }) => mappingId)
    expect(to('store')).toEqual(['erp', 'wms'])
    expect(to('test')).toEqual(['store', 'erp', 'wms'])
    expect(to(null)).toEqual(['store', 'erp', 'wms'])
  })

  test('in order by mapping and aggregate', () => {
    expect(
      copiesOf({ origin: null, aggregate: 'order:R1' }, [mapping('erp', { retriesAllowed: false })]),
    ).toEqual([{ mappingId: 'erp', aggregate: 'erp/order:R1', standsAlone: true }])
    const standsAlone = (aggregate: string) =>
      copiesOf({ origin: null, aggregate }, [mapping('erp')]).map((copy) => copy.standsAlone)
    expect(['order:R1', 'poll'].map(standsAlone)).toEqual([[false], [true]])
  })

  test('under any spelling that a type has had', () => {
    expect(spellingsOf('order:updated')).toEqual(['order:updated', 'order:update'])
    expect(spellingsOf('order:cancelled')).toEqual(['order:canceled', 'order:cancel', 'order:cancelled'])
    expect(spellingsOf('custom:type')).toEqual(['custom:type'])
    expect(['notification:warning', 'custom:type'].map(deliveredAs)).toEqual([
      'notification:warn',
      'custom:type',
    ])
  })
})
