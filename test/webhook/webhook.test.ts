import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import express from 'express'
import fc from 'fast-check'
import { addCustomerReturn } from '../../src/apply/add-customer-return.ts'
import { addOrder } from '../../src/apply/add-order.ts'
import { HANDLERS } from '../../src/apply/handlers.ts'
import { discardInbox, listInbox, showInbox } from '../../src/apply/inbox-messages.ts'
import { setInventory } from '../../src/apply/set-inventory.ts'
import { setPrice } from '../../src/apply/set-price.ts'
import { handlerSample } from '../../src/messages/samples/objects.ts'
import { sampleOf } from '../../src/messages/samples/samples.ts'
import { createLog } from '../../src/observe/log.ts'
import { retryInbound } from '../../src/operator/inbound.ts'
import { openStore } from '../../src/store/store.ts'
import { limitInHand } from '../../src/webhook/limits.ts'
import { signatureOf } from '../../src/webhook/sign.ts'
import { runBridge } from '../operator/run-bridge.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { settingsFile } from '../support/settings-file.ts'
import { createStore, passIdsBroughtAlong } from '../support/stores.ts'
import { TEST_HANDLERS } from '../support/test-handlers.ts'
import {
  digestStore,
  newMessageId,
  post,
  startTestWeb,
  type TestWeb,
  WEBHOOK_TOKEN,
  type WebAnswer,
} from '../support/web.ts'
import { attacks } from './fuzz.ts'

let store: TestDatabase
let web: TestWeb
let webhook: string

beforeAll(async () => {
  store = await createStore('spree-4.10', 'fixture')
  web = await startTestWeb(store, [...TEST_HANDLERS, setInventory, setPrice, addCustomerReturn])
  webhook = `${web.url}/webhook`
})

afterAll(async () => {
  await web.stop()
  await store.drop()
})

const message = (payload: object = { sku: 'TM-1', quantity: 1 }, rest: object = {}) => ({
  message: 'stock:change',
  message_id: newMessageId(),
  payload,
  ...rest,
})

async function levelOf(sku: string): Promise<number> {
  const { rows } = await store.pool.query<{ level: number }>(
    `select count_on_hand as level
       from spree_stock_items i join spree_variants v on v.id = variant_id
      where sku = $1 order by i.id limit 1`,
    [sku],
  )
  return rows[0]!.level
}

const inboxOf = async (messageId: string) => {
  const { rows } = await store.pool.query<Record<string, unknown>>(
    'select state, type, payload, status, last_error from bridge.inbox where message_id = $1',
    [messageId],
  )
  return rows[0]
}

/** What it takes to refuse a request: nothing of the store or of the inbox is other than before. */
async function changingNothing<T>(send: () => Promise<T>): Promise<T> {
  const look = async () => [
    ...(await digestStore(store)),
    (await store.pool.query('select count(*) from bridge.inbox')).rows,
    (await store.pool.query('select count(*) from bridge.outbox')).rows,
  ]
  const before = await look()
  const answer = await send()
  expect(await look()).toEqual(before)
  return answer
}

describe('who may', () => {
  test.each([
    ['no token', { 'X-Augury-Token': '' }],
    ['a wrong token', { 'X-Augury-Token': 'wrong' }],
    ['the beginning of the right one', { 'X-Augury-Token': WEBHOOK_TOKEN.slice(0, -1) }],
    ['two at once', { 'X-Augury-Token': `${WEBHOOK_TOKEN}, ${WEBHOOK_TOKEN}` }],
  ])('C133 C198 %s: 401 and a sentence, whatever the body, and no effect', async (_what, headers) => {
    for (const body of [message(), 'not JSON', '']) {
      expect(await changingNothing(() => post(webhook, body, headers))).toMatchObject({
        status: 401,
        text: expect.stringContaining('Token is invalid'),
      })
    }
    expect(await post(`${webhook}/no_such_service`, message(), headers)).toMatchObject({ status: 401 })
  })

  test.each(['X-Augury-Token', 'X-Hub-Token', 'x_augury_token', 'X_HUB_TOKEN'])(
    'each of the tokens is taken in %s',
    async (header) => {
      for (const token of [WEBHOOK_TOKEN, 'other-token']) {
        const headers = { 'X-Augury-Token': '', [header]: token }
        expect(await post(webhook, message(), headers)).toMatchObject({ status: 200 })
      }
    },
  )

  test('without WEBHOOK_TOKEN nobody is let in, and the log says so', async () => {
    const closed = await startTestWeb(store, TEST_HANDLERS, { webhookToken: undefined })
    try {
      for (const token of ['', 'undefined', WEBHOOK_TOKEN])
        expect(await post(`${closed.url}/webhook`, message(), { 'X-Augury-Token': token })).toMatchObject({
          status: 401,
        })
      expect(closed.lines().join()).toContain('WEBHOOK_TOKEN is not set')
    } finally {
      await closed.stop()
    }
  })
})

