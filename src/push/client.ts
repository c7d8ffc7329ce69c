import type { AxiosRequestConfig } from 'axios'

import { OBJECT_TYPES } from '../messages/message.ts'
import { createExchange, describeFault, toAnswer } from './exchange.ts'
import { createHubPool } from './hub-pool.ts'
import { withKey } from './json-text.ts'
import { OUR_HUB, type Outcome, type ProbeOutcome, readAnswer, readProbe } from './outcome.ts'
import { ExchangeFault } from './undici-adapter.ts'

export type PushClientOptions = Readonly<{
  /** The hub's base, to which `/api/stores/…` is added; it may have a path. Of a hub that takes objects the very address. */
  hubUrl: string
  storeId: string
  token: string
  /** Names this bridge in `payload.source` to hubs that are not ours, so that it knows its own messages again. */
  installation: string
  /** Of the bridge, for `User-Agent`. */
  version: string
  /** As many as pushes will be in flight. */
  connections: number
  /** For one push from beginning to end, quick retries included. */
  timeoutMilliseconds: number
}>

/** A message on its way: `payload` is the text of a JSON object and is sent as it stands. */
export type PushMessage = Readonly<{
  type: string
  payload: string
  key: string
  aggregate: string
  /** It failed before: it may be what others would fail with. */
  hasFailed?: boolean
}>

export type PushClient = Readonly<{
  /** Sends one message once (a connection that cannot be made is tried again at once, twice). Rejects for bugs only. */
  push(message: PushMessage, signal: AbortSignal): Promise<Outcome>
  /** Asks the hub for something harmless, with our token: is it there, does it know us? Rejects for bugs only. */
  probe(signal: AbortSignal): Promise<ProbeOutcome>
  /** Closes all connections; a push in flight ends as aborted. */
  close(): Promise<void>
}>

/** A hub answers with what was submitted, and may escape every character of it; more than that it has no reason to say. */
const ANSWER_BYTES_BESIDES_OURS = 1_000_000
const BYTES_OF_AN_ESCAPED_CHARACTER = 6

/** A client for one store at one hub of the first generation. */
export function createPushClient(options: PushClientOptions): PushClient {
  const { token, timeoutMilliseconds } = options
  const { origin, host, pathname } = new URL(options.hubUrl)
  const store = `${pathname.replace(/\/+$/, '')}/api/stores/${encodeURIComponent(options.storeId)}`
  const source = JSON.stringify(`spree-bridge:${options.installation}`)
  const pool = createHubPool(origin, options.connections)
  const exchange = createExchange(pool, {
    headers: { 'X-Augury-Token': token, 'User-Agent': `spree-bridge/${options.version}` },
    timeoutMilliseconds,
  })
  // Until an answer shows that it is ours, the hub is taken for a foreign one: a `source` too many does no harm.
  let hubIsOurs = false
  const ask = async (request: AxiosRequestConfig, signal: AbortSignal) => {
    const answer = await exchange(request, signal)
    if (!(answer instanceof ExchangeFault) && answer.headers['x-hub'] === OUR_HUB) hubIsOurs = true
    return answer
  }

  return {
    async push({ type, payload, key, aggregate }, signal) {
      if (isObjectType(type))
        return { kind: 'foreign', text: `${type} is an object, no message; HUB_DIALECT is seed now.` }
      const body = `{"message":${JSON.stringify(type)},"payload":${
        hubIsOurs ? payload : withKey(payload, 'source', source)
      },"origin":"store"}`
      const answer = await ask(
        {
          method: 'post',
          url: `${store}/messages`,
          // Our hub orders by it what names no order: a product and the stock of its SKUs.
          headers: { 'Idempotency-Key': key, 'X-Bridge-Aggregate': aggregate },
          data: body,
          maxContentLength: ANSWER_BYTES_BESIDES_OURS + body.length * BYTES_OF_AN_ESCAPED_CHARACTER,
        },
        signal,
      )
      if (answer instanceof ExchangeFault) return describeFault(answer, host, timeoutMilliseconds)
      const outcome = readAnswer(toAnswer(answer), token)
      // Only an acceptance shows a foreign hub: an error without the header may come from a proxy before ours.
      if (outcome.kind === 'accepted' && answer.headers['x-hub'] !== OUR_HUB) hubIsOurs = false
      return outcome
    },

    async probe(signal) {
      const answer = await ask(
        { method: 'get', url: `${store}/available_messages`, maxContentLength: ANSWER_BYTES_BESIDES_OURS },
        signal,
      )
      if (answer instanceof ExchangeFault) return describeFault(answer, host, timeoutMilliseconds)
      return readProbe(toAnswer(answer), token)
    },

    close: () => pool.destroy(),
  }
}

function isObjectType(type: string): boolean {
  return OBJECT_TYPES.some((root) => root === type)
}
