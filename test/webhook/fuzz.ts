import fc from 'fast-check'
import { z } from 'zod'

import type { Handlers } from '../../src/apply/handlers.ts'
import { serviceName } from '../../src/apply/handlers.ts'
import { sampleNames, sampleOf } from '../../src/messages/samples/samples.ts'
import { hasReferenceSamples, readReferenceSamples } from '../messages/reference-samples.ts'
import { newMessageId } from '../support/web.ts'

/** A request to the webhook as somebody may send it who means harm, or whose program is broken. */
export type Attack = Readonly<{
  path: string
  headers: Readonly<Record<string, string>>
  body: string | Uint8Array
}>

/** What has broken one program or another. */
const TEXTS = [
  '',
  ' ',
  "'; drop table spree_variants; --",
  '" or 1=1 --',
  '\\',
  '$1',
  '%s%n',
  'a\r\nX-Evil: 1',
  '\r\n\r\nHTTP/1.1 200 OK',
  '\u0000',
  '\ud83d',
  '\uffff',
  'İ\u0307ß',
  '\u202egnirts',
  '👩‍👩‍👧‍👦',
  'e\u0301'.repeat(200),
  'x'.repeat(256),
  'x'.repeat(70_000),
  '{}',
  '{1,2}',
  'null',
  'true',
  'NaN',
  '-NaN',
  'Infinity',
  '-Infinity',
  'infinity',
  'now',
  'epoch',
  '0',
  '-1',
  '1e400',
  '1e-400',
  '0x10',
  '٣',
  '1_000',
  '9'.repeat(40),
  `0.${'3'.repeat(60)}`,
  '9223372036854775808',
  '0000-00-00',
  '2026-02-30T25:61:61Z',
  '-271821-04-20T00:00:00.000Z',
  '+275760-09-13T00:00:00.001Z',
  '5874898-01-01',
  '2026-11-26T12:00:00+99:99',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  'http://169.254.169.254/latest/meta-data/',
  'file:///etc/passwd',
  '<script>alert(1)</script>',
]
/** Put in as text where JSON itself has no such number to build. */
const NUMBERS = [
  '0',
  '-0',
  '-1',
  '0.1',
  '0.30000000000000004',
  '1e999',
  '-1e999',
  '5e-324',
  '1e21',
  '2147483647',
  '2147483648',
  '-2147483649',
  '9007199254740993',
  '9223372036854775808',
  '1'.repeat(400),
]
const KEYS = [
  '__proto__',
  'constructor',
  'toString',
  '',
  'a\u0000',
  'id',
  'number',
  'x'.repeat(300),
  'parameters',
  'source',
  'price"; drop table spree_prices; --',
]

type Message = Readonly<{ message: string; payload: unknown }>

const NUMBER_MARK = 'fuzz-number:'
const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary', maxLength: 40 }))
const nested = fc
  .record({ depth: fc.constantFrom(3, 60, 99, 101, 3_000), list: fc.boolean() })
  .map(({ depth, list }) => {
    let value: unknown = 1
    for (let level = 0; level < depth; level++) value = list ? [value] : { a: value }
    return value
  })
const junk: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 3, arbitrary: fc.constantFrom(...NUMBERS).map((number) => NUMBER_MARK + number) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], [{}]) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: nested },
)

type Change = Readonly<{
  at: number
  how: 'alike' | 'replace' | 'remove' | 'repeat' | 'wrap' | 'add' | 'fresh'
  junk: unknown
  key: string
  text: string
  number: number | string
}>
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(10_000),
  how: fc.constantFrom(
    'alike',
    'alike',
    'alike',
    'alike',
    'replace',
    'remove',
    'repeat',
    'wrap',
    'add',
    'fresh',
  ),
  junk,
  key: fc.constantFrom(...KEYS),
  text,
  number: fc.oneof(
    fc.integer(),
    fc.nat(100),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(...NUMBERS).map((number) => NUMBER_MARK + number),
  ),
})

/** A copy with one place of it changed. */
function changed(value: unknown, { at, how, junk, key, text, number }: Change): unknown {
  const places = placesIn(value)
  const place = places[at % places.length] ?? []
  const edit = (found: unknown): unknown => {
    if (how === 'alike') return typeof found === 'string' ? text : typeof found === 'number' ? number : found
    if (how === 'replace') return junk
    if (how === 'wrap') return at % 2 === 0 ? [found] : { value: found }
    if (how === 'repeat') return Array.from({ length: 1 + (at % 60) }, () => found)
    if (how === 'fresh') return typeof found === 'string' ? `${found}-${at}` : found
    if (Array.isArray(found)) return [...found, junk]
    return typeof found === 'object' && found !== null ? withKey(found, key, junk) : junk
  }
  return how === 'remove' ? without(value, place) : editAt(value, place, edit)
}

