import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type HubServer, type HubStore, startHub } from './hub-server.ts'

let hub: HubServer
let store: HubStore

beforeAll(async () => {
  hub = await startHub()
  store = await hub.createStore()
})
afterAll(() => hub.close())

type Sent = Readonly<{ body?: string; headers?: Record<string, string>; token?: string; of?: HubStore }>

/** One call of a store's path, as any client makes it. */
async function call(
  method: string,
  path: string,
  { body, headers, of = store, token = of.token }: Sent = {},
) {
  const answer = await fetch(`${hub.url}/api/stores/${of.id}/${path}`, {
    method,
    redirect: 'manual',
    headers: { 'Content-Type': 'application/json', 'X-Augury-Token': token, ...headers },
    ...(body === undefined ? {} : { body }),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    json: text === '' ? undefined : JSON.parse(text),
  }
}

const push = (body: unknown, sent: Sent = {}) =>
  call('POST', 'messages', { ...sent, body: typeof body === 'string' ? body : JSON.stringify(body) })

const incoming = async (of = store) =>
  (await hub.pool.query('select * from hub.incoming where store_id = $1 order by id', [of.id])).rows

describe('push', () => {
  test('C1 a push', async () => {
    const answer = await push('{"message":"stock:change","payload":{"sku":"apc-00001","quantity":10}}')
    expect(answer).toMatchObject({ status: 201 })
    console.log(answer, await incoming())
    console.log(
      (
        await push('{"message":"a:b","payload":{"v":1.00,"s":"x"},"note":1e2,"message_id":"x"}', {
          headers: { 'idempotency-key': '"k"', 'x-bridge-aggregate': 'product:17' },
        })
      ).text,
    )
    console.log(
      (
        await push('{"message":"a:b","payload":{"v":1.00,"s":"x"},"note":1e2}', {
          headers: { 'idempotency-key': '"k"' },
        })
      ).text,
    )
    console.log(
      (
        await push('{"message":"a:b","payload":{"v":1.01,"s":"x"},"note":1e2}', {
          headers: { 'idempotency-key': '"k"' },
        })
      ).text,
    )
    console.log(
      (
        await push('{"message":"a:b","payload":{"v":1.01,"s":"x"},"note":1e2', {
          headers: { 'idempotency-key': '"k"' },
        })
      ).text,
    )
    console.log(
      (await push('{"message":"a:b","payload":' + '{"v":'.repeat(1000) + '1' + '}'.repeat(1001))).text,
    )
  })
})