describe('with WEBHOOK_SECRET', () => {
  const [OLD, NEW] = [
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'whsec_bmV3LXNlY3JldC1vZi0zMi1ieXRlcy1mb3ItdXM=',
  ]
  const seconds = (ago = 0) => String(Math.floor(Date.now() / 1_000) - ago)
  const sign = (body: string, ago = 0, secret = OLD) => ({
    'webhook-id': 'msg_1',
    'webhook-timestamp': seconds(ago),
    'webhook-signature': signatureOf(secret, 'msg_1', seconds(ago), body),
  })

  test('the signature is that of the standard', () => {
    // The example of the reference implementations.
    const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
    expect(signatureOf(OLD, id, '1614265330', '{"test": 2432232314}')).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    )
  })

  test('who has the token has to have signed these bytes, within five minutes, by one of the secrets', async () => {
    const signed = await startTestWeb(store, TEST_HANDLERS, { webhookSecret: [NEW, OLD] })
    try {
      const body = JSON.stringify(message())
      const good = sign(body)
      const signature = good['webhook-signature']
      const refused: [Record<string, string>, RegExp][] = [
        [{}, /^Not signed/],
        [{ ...good, 'webhook-id': '' }, /^Not signed/],
        [{ ...good, 'webhook-timestamp': 'now' }, /^Not signed/],
        [{ ...good, 'webhook-signature': signature.replace('v1,', 'v1a,') }, /^Not signed/],
        [{ ...good, 'webhook-id': 'msg_2' }, /not one of this webhook/],
        [sign(`${body} `), /not one of this webhook/],
        [sign(body, 0, 'whsec_c29tZWJvZHktZWxzZXMtc2VjcmV0LWtleQ=='), /not one of this webhook/],
        [sign(body, 310), /not of now/],
        [sign(body, -310), /not of now/],
      ]
      for (const [headers, says] of refused) {
        const answer = await changingNothing(() => post(`${signed.url}/webhook`, body, headers))
        expect(answer.status).toBe(401)
        expect(JSON.parse(answer.text).error).toMatch(says)
      }
      expect(await post(`${signed.url}/webhook`, body, { ...good, 'X-Augury-Token': '' })).toMatchObject({
        status: 401,
      })
      for (const headers of [
        good,
        sign(body, 290),
        sign(body, 0, NEW),
        { ...good, 'webhook-signature': `v1,AAAA v1a,AA ${signature}` },
      ])
        expect(await post(`${signed.url}/webhook`, body, headers)).toMatchObject({ status: 200 })
      const packed = { ...sign(body), 'Content-Encoding': 'gzip' }
      expect(await post(`${signed.url}/webhook`, new Uint8Array(gzipSync(body)), packed)).toMatchObject({
        status: 200,
      })
      const lines = signed.lines().join()
      for (const secret of [OLD, NEW]) expect(lines).not.toContain(secret.slice(6))
    } finally {
      await signed.stop()
    }
  })
})

describe('too much', () => {
  test('wrong tokens are soon answered 429 with Retry-After; the right one goes through all the while', async () => {
    const own = await startTestWeb(store, TEST_HANDLERS)
    try {
      const wrong = () =>
        post(`${own.url}/webhook`, '', { 'X-Augury-Token': 'wrong', 'X-Forwarded-For': '192.0.2.1' })
      const answers = await Promise.all(Array.from({ length: 110 }, wrong))
      const late = answers.filter(({ status }) => status === 429)
      expect([late.length, answers.length - late.length]).toEqual([10, 100])
      expect(Number(late[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(answers[0]?.headers.has('x-powered-by')).toBe(false)
      expect(await post(`${own.url}/webhook`, message())).toMatchObject({ status: 200 })
    } finally {
      await own.stop()
    }
  })

  test('what comes without the right token, and not to its end, keeps out nobody who has it', async () => {
    const own = await startTestWeb(store, [...TEST_HANDLERS, setInventory])
    const { hostname, port } = new URL(own.url)
    const head = `POST /wombat/set_inventory HTTP/1.1\r\nHost: a\r\nContent-Length: ${2 ** 20}\r\n\r\n`
    const strangers = Array.from({ length: 70 }, () => connect(Number(port), hostname))
    try {
      const sockets = strangers.map(async (socket) => {
        socket.on('error', () => {})
        await once(socket, 'connect')
        socket.write(head)
      })
      await Promise.all(sockets)
      // Once some of them are sent away all of them have come as far as they come.
      await Promise.race(strangers.map((socket) => once(socket, 'data')))
      expect(await post(`${own.url}/webhook`, message())).toMatchObject({ status: 200 })
      const sent = { request_id: newMessageId(), inventory: {} }
      expect(await post(`${own.url}/wombat/set_inventory`, sent)).toMatchObject({ status: 500 })
    } finally {
      for (const socket of strangers) socket.destroy()
      await own.stop()
    }
  })

  test('no more is taken at a time than can be held: the others are asked to come again', async () => {
    const app = express()
    const waiting: (() => void)[] = []
    app.post('/', limitInHand(1_000, 2 * (2 ** 14 + 1_000)), (_request, response) =>
      waiting.push(() => response.end()),
    )
    const server = app.listen(0, '127.0.0.1')
    try {
      await once(server, 'listening')
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      const body = 'x'.repeat(999)
      const first = [post(url, body), post(url, '', { 'Content-Encoding': 'gzip' })]
      while (waiting.length < 2) await pause(5)
      const third = await post(url, '')
      expect([third.status, third.headers.get('retry-after')]).toEqual([503, '5'])
      for (const answer of waiting.splice(0)) answer()
      expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200])
      const fourth = post(url, '')
      while (waiting.length < 1) await pause(5)
      waiting[0]?.()
      expect((await fourth).status).toBe(200)
    } finally {
      server.close()
    }
  })
})

describe('what it says of itself', () => {
  test('C135 endpoint.json is served to anybody and lists every service with path, messages and parameters', async () => {
    const response = await fetch(`${web.url}/endpoint.json`)
    const endpoint = JSON.parse(await response.text())
    expect(response.status).toBe(200)
    expect(Object.keys(endpoint).sort()).toEqual([
      'description',
      'display',
      'help',
      'icon_url',
      'name',
      'services',
    ])
    expect(endpoint.services.map(({ name }: { name: string }) => name)).toEqual([
      'stock_change',
      'test_statement',
    ])
    expect(endpoint.services[0]).toMatchObject({
      path: '/webhook/stock_change',
      requires: {
        parameters: [{ name: 'force_quantity', data_type: 'boolean' }, { name: 'stock_location_id' }],
      },
      recommends: { messages: ['stock:change'], options: { retries_allowed: true } },
    })
    expect((await fetch(`${web.url}/${endpoint.icon_url}`)).headers.get('content-type')).toContain(
      'image/svg',
    )
    expect(await post(web.url + endpoint.services[0].path, message())).toMatchObject({ status: 200 })
  })

  test('C136 /auth is 200', async () => {
    expect((await fetch(`${web.url}/auth`)).status).toBe(200)
  })
})

describe('a message', () => {
  test('C137 is applied and answered in JSON with its own message_id', async () => {
    const [sent, before] = [message({ sku: 'OC-M', quantity: 5 }), await levelOf('OC-M')]
    const { status, text, headers } = await post(webhook, sent)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^application\/json/)
    expect(JSON.parse(text)).toEqual({
      message_id: sent.message_id,
      notifications: [
        { level: 'info', subject: 'stock:change', description: `OC-M: from ${before} to ${before + 5}` },
      ],
      sku: 'OC-M',
      quantity: 5,
      from: before,
      to: before + 5,
    })
    expect(await levelOf('OC-M')).toBe(before + 5)
    expect(await inboxOf(sent.message_id)).toMatchObject({
      state: 'applied',
      type: 'stock:change',
      status: 200,
    })
  })

  test('goes to the service named in the path, with or without a slash at the end', async () => {
    const before = await levelOf('OC-M')
    for (const path of ['stock_change', 'stock_change/'])
      expect(await post(`${webhook}/${path}`, message({ sku: 'OC-M', quantity: 1 }))).toMatchObject({
        status: 200,
      })
    expect(await levelOf('OC-M')).toBe(before + 2)
    // The service decides, not what a mapping calls the message.
    const sent = message({ sku: 'OC-M', quantity: 1 }, { message: 'erp:stock' })
    expect(JSON.parse((await post(`${webhook}/stock_change`, sent)).text)).toMatchObject({
      notifications: [{ subject: 'stock:change' }],
    })
  })

  test('C138 may have keys that nobody knows', async () => {
    const sent = message(
      { sku: 'OC-M', quantity: 1, warehouse: { bin: 7 }, huge: 5 },
      {
        mapping: { url: 'http://x' },
        consumer_class: 'Augury::Consumers::Remote',
        attempts: 3,
        store_id: '5',
      },
    )
    const body = JSON.stringify(sent).replace('"huge":5', '"huge":1e999')
    expect(await post(webhook, body)).toMatchObject({ status: 200 })
  })

  test.each([
    ['none', {}, 15],
    ['in the payload', { payload: [{ name: 'spree.force_quantity', value: true }] }, 5],
    ['beside it', { beside: [{ name: 'spree.force_quantity', value: true }] }, 5],
    [
      'in the payload before those beside it',
      {
        payload: [{ name: 'spree.force_quantity', value: false }],
        beside: [{ name: 'spree.force_quantity', value: true }],
      },
      15,
    ],
    [
      'twice: the last one wins',
      {
        payload: [
          { name: 'spree.force_quantity', value: true, data_type: 'boolean' },
          { name: 'spree.force_quantity' },
        ],
      },
      15,
    ],
    ['null', { payload: null }, 15],
  ] as const)(
    'C139 parameters: %s',
    async (_what, { payload, beside }: { payload?: unknown; beside?: unknown }, to) => {
      await store.pool.query('update spree_stock_items set count_on_hand = 10 where id = 304')
      const sent = message(
        { sku: 'OC-M', quantity: 5, ...(payload !== undefined && { parameters: payload }) },
        beside !== undefined ? { parameters: beside } : {},
      )
      expect(JSON.parse((await post(webhook, sent)).text)).toMatchObject({ from: 10, to })
    },
  )

  test('C140 that this store cannot take is 500 with an error notification, and is kept', async () => {
    const sent = message({ sku: 'NO-SUCH', quantity: 5 })
    const { status, text } = await post(webhook, sent)
    expect(status).toBe(500)
    const description = 'There is no variant with the SKU NO-SUCH.'
    expect(JSON.parse(text)).toEqual({
      message_id: sent.message_id,
      notifications: [{ level: 'error', subject: 'stock:change', description }],
    })
    expect(await inboxOf(sent.message_id)).toMatchObject({
      state: 'failed',
      status: 500,
      last_error: description,
      payload: JSON.stringify(sent.payload),
    })
  })

  test('that this store has pushed itself is 200 with an info notification and not applied', async () => {
    const { rows } = await store.pool.query<{ id: string }>('select id from bridge.installation')
    const own = message({ sku: 'OC-M', quantity: -2, source: `spree-bridge:${rows[0]!.id}` })
    const { status, text } = await changingNothing(() => post(webhook, own))
    expect({ status, ...JSON.parse(text) }).toEqual({
      status: 200,
      message_id: own.message_id,
      notifications: [
        {
          level: 'info',
          subject: 'stock:change',
          description: 'Not applied: this store itself has announced it.',
        },
      ],
    })
    const before = await levelOf('OC-M')
    const foreign = message({ ...own.payload, source: 'spree-bridge:another' })
    expect((await post(webhook, foreign)).status).toBe(200)
    expect(await levelOf('OC-M')).toBe(before - 2)
  })

  test('its bytes may be compressed, and its type written in full', async () => {
    const body = new Uint8Array(gzipSync(JSON.stringify(message())))
    const headers = { 'Content-Encoding': 'gzip', 'Content-Type': 'application/json; charset=utf-8' }
    expect(await post(webhook, body, headers)).toMatchObject({ status: 200 })
    expect(await post(webhook, message(), { 'Content-Type': 'application/vnd.hub+json' })).toMatchObject({
      status: 200,
    })
  })
})