function withKey(object: object, key: string, value: unknown): object {
  return Object.fromEntries([...Object.entries(object), [key, value]])
}

function placesIn(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null || at.length > 12) return [[...at]]
  return [[...at], ...Object.entries(value).flatMap(([key, part]) => placesIn(part, [...at, key]))]
}

function editAt(
  value: unknown,
  [key, ...rest]: readonly string[],
  edit: (found: unknown) => unknown,
): unknown {
  if (key === undefined) return edit(value)
  if (Array.isArray(value))
    return value.map((part, index) => (String(index) === key ? editAt(part, rest, edit) : part))
  return Object.fromEntries(
    Object.entries(Object(value)).map(([own, part]) => [own, own === key ? editAt(part, rest, edit) : part]),
  )
}

function without(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return undefined
  const isLast = rest.length === 0
  if (Array.isArray(value))
    return value.flatMap((part, index) =>
      String(index) !== key ? [part] : isLast ? [] : [without(part, rest)],
    )
  return Object.fromEntries(
    Object.entries(Object(value)).flatMap(([own, part]) =>
      own !== key ? [[own, part]] : isLast ? [] : [[own, without(part, rest)]],
    ),
  )
}

type JsonSchema = Readonly<{
  type?: string
  properties?: Readonly<Record<string, JsonSchema>>
  required?: readonly string[]
  items?: JsonSchema
  anyOf?: readonly JsonSchema[]
  enum?: readonly unknown[]
  const?: unknown
}>

/** Values of a schema's form: the right kinds in the right places, and in them whatever the form allows. */
function formed(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.anyOf && schema.anyOf.length > 0) return fc.oneof(...schema.anyOf.map(formed))
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.const !== undefined) return fc.constant(schema.const)
  switch (schema.type) {
    case 'object': {
      const model = Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, part]) => [key, formed(part)]),
      )
      const required = (schema.required ?? []).filter((key) => key in model)
      return fc.record(model, { requiredKeys: required })
    }
    case 'array':
      return fc.array(schema.items ? formed(schema.items) : junk, { maxLength: 3 })
    case 'string':
      return fc.oneof(
        text,
        fc.constantFrom(
          'BC-01',
          'SL-7',
          'default',
          'Portland warehouse',
          '10.00',
          '2026-03-11T09:15:00.000Z',
          'US',
          'complete',
        ),
      )
    case 'integer':
      return fc.oneof(
        fc.integer(),
        fc.nat(5),
        fc.constantFrom(...NUMBERS).map((number) => NUMBER_MARK + number),
      )
    case 'number':
      return fc.oneof(fc.double(), fc.nat(100))
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return junk
  }
}

/** Whole messages of the reference, where its samples are. */
function referenceMessages(): Message[] {
  if (!hasReferenceSamples) return []
  return readReferenceSamples().map((sample) => ({
    message: String(sample['message'] ?? ''),
    payload: sample['payload'] ?? sample,
  }))
}

const CONTENT_TYPES = [
  'application/json; charset=utf-8',
  'application/json; charset=latin1',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json;;;',
  'a/b',
  '/',
]
const STRANGE_PATHS = [
  '/webhook/%2e%2e/dashboard',
  '/webhook/__proto__',
  '/webhook/%00',
  '/webhook/%ff',
  '/wombat/%ff',
  '/wombat/no_such',
  `/webhook/${'x'.repeat(3_000)}`,
  '/webhook/no_such?x[y]=1',
]
const STRANGE_HEADERS: Readonly<Record<string, string>>[] = [
  ...CONTENT_TYPES.map((type) => ({ 'Content-Type': type })),
  { 'Content-Encoding': 'gzip' },
  { 'Content-Encoding': 'br, gzip' },
  { 'X-Augury-Token': 'x'.repeat(4_000) },
  { 'X-Augury-Token': "' or ''='" },
  { 'X-Forwarded-For': '127.0.0.1, <script>' },
  { 'X-HTTP-Method-Override': 'DELETE' },
  { Cookie: '__proto__=1' },
]

