import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

import { parseRetryAfter, readAnswer, readProbe, withoutQuotation } from '../../src/push/outcome.ts'

const TOKEN = 'a-secret-token'
const read = (status: number, body: string, rest = {}) => readAnswer({ status, body, ...rest }, TOKEN)

describe('Retry-After', () => {
  const now = Date.UTC(2026, 10, 24, 12, 0, 0)
  test.each([
    ['0', 0],
    ['7', 7],
    ['3600', 3_600],
    ['86400', 3_600],
    ['99999999999999999999999999', 3_600],
    ['Tue, 24 Nov 2026 12:00:30 GMT', 30],
    ['Tue, 24 Nov 2026 11:00:00 GMT', 0],
    ['Tue, 24 Nov 2099 11:00:00 GMT', 3_600],
    ['Tue, 99 Nov 2026 11:00:00 GMT', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['5 bananas', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%p is %p seconds', (value, seconds) => {
    expect(parseRetryAfter(value, now)).toBe(seconds)
  })
})

describe('the message_id of a 201', () => {
  test.each([
    ['last, as hubs put it', '{"message":"a:b","payload":{},"message_id":"abc"}', 'abc'],
    ['last, spread over lines', '{\n "message_id" : "abc"\n}\n', 'abc'],
    ['first', '{"message_id":"abc","payload":{}}', 'abc'],
    ['with an escape', '{"message_id":"a\\u0062c"}', 'abc'],
  ])('%s', (_, body, messageId) => {
    expect(read(201, body)).toEqual({ kind: 'accepted', messageId })
  })

  test.each([
    ['none', '{"message":"a:b","payload":{}}'],
    ['only inside the payload', '{"message":"a:b","payload":{"message_id":"abc"}}'],
    ['only inside a text', '{"message":"\\"message_id\\":\\"abc"}'],
    ['empty', '{"message_id":""}'],
    ['null', '{"message_id":null}'],
    ['a number', '{"message_id":7}'],
    ['an array around it', '[{"message_id":"abc"}]'],
    ['HTML', '<html>{"message_id":"abc"}</html>'],
    ['HTML that ends like JSON', '<p>{"message_id":"abc"}'],
    ['an empty body', ''],
    ['cut short', '{"message_id":"ab'],
  ])('missing: %s', (_, body) => {
    expect(read(201, body)).toMatchObject({ kind: 'unconfirmed', status: 201 })
  })

  test('is read from the end exactly as parsing the whole reads it', () => {
    const withId = fc.record({ payload: fc.jsonValue(), message_id: fc.jsonValue() }, { requiredKeys: [] })
    const indents = fc.constantFrom(0, 2)
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), withId), indents, (json, indent) => {
        const id =
          json !== null && typeof json === 'object' && 'message_id' in json ? json.message_id : undefined
        const good = typeof id === 'string' && id.length > 0 && id.length <= 200 && !Array.isArray(json)
        const outcome = read(201, JSON.stringify(json, null, indent))
        if (good) expect(outcome).toEqual({ kind: 'accepted', messageId: id })
        else expect(outcome.kind).toBe('unconfirmed')
      }),
    )
  })
})

describe('the text for people', () => {
  test('quotes error, errors and summary of a JSON answer, and nothing else of it', () => {
    const body =
      '{"error":"No.","errors":["a","b"],"summary":"s","message":"order:persist","payload":{"email":"x@y"}}'
    expect(read(422, body)).toMatchObject({ kind: 'refused', text: 'The hub answered 422: No. ["a","b"] s' })
    expect(read(422, '{"payload":{"email":"x@y"}}')).toMatchObject({ text: 'The hub answered 422.' })
    expect(read(422, '["x@y"]')).toMatchObject({ text: 'The hub answered 422.' })
  })

  test('names the kind of an answer that is not JSON, and quotes none of it', () => {
    expect(read(200, '<html>x@y</html>', { contentType: 'text/html' })).toEqual({
      kind: 'unconfirmed',
      status: 200,
      text: 'The hub answered 200: not JSON but text/html',
    })
  })

  test('names where a redirect led, without its query', () => {
    const location = 'https://hub.example/login?from=x#y'
    expect(read(302, '', { location })).toEqual({
      kind: 'misdirected',
      status: 302,
      text: 'The hub answered 302, a redirect to https://hub.example/login.',
    })
  })

  test('keeps in logs and alarms what we say of an answer, and loses what the hub says', () => {
    const logged = (...of: Parameters<typeof read>) =>
      withoutQuotation((read(...of) as { text: string }).text)
    expect(logged(302, '', { location: 'https://hub.example:8443/login?email=x@y' })).toBe(
      'The hub answered 302, a redirect to https://hub.example:8443/login.',
    )
    expect(logged(301, '', { location: '/login' })).toBe('The hub answered 301, a redirect to /login.')
    expect(logged(201, '{"message_id":"","email":"x@y"}')).toBe('The hub answered 201 without a message_id.')
    for (const contentType of ['text/html', 'text/html; charset=utf-8', undefined])
      expect(logged(200, '<html>x@y</html>', { contentType })).toBe(
        `The hub answered 200: not JSON but ${contentType ?? 'of no stated type'}`,
      )

    expect(logged(422, '{"error":"x@y is no address"}')).toBe('The hub answered 422.')
    expect(logged(422, '{"error":"not JSON but x@y"}')).toBe('The hub answered 422.')
    expect(logged(200, '<html>', { contentType: 'text/html; of=x@y' })).toBe('The hub answered 200.')
    for (const location of ['mailto:x@y', 'https://x:y@hub.example/', '/of/x@y', '/of x'])
      expect(logged(302, '', { location })).toBe('The hub answered 302.')
  })

  test('is one short line without the token, whatever the hub says', () => {
    const said = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 2_000 }),
      fc
        .array(fc.constantFrom(TOKEN, '\0', '\n', '\u001b[31m', 'x'.repeat(300)))
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), said, (status, error) => {
        const outcome = read(status, JSON.stringify({ error }), { location: error, contentType: error })
        const text = 'text' in outcome ? outcome.text : ''
        expect(text).toMatch(/^The hub answered \d{3}\P{Cc}*$/u)
        expect(text).not.toContain(TOKEN)
        expect(text.length).toBeLessThanOrEqual(500)
      }),
    )
  })
})

describe('a probe', () => {
  const probe = (status: number, body: string) => readProbe({ status, body }, TOKEN)

  test('reaches a hub that lists message types', () => {
    const foreign = { kind: 'reachable', isOurs: false, date: undefined }
    expect(probe(200, '["order:new"]')).toEqual({ ...foreign, types: ['order:new'] })
    expect(probe(200, '[]')).toEqual({ ...foreign, types: [] })
    const said = { status: 200, body: '[]', hub: 'spree-bridge' }
    expect(readProbe(said, TOKEN)).toMatchObject({ isOurs: true })
    const date = new Date('2026-04-01T10:00:07Z')
    expect(readProbe({ ...said, date: date.toUTCString() }, TOKEN)).toMatchObject({ date })
    expect(readProbe({ ...said, date: 'soon' }, TOKEN)).toMatchObject({ date: undefined })
  })

  test('does not take any other answer for a hub', () => {
    expect(probe(200, '<html></html>').kind).toBe('unconfirmed')
    expect(probe(200, '{"message_id":"abc"}').kind).toBe('unconfirmed')
    expect(probe(201, '["order:new"]').kind).toBe('unconfirmed')
    expect(probe(401, '{"error":"Token is invalid."}').kind).toBe('refused')
  })
})