describe('bad input: the right status, one clear sentence, nothing written, and the next message is taken', () => {
  const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const raw = (payload: string, type = 'stock:change') =>
    `{"message":"${type}","message_id":"${newMessageId()}","payload":${payload}}`
  const withoutPayload: Record<string, unknown> = message()
  delete withoutPayload['payload']

  const BAD: readonly [string, unknown, number, RegExp, (Record<string, string> | string)?][] = [
    [
      'C134 broken JSON',
      '{"message":',
      406,
      /^The body is not valid JSON in UTF-8: it must be a JSON object/,
    ],
    ['C134 text', 'stock:change', 406, /not valid JSON/],
    ['C134 nothing', '', 406, /^The body is empty/],
    ['C134 bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 406, /UTF-8/],
    ['C134 a NUL byte as it is', '{"message":"a\0b"}', 406, /not valid JSON/],
    ['2 MB', message({ sku: 'x'.repeat(2 ** 21), quantity: 1 }), 413, /larger than 1048576 bytes/],
    [
      '2 MB that are small on the way',
      new Uint8Array(gzipSync(JSON.stringify(message({ sku: 'x'.repeat(2 ** 21) })))),
      413,
      /larger than 1048576 bytes/,
      { 'Content-Encoding': 'gzip' },
    ],
    [
      'another type',
      message(),
      415,
      /^The Content-Type must be application\/json, in UTF-8\.$/,
      { 'Content-Type': 'text/xml' },
    ],
    [
      'a type that only begins so',
      message(),
      415,
      /Content-Type/,
      { 'Content-Type': 'application/json-seq' },
    ],
    ['another charset', message(), 415, /UTF-8/, { 'Content-Type': 'application/json; charset=iso-8859-1' }],
    ['another encoding', 'x', 415, /unsupported content encoding/, { 'Content-Encoding': 'compress95' }],
    ['a broken encoding', 'x', 400, /./, { 'Content-Encoding': 'gzip' }],
    ['no object', '[]', 400, /expected an object \{message, message_id, payload\}/],
    ['null', 'null', 400, /expected an object/],
    ['no message', message({}, { message: undefined }), 400, /^message: /],
    ['no message_id', message({}, { message_id: undefined }), 400, /^message_id: .*expected string/],
    ['an empty message_id', message({}, { message_id: '' }), 400, /^message_id: /],
    ['an endless message_id', message({}, { message_id: 'x'.repeat(256) }), 400, /^message_id: .*255/],
    ['a number for a message_id', message({}, { message_id: 5 }), 400, /^message_id: /],
    [
      'a message_id of two lines',
      message({}, { message_id: 'a\nb' }),
      400,
      /^message_id: must not contain control/,
    ],
    ['no payload', withoutPayload, 400, /^payload: .*expected an object/],
    ['a list for a payload', message([]), 400, /^payload: .*expected an object/],
    ['an unknown message', message({}, { message: 'stock:lost' }), 404, /no service for stock:lost/],
    ['an unknown service', message(), 404, /no such service/, 'no_such_service'],
    ['a Wombat handler', { request_id: '1', product: {} }, 404, /no such service/, 'add_product'],
    [
      'a NUL character',
      message({ sku: 'a\0b', quantity: 1 }),
      400,
      /^payload\.sku: contains a NUL character/,
    ],
    [
      'half of a surrogate pair',
      raw('{"sku":"a\\ud83db","quantity":1}'),
      400,
      /^payload\.sku: contains half of/,
    ],
    [
      'a NUL character deep down, in a key',
      message({ sku: 'x', quantity: 1, more: [{ 'a\0': 1 }] }),
      400,
      /^payload\.more\[0\].*: contains a NUL character/,
    ],
    [
      '1,000 levels',
      raw(`{"sku":"x","quantity":1,"more":${deep(1000)}}`),
      400,
      /^payload\.more\[0\]: is nested deeper than 100/,
    ],
    ['500,000 levels', raw(deep(500_000)), 400, /nested deeper than 100/],
    ['400,000 open brackets', '['.repeat(400_000), 406, /not valid JSON/],
  ]

  test.each(BAD)('%s', async (_what, body, status, says, where = {}) => {
    const url = typeof where === 'string' ? `${webhook}/${where}` : webhook
    const headers = typeof where === 'string' ? {} : where
    const answer = await changingNothing(() => post(url, body, headers))
    expect(answer.status).toBe(status)
    const { error } = JSON.parse(answer.text)
    expect(error).toMatch(says)
    expect(error).not.toMatch(/\n|\bat .*\.[jt]s\b/)
    expect(await post(webhook, message())).toMatchObject({ status: 200 })
  })

  // Well formed, of a known type, but not what its handler takes: kept in the inbox with the reason.
  const UNFIT: readonly [string, string, number, RegExp][] = [
    ['no quantity', '{"sku":"TM-1"}', 400, /^payload\.quantity: .*expected number/],
    ['a quantity in words', '{"sku":"TM-1","quantity":"many"}', 400, /^payload\.quantity: .*expected number/],
    ['an infinite number', '{"sku":"TM-1","quantity":1e999}', 400, /^payload\.quantity: .*expected number/],
    ['a huge number', '{"sku":"TM-1","quantity":99999999999}', 400, /^payload\.quantity: .*2147483647/],
    ['a huge negative number', '{"sku":"TM-1","quantity":-1e20}', 400, /^payload\.quantity: /],
    ['half a piece', '{"sku":"TM-1","quantity":0.5}', 400, /^payload\.quantity: .*expected int/],
    [
      'a level beyond what is held',
      '{"sku":"TM-1","quantity":2147483647}',
      500,
      /more than this store can hold/,
    ],
    [
      'a SKU that hides in the prototype',
      '{"__proto__":{"sku":"TM-1"},"quantity":1}',
      400,
      /^payload\.sku: /,
    ],
    [
      'parameters that are no list',
      '{"sku":"TM-1","quantity":1,"parameters":{}}',
      400,
      /^payload\.parameters: .*expected array/,
    ],
    [
      'a parameter without name',
      '{"sku":"TM-1","quantity":1,"parameters":[{}]}',
      400,
      /^payload\.parameters\[0\]\.name: /,
    ],
    [
      'an unknown SKU',
      `{"sku":"'; drop table spree_variants --","quantity":1}`,
      500,
      /There is no variant with the SKU '; drop/,
    ],
  ]

  test.each(UNFIT)('%s', async (_what, payload, status, says) => {
    const before = await digestStore(store)
    const body = raw(payload)
    const answer = await post(webhook, body)
    expect(answer.status).toBe(status)
    const { error, notifications, message_id: messageId } = JSON.parse(answer.text)
    expect(messageId).toBe(JSON.parse(body).message_id)
    expect(error ?? notifications[0].description).toMatch(says)
    expect(await digestStore(store)).toEqual(before)
    const kept = await inboxOf(messageId)
    expect(kept).toMatchObject({ state: 'failed', status })
    expect(kept?.['last_error']).toMatch(says)
  })

  test('of a key that comes twice the last one counts', async () => {
    const { status, text } = await post(webhook, raw('{"sku":"NO-SUCH","sku":"TM-1","quantity":1}'))
    expect({ status, ...JSON.parse(text) }).toMatchObject({ status: 200, sku: 'TM-1' })
  })

  test('nothing of what was sent is in the log, but ids and reasons', async () => {
    await post(webhook, message({ sku: 'NO-SUCH', quantity: 1, email: 'ada@example.com' }))
    const log = web.lines().join('\n')
    expect(log).not.toContain('ada@example.com')
    expect(log).not.toContain(WEBHOOK_TOKEN)
  })
})

describe('an object of a Wombat or FlowLink hub', () => {
  const inventory = (quantity: unknown, rest: object = {}) => ({
    request_id: newMessageId(),
    inventory: { id: 12, location: 'Portland warehouse', product_id: 'TM-1', quantity },
    ...rest,
  })
  const ask = (name: string, body: unknown, headers: Record<string, string> = {}) =>
    post(`${web.url}/${name}`, body, { 'X-Augury-Token': '', 'X-Hub-Token': WEBHOOK_TOKEN, ...headers })
  const told = ({ status, text }: WebAnswer) => ({ status, ...JSON.parse(text) })

  test('C156 C161 is applied once, and a repeat gets the first answer', async () => {
    await store.pool.query('update spree_stock_items set count_on_hand = 10 where id = 310')
    const sent = inventory(93)
    const first = await ask('wombat/set_inventory', sent)
    expect(told(first)).toEqual({
      status: 200,
      request_id: sent.request_id,
      summary: 'Set inventory for TM-1 at Portland warehouse from 10 to 93',
    })
    const after = await digestStore(store)
    const again = [sent, { ...inventory(7), request_id: sent.request_id }]
    for (const name of ['wombat/set_inventory', 'flowlink/set_inventory/', 'webhook/set_inventory'])
      for (const body of again) expect((await ask(name, body)).text).toBe(first.text)
    expect(await digestStore(store)).toEqual(after)
    const { rows } = await store.pool.query('select * from bridge.inbox where message_id = $1', [
      sent.request_id,
    ])
    const { request_id: _, ...kept } = sent
    expect(rows).toMatchObject([
      { dialect: 'wombat', type: 'set_inventory', state: 'applied', attempts: 1, repeats: 6 },
    ])
    expect(JSON.parse(rows[0]?.['payload'])).toEqual(kept)
    // The same id is another message in the other dialect.
    expect(
      told(await post(webhook, message({ sku: 'TM-1', quantity: 1 }, { message_id: sent.request_id }))),
    ).toMatchObject({
      status: 200,
      from: 93,
    })
  })

  test('C158 that this store cannot take is 500 with a backtrace of one string, and is kept', async () => {
    const sent = inventory(5, { inventory: { location: 'Nowhere', product_id: 'TM-1', quantity: 5 } })
    const summary = 'Stock location with name Nowhere was not found'
    const answer = await ask('wombat/set_inventory', sent)
    expect(told(answer)).toEqual({ status: 500, request_id: sent.request_id, summary, backtrace: '' })
    expect(await inboxOf(sent.request_id)).toMatchObject({ state: 'failed', last_error: summary })
    const mended = { ...inventory(6), request_id: sent.request_id }
    expect(told(await ask('wombat/set_inventory', mended))).toMatchObject({ status: 200 })
  })

  test('C171 C200 a return comes once; one that looks like it is parked beside it', async () => {
    const item = { sku: 'FS-NAVY-M', quantity: 1, order_number: 'R204817351', resellable: true }
    const back = (more: object = {}) => ({
      request_id: newMessageId(),
      customer_return: {
        ...{ rma: 'RA123456789', receipt_date: '2014-09-25T12:00:00Z', stock_location: 'Portland warehouse' },
        items: [item],
        ...more,
      },
    })
    const { customer_return: content, ...empty } = back()
    for (const nothing of [empty, { ...empty, customer_return: {} }])
      expect(told(await ask('wombat/add_customer_return', nothing))).toEqual({
        status: 400,
        request_id: empty.request_id,
        summary: 'Please provide a customer_return payload',
      })
    expect(told(await ask('wombat/add_customer_return', back({ stock_location: 'x' })))).toEqual({
      status: 500,
      request_id: expect.any(String),
      summary: expect.stringMatching(/^Customer return could not be fully processed, errors: /),
      backtrace: '',
    })
    const first = back()
    const answer = await ask('wombat/add_customer_return', first)
    expect(told(answer)).toMatchObject({
      status: 200,
      summary: expect.stringMatching(/^Customer return \d+ was added\. The items of return CR\d{9} wait/),
    })
    const after = await digestStore(store)
    expect((await ask('wombat/add_customer_return', first)).text).toBe(answer.text)
    // The other piece of the line is with the customer still: only a person knows whether it is this one.
    const second = back({ receipt_date: '2014-09-26T12:00:00Z' })
    expect(told(await ask('wombat/add_customer_return', second))).toMatchObject({ status: 500 })
    expect(await digestStore(store)).toEqual(after)
    const [parked] = await listInbox(store.pool, { ids: [second.request_id], limit: 1 })
    expect(parked).toMatchObject({
      state: 'failed',
      lastError: expect.stringContaining(`(${first.request_id})`),
    })
    const shown = await showInbox(store.pool, parked!.id)
    expect(JSON.parse(shown?.payload ?? '')).toEqual({ customer_return: second.customer_return })
    expect(shown?.looksLike?.messageId).toBe(first.request_id)
    expect(JSON.parse(shown?.looksLike?.payload ?? '')).toEqual({ customer_return: content })
    // Once both are back there is nothing to be asked; of two that bring the last piece at the same time one does.
    const rest = [back({ rma: 'RA2' }), back({ rma: 'RA2' })]
    const answers = await Promise.all(rest.map((sent) => ask('wombat/add_customer_return', sent)))
    expect(
      answers
        .map((one) =>
          told(one)
            .summary.replace(/ (\d+|CR\d{9}) /g, ' ')
            .slice(0, 43),
        )
        .sort(),
    ).toEqual(['Customer return has already been processed', 'Customer return was added. The items of ret'])
    expect(told(await ask('wombat/add_customer_return', second))).toMatchObject({
      status: 200,
      summary: expect.stringMatching(/^Customer return CR\d{9} has already been processed$/),
    })
  })

  test('a person delivers one like such a hub', async () => {
    const { request_id: _, ...object } = inventory(94)
    const file = settingsFile(JSON.stringify(object))
    const env = { WEBHOOK_TOKEN, PORT: new URL(web.url).port }
    const { status, stdout } = await runBridge(['deliver', 'set_inventory', '--file', file], env)
    expect({ status, ...JSON.parse(stdout) }).toEqual({
      status: 0,
      request_id: expect.stringMatching(/^[0-9a-f]{24}$/),
      summary: expect.stringMatching(/^Set inventory for TM-1 at Portland warehouse from \d+ to 94/),
    })
  })

  test('a person delivers a sample to any handler of objects, and it is one that the handler reads', async () => {
    const env = { WEBHOOK_TOKEN, PORT: new URL(web.url).port }
    const { status, stdout } = await runBridge(['deliver', 'set_inventory', '--sample'], env)
    expect({ status, ...JSON.parse(stdout) }).toMatchObject({
      status: 0,
      summary: expect.stringContaining('SL-7 at Portland warehouse'),
    })
    const handlers = HANDLERS.filter(({ dialect }) => dialect === 'wombat')
    expect(handlers).toHaveLength(11)
    for (const { message, schema } of handlers)
      expect([message, schema.safeParse(handlerSample(message)).error]).toEqual([message, undefined])
    expect(await runBridge(['push', 'set_inventory', '--sample'], env)).toMatchObject({ status: 2 })
  })

  test('one that failed is retried or discarded by a person, and answered in its own form then', async () => {
    const to = (location: string) =>
      inventory(5, { inventory: { location, product_id: 'TM-1', quantity: 5 } })
    const [retried, discarded] = [to('Boston'), to('Nowhere')]
    for (const sent of [retried, discarded])
      expect(told(await ask('wombat/set_inventory', sent))).toMatchObject({ status: 500 })
    const failed = await listInbox(store.pool, {
      ids: [retried.request_id, discarded.request_id],
      limit: 2,
    })
    await store.pool.query(`update spree_stock_locations set admin_name = 'Boston' where id = 1`)
    const shop = { pool: store.pool, store: await openStore(store.pool) }
    const { log } = createLog({ level: 'error', format: 'json' })
    expect(await retryInbound({ ...shop, handlers: [setInventory], log }, failed[1]!.id)).toBe(true)
    expect(await discardInbox(store.pool, failed)).toBe(1)
    expect(told(await ask('wombat/set_inventory', retried))).toMatchObject({
      status: 200,
      request_id: retried.request_id,
      summary: expect.stringMatching(/^Set inventory for TM-1 at Boston from \d+ to 5$/),
    })
    expect(told(await ask('wombat/set_inventory', discarded))).toEqual({
      status: 200,
      request_id: discarded.request_id,
      summary: 'Not applied: an operator has discarded this request.',
    })
  })

  test('C163 an order that comes twice at once under two ids is placed once, and answered with its objects', async () => {
    const own = await startTestWeb(store, [addOrder], { hubDialect: 'wombat' })
    try {
      const order = { ...Object(OBJECTS['add_order']).order, id: 'TWICE-1' }
      const send = (requestId: string) =>
        post(`${own.url}/flowlink/add_order`, { request_id: requestId, order })
      const ids = [newMessageId(), newMessageId()]
      const answers = await Promise.all(ids.map(send))
      const [placed, refused] = answers.map(told).toSorted((a, b) => a.status - b.status)
      expect(placed).toEqual({
        ...{ status: 200, request_id: expect.any(String), summary: 'Order number TWICE-1 was added' },
        orders: [expect.objectContaining({ id: 'TWICE-1', status: 'complete' })],
        shipments: [expect.objectContaining({ order_id: 'TWICE-1', cost: 6, status: 'ready' })],
      })
      expect(refused).toEqual({
        ...{ status: 500, request_id: expect.any(String), backtrace: '' },
        summary: expect.stringMatching(/^Order TWICE-1 is in this store already: /),
      })
      const before = await digestStore(store)
      const again = await Promise.all(ids.map(send))
      expect(again.map(({ text }) => text)).toEqual(answers.map(({ text }) => text))
      expect(await digestStore(store)).toEqual(before)
    } finally {
      await own.stop()
    }
  })

  test.each([
    ['as an object are none of the content', { verbose: true, since: '2014-02-03T17:29:15Z' }],
    ['as a list are not read', [{ name: 'verbose', value: true }]],
    ['as something else are not read', 'verbose'],
  ])('C160 parameters %s', async (_what, parameters) => {
    expect(told(await ask('wombat/set_inventory', inventory(5, { parameters })))).toMatchObject({
      status: 200,
    })
  })

  test('C159 for a handler that is not there: 500 with a summary, and no effect', async () => {
    const constants = {
      'wombat/upblate_order': 'Spree::Wombat::Handler::UpblateOrderHandler',
      'wombat/stock_change': 'Spree::Wombat::Handler::StockChangeHandler',
      'flowlink/add_shipment': 'Spree::Flowlink::Handler::AddShipmentHandler',
    }
    await changingNothing(async () => {
      for (const [name, constant] of Object.entries(constants)) {
        const sent = inventory(5)
        const summary = `uninitialized constant ${constant}`
        const answer = { status: 500, request_id: sent.request_id, summary, backtrace: '' }
        expect(told(await ask(name, sent))).toEqual(answer)
      }
    })
  })

  test('C133 C157 C198 without the right token: 401 before all else, and no effect', async () => {
    const refused: readonly [string, Record<string, string>, string][] = [
      ['wombat/set_inventory', {}, 'Unauthorized!'],
      ['wombat/upblate_order', {}, 'Unauthorized!'],
      ['wombat/set_inventory', { Authorization: `Bearer ${WEBHOOK_TOKEN}` }, 'Unauthorized!'],
      ['flowlink/set_inventory', { Authorization: 'Bearer wrong' }, 'Unauthorized! 127.0.0.1'],
      ['flowlink/set_inventory', { Authorization: `Basic ${WEBHOOK_TOKEN}` }, 'Unauthorized! 127.0.0.1'],
      ['webhook/set_inventory', {}, 'Unauthorized!'],
    ]
    await changingNothing(async () => {
      for (const [name, headers, summary] of refused) {
        const [sent, wrong] = [inventory(5), { 'X-Hub-Token': 'wrong', ...headers }]
        const answer = { status: 401, request_id: sent.request_id, summary }
        expect([name, told(await ask(name, sent, wrong))]).toEqual([name, answer])
        expect(told(await ask(name, 'not JSON', wrong))).toMatchObject({ status: 401, request_id: null })
      }
    })
  })

  test.each([
    ['wombat', { 'X-Hub-Token': 'other-token' }],
    ['wombat', { x_hub_token: WEBHOOK_TOKEN }],
    ['flowlink', { Authorization: 'Bearer other-token' }],
    ['flowlink', { 'X-Hub-Token': WEBHOOK_TOKEN }],
  ])('/%s takes the token in %j', async (door, headers) => {
    const answer = await ask(`${door}/set_inventory`, inventory(5), { 'X-Hub-Token': '', ...headers })
    expect(told(answer)).toMatchObject({ status: 200 })
  })

  const BAD: readonly [string, unknown, number, RegExp, Record<string, string>?][] = [
    [
      'broken JSON',
      '{"request_id":',
      400,
      /^The body is not valid JSON .* \{request_id, <object>, parameters\}/,
    ],
    ['nothing', '', 400, /^The body is empty/],
    ['no object', '[]', 400, /expected an object \{request_id/],
    ['no request_id', { inventory: {} }, 400, /^request_id: /],
    ['a request_id of two lines', { request_id: 'a\nb' }, 400, /^request_id: must not contain control/],
    ['another type', inventory(1), 415, /must be application\/json/, { 'Content-Type': 'text/xml' }],
    ['2 MB', inventory('x'.repeat(2 ** 21)), 413, /^The body is larger than 1048576 bytes/],
    ['another encoding', 'x', 415, /unsupported content encoding/, { 'Content-Encoding': 'compress95' }],
  ]
  test('what is no request says so, and has no effect', async () => {
    await changingNothing(async () => {
      for (const [what, body, status, says, headers = {}] of BAD) {
        const answer = await ask('wombat/set_inventory', body, headers)
        expect([what, answer.status]).toEqual([what, status])
        expect(Object.keys(JSON.parse(answer.text))).toEqual(['request_id', 'summary'])
        expect(JSON.parse(answer.text).summary).toMatch(says)
      }
    })
  })

  test('an object that is none of its handler: 500, kept with the field that is wrong', async () => {
    const wrong: readonly [object, RegExp][] = [
      [{ inventory: undefined }, /^inventory: .*expected object/],
      [{ inventory: { location: 'Portland warehouse', quantity: 1 } }, /^inventory\.product_id: /],
      [inventory(0.5), /^inventory\.quantity: .*expected int/],
    ]
    const before = await digestStore(store)
    for (const [part, says] of wrong) {
      const sent = { ...inventory(1), ...part }
      const answer = told(await ask('wombat/set_inventory', sent))
      expect(answer).toMatchObject({ status: 500, summary: expect.stringMatching(says), backtrace: '' })
      expect(await inboxOf(sent.request_id)).toMatchObject({ state: 'failed' })
    }
    expect(await digestStore(store)).toEqual(before)
  })
})

const TOTE = {
  sku: 'TT-1',
  name: 'Tote',
  price: 15.99,
  permalink: 'tarred-twine-tote',
  shipping_category: 'Default',
  taxons: [['Brands', 'Spree']],
  options: ['size'],
  properties: { material: 'cotton' },
  images: [{ url: 'http://cdn.example/tote.jpg' }],
  variants: [{ sku: 'TT-1-S', price: 15.99, options: { size: 'S' } }],
}
const STREET = { address1: '1 Pier Road', city: 'Portland', state: 'Maine', country: 'US', phone: '555' }
const BRIAN = {
  ...{ firstname: 'Brian', lastname: 'Smith' },
  ...{ shipping_address: STREET, billing_address: STREET },
}
/** What is sent to each service: the whole sample, or of what reads little of it as much as it reads. */
function payloadOf(type: string): unknown {
  return PARTS[type] ?? OBJECTS[type] ?? sampleOf(type)?.payload
}

const PARTS: Readonly<Record<string, object>> = {
  'shipment:confirm': {
    shipment_number: 'H50417700151',
    order_number: 'R204817351',
    tracking_number: 'T1',
    carrier: 'UPS',
    shipped_date: '2026-03-09T10:00:00Z',
    items: [{ sku: 'FS-NAVY-M', part_number: 'P1', quantity: 2, serial_numbers: ['S1'] }],
  },
  'order:ship': { order: { number: 'R204817352' } },
  'order:capture': { order: { number: 'R204817352' }, payment: { id: 72 } },
  'hub:poll': { target: 'collections.orders' },
}

/** An object for each handler of the other dialect. */
const OBJECTS: Readonly<Record<string, object>> = {
  set_inventory: { inventory: { location: 'Portland warehouse', product_id: 'TM-1', quantity: 93 } },
  set_price: { price: { product_id: 'TM-1', price: 12.95, cost_price: 6.25 } },
  add_product: { product: TOTE },
  update_product: { product: { ...TOTE, sku: 'TM-1', variants: [] } },
  add_order: {
    order: {
      ...{ id: 'QM-1', status: 'complete', email: 'joe@example.com', currency: 'USD' },
      ...{ placed_on: '2026-03-09T09:28:00Z', totals: { item: 69, shipping: 6, order: 75 } },
      line_items: [{ product_id: 'BC-01', quantity: 2, price: 34.5 }],
      adjustments: [{ name: 'shipping', value: 6 }],
      ...{ shipping_address: { ...BRIAN.shipping_address, firstname: 'Joe', lastname: 'Smith' } },
      payments: [{ amount: 75, payment_method: 'Check' }],
    },
  },
  update_order: { order: { id: 'R204817351', status: 'canceled', email: 'new@example.com' } },
  add_shipment: {
    shipment: {
      ...{ id: '12836', order_id: 'R204817355', status: 'ready', tracking: 'T1', cost: 2.5 },
      ...{ stock_location: 'Portland warehouse', shipping_method: 'Ground' },
      shipping_address: { ...STREET, firstname: 'Clara', lastname: 'Lindqvist' },
      items: [{ product_id: 'FS-NAVY-S', quantity: 1 }],
    },
  },
  update_shipment: {
    shipment: {
      ...{ id: 'H50417700157', order_id: 'R204817355', status: 'shipped', tracking: 'T1', cost: 6 },
      ...{ shipped_at: '2026-03-09T10:00:00Z', items: [{ product_id: 'FS-NAVY-S', quantity: 1 }] },
      shipping_address: { city: 'Portland' },
    },
  },
  add_customer_return: {
    customer_return: {
      ...{ rma: 'RA123456789', receipt_date: '2014-09-25T12:00:00Z', stock_location: 'Portland warehouse' },
      items: [{ sku: 'FS-NAVY-M', quantity: 1, order_number: 'R204817351', resellable: true }],
    },
  },
  add_customer: { customer: { ...BRIAN, email: 'QM-1@example.com' } },
  update_customer: { customer: { ...BRIAN, email: 'clara@example.com' } },
}

describe("the bridge's own services", () => {
  const junk = [null, 'x', -99_999_999_999, {}, 'x'.repeat(10_000)]

  // FUZZ_SEED and FUZZ_RUNS choose other and more ones (`npm run test:fuzz`); a failure prints its seed.
  const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_126)
  const RUNS = Number(process.env['FUZZ_RUNS'] ?? 100)

  /** What only our own code and PostgreSQL say. */
  const INTERNALS =
    /node_modules|\.[jt]s:\d|at or near|relation "|violates|duplicate key|invalid input syntax|value too long|out of range for type|bridge\.|\n/

  /** Whatever is sent is answered in order, applied whole or not at all, and what follows is taken. */
  async function withstand(family: string, shop: TestDatabase, own: TestWeb): Promise<void> {
    const statuses = new Map<number, number>()
    const known = Object.entries(OBJECTS).map(([message, payload]) => ({ message, payload }))
    const faults = () => own.lines().filter((line) => line.includes('by a fault of ours'))
    await fc.assert(
      fc.asyncProperty(attacks(HANDLERS, known), async ({ path, headers, body }) => {
        const answer = await post(own.url + path, body, headers)
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        const said: Record<string, unknown> = JSON.parse(answer.text)
        expect([200, 400, 401, 404, 406, 413, 415, 500]).toContain(answer.status)
        expect(/fault of ours/.test(answer.text) ? faults().at(-1) : undefined).toBeUndefined()
        const told = 'request_id' in said ? { backtrace: '' } : { notifications: [{ level: 'error' }] }
        if (answer.status === 500) expect(said).toMatchObject(told)
        if (answer.status !== 200) expect(answer.text).not.toMatch(INTERNALS)
        expect(answer.headers.has('x-evil')).toBe(false)
      }),
      { numRuns: RUNS, seed: SEED },
    )
    if (RUNS > 1_000)
      process.stderr.write(`${family}: ${RUNS} requests, seed ${SEED}: ${JSON.stringify([...statuses])}\n`)
    for (const status of RUNS > 1_000 ? [200, 400, 404, 406, 415, 500] : [200, 400, 500])
      expect([...statuses.keys()]).toContain(status)
    // All that was written carries a message's origin: of those that were refused nothing may be there.
    const { rows } = await shop.pool.query<{ partial: string }>(
      `select distinct o.origin as partial
         from bridge.outbox o
        where not exists (select from bridge.inbox i
                           where i.state = 'applied' and i.status = 200 and i.message_id = split_part(o.origin, ':', 2))`,
    )
    expect(rows).toEqual([])
    expect(
      (await shop.pool.query(`select from bridge.inbox where attempts = 0 or answer = ''`)).rowCount,
    ).toBe(0)
    expect(faults()).toEqual([])
  }

  /** The payload with each of its values in turn replaced by something else; what names it is new every time. */
  function* broken(payload: unknown, every: number): Generator<unknown> {
    let count = 0
    for (const path of pathsIn(payload)) {
      for (const value of junk) {
        if (count++ % every > 0) continue
        const fresh = JSON.parse(JSON.stringify(payload).replace(/(QM-|TT-|tarred-twine)/g, `$1${count}-`))
        yield replaceAt(fresh, path, value)
      }
    }
  }

  // The forms are looked at before the family: of the second less is enough. What is made up by chance comes after.
  test.each([
    ['spree-4.10', 3],
    ['spree-6.0', 6],
  ] as const)(
    'in %s: whatever a payload has wrong is told in a sentence, and is no fault of ours',
    async (family, every) => {
      const shop = await createStore(family, 'fixture')
      const own = await startTestWeb(shop, HANDLERS)
      const seen = new Set<string>()
      const send = async (type: string, payload: unknown) => {
        const { status, text } =
          type in OBJECTS
            ? await post(`${own.url}/wombat/${type}`, { request_id: newMessageId(), ...Object(payload) })
            : await post(`${own.url}/webhook`, { message: type, message_id: newMessageId(), payload })
        const { error, notifications, summary, ...answer } = JSON.parse(text)
        const said: unknown = error ?? notifications?.[0]?.description ?? summary
        const id = answer.id ?? (/fault of ours/.test(summary) ? summary : undefined)
        seen.add(`${type} ${status}`)
        if (id === undefined && [200, 400, 500].includes(status) && !/\n/.test(String(said))) return []
        return [`${type} ${JSON.stringify(payload)} → ${status} ${text}`]
      }
      try {
        const faults = await Promise.all(
          HANDLERS.map(async ({ message: type }) => {
            const found: string[] = []
            // Most of the objects' content is that of the messages, too.
            const each = type in OBJECTS ? 6 * every : every
            for (const payload of broken(payloadOf(type), each)) found.push(...(await send(type, payload)))
            return found
          }),
        )
        expect(faults.flat()).toEqual([])
        for (const { message: type } of HANDLERS)
          expect([...seen]).toContain(`${type} ${type in OBJECTS ? 500 : 400}`)
        for (const type of ['product:new', 'order:import']) expect([...seen]).toContain(`${type} 200`)
        await withstand(family, shop, own)
      } finally {
        await own.stop()
        await shop.drop()
      }
    },
    60_000 + 60 * RUNS,
  )

  test.each(['solidus-4', 'spree-2.4'] as const)(
    'in %s: whatever is made up by chance is no fault of ours',
    async (family) => {
      const shop = await createStore(family, 'fixture')
      await passIdsBroughtAlong(shop.pool)
      const own = await startTestWeb(shop, HANDLERS)
      try {
        await withstand(family, shop, own)
      } finally {
        await own.stop()
        await shop.drop()
      }
    },
    60_000 + 60 * RUNS,
  )
})

function pathsIn(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]]
  const below = Object.entries(value).flatMap(([key, part]) => pathsIn(part, [...path, key]))
  return path.length === 0 ? below : [[...path], ...below]
}

function replaceAt(whole: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value
  if (Array.isArray(whole))
    return whole.map((part, index) => (String(index) === key ? replaceAt(part, rest, value) : part))
  const object = Object(whole)
  return { ...object, [key]: replaceAt(object[key], rest, value) }
}