/** A message by its handler's schema. */
function byForm(handler: Handlers[number]): fc.Arbitrary<Message> {
  const schema = z.toJSONSchema(handler.schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  return fc.record({ message: fc.constant(handler.message), payload: formed(schema) })
}

/** Mostly with none of them or one. */
const changes = fc.oneof(
  { weight: 3, arbitrary: fc.array(change, { maxLength: 1 }) },
  { weight: 1, arbitrary: fc.array(change, { maxLength: 4 }) },
)
const seldomChanges: fc.Arbitrary<Change[]> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Change[]>([]) },
  { weight: 1, arbitrary: fc.array(change, { minLength: 1, maxLength: 2 }) },
)

/** The text of a request in its envelope, sound or strange, and some cut off in the midst. */
function written(messages: fc.Arbitrary<Message>, envelope: (message: Message, id: string) => object) {
  return fc
    .record({
      message: messages,
      changes,
      around: seldomChanges,
      fresh: fc.integer({ min: 1, max: 1_000_000 }),
      cut: fc.oneof(
        { weight: 15, arbitrary: fc.constant(1) },
        { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
      ),
    })
    .map(({ message, changes, around, fresh, cut }) => {
      // Keys of things that are new each time: else all but the first would be there already.
      const text = JSON.stringify(message.payload).replace(/(QM-|TT-|tarred-twine)/g, `$1${fresh}-`)
      const payload = changes.reduce(changed, JSON.parse(text))
      const whole = around.reduce<unknown>(changed, envelope({ ...message, payload }, newMessageId()))
      const body = (JSON.stringify(whole) ?? '').replace(new RegExp(`"${NUMBER_MARK}([^"]*)"`, 'g'), '$1')
      return { message: message.message, body: body.slice(0, Math.ceil(body.length * cut)) }
    })
}

/** Requests by the handlers' schemas and by samples (`known`: objects for their handlers), sound and changed, in sound and in strange envelopes. */
export function attacks(handlers: Handlers, known: readonly Message[]): fc.Arbitrary<Attack> {
  const isOfObjects = ({ dialect }: Handlers[number]) => dialect === 'wombat'
  const types = handlers.filter((handler) => !isOfObjects(handler)).map(({ message }) => message)
  const services = handlers.filter(isOfObjects).map(({ message }) => message)
  const samples = [...sampleNames().flatMap((name) => sampleOf(name) ?? []), ...referenceMessages()]
  // What is meant for one service is sent to another, too.
  const misled = (names: readonly string[]) =>
    fc
      .record({ message: fc.constantFrom(...names), sample: fc.constantFrom(...samples) })
      .map(({ message, sample }) => ({ message, payload: sample.payload }))
  const messages = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...samples.filter(({ message }) => types.includes(message))) },
    { weight: 3, arbitrary: misled(types) },
    { weight: 5, arbitrary: fc.oneof(...handlers.filter((handler) => !isOfObjects(handler)).map(byForm)) },
  )
  const objects = fc.oneof(
    { weight: 1, arbitrary: misled(services) },
    { weight: 4, arbitrary: fc.constantFrom(...known) },
    { weight: 4, arbitrary: fc.oneof(...handlers.filter(isOfObjects).map(byForm)) },
  )
  const ofMessage = written(messages, ({ message, payload }, message_id) => ({
    message,
    message_id,
    payload,
  }))
  const ofObject = written(objects, ({ payload }, request_id) => ({
    request_id,
    parameters: {},
    ...(typeof payload === 'object' ? payload : { payload }),
  }))
  const path = fc.oneof(
    { weight: 20, arbitrary: fc.constant('/webhook') },
    {
      weight: 2,
      arbitrary: fc.constantFrom(...handlers.map((handler) => `/webhook/${serviceName(handler)}`)),
    },
    { weight: 1, arbitrary: fc.constantFrom(...STRANGE_PATHS) },
  )
  const sound = fc.oneof(
    { weight: 20, arbitrary: fc.record({ path, body: ofMessage.map(({ body }) => body) }) },
    { weight: 5, arbitrary: ofObject.map(({ message, body }) => ({ path: `/wombat/${message}`, body })) },
    {
      weight: 1,
      arbitrary: fc.record({ path, body: fc.uint8Array({ maxLength: 200 }) }),
    },
  )
  const headers = fc.oneof(
    { weight: 20, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constantFrom(...STRANGE_HEADERS) },
  )
  return fc.record({ sound, headers }).map(({ sound, headers }) => ({ ...sound, headers }))
}
