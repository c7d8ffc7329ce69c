import { setMaxListeners } from 'node:events'
import axios, { Axios, type AxiosAdapter, type AxiosRequestConfig, type AxiosResponse } from 'axios'
import axiosRetry from 'axios-retry'
import { Pool } from 'undici'

import {
  type Answer,
  type FaultOutcome,
  type Outcome,
  type ProbeOutcome,
  readAnswer,
  readProbe,
} from './outcome.ts'
import { createUndiciAdapter, ExchangeFault } from './undici-adapter.ts'

export type PushClientOptions = Readonly<{
  /** The hub's base, to which `/api/stores/…` is added; it may have a path. */
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
export type PushMessage = Readonly<{ type: string; payload: string; key: string }>

export type PushClient = Readonly<{
  /** Sends one message once (a connection that cannot be made is tried again at once, twice). Rejects for bugs only. */
  push(message: PushMessage, signal: AbortSignal): Promise<Outcome>
  /** Asks the hub for something harmless, with our token: is it there, does it know us? Rejects for bugs only. */
  probe(signal: AbortSignal): Promise<ProbeOutcome>
  /** Closes all connections; a push in flight ends as aborted. */
  close(): Promise<void>
}>

/** Three attempts to connect, and the waits between them, fit into a push's time limit. */
const CONNECT_TIMEOUT_MILLISECONDS = 2_000
const CONNECT_RETRIES = 2
/** First 200 to 300 ms, then 400 to 500: at most 0.8 s in all. */
const waitBeforeRetry = (retry: number) => retry * 200 + Math.random() * 100
const LONGEST_WAIT_MILLISECONDS = 500

const RETRIED_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** A hub answers with what was submitted, and may escape every character of it; more than that it has no reason to say. */
const ANSWER_BYTES_BESIDES_OURS = 1_000_000
const BYTES_OF_AN_ESCAPED_CHARACTER = 6

/** What our hub puts into `X-Hub` of every answer. */
const OUR_HUB = 'spree-bridge'

/** A client for one store at one hub. */
export function createPushClient(options: PushClientOptions): PushClient {
  const { token, timeoutMilliseconds } = options
  const { origin, host, pathname } = new URL(options.hubUrl)
  const store = `${pathname.replace(/\/+$/, '')}/api/stores/${encodeURIComponent(options.storeId)}`
  const source = JSON.stringify(`spree-bridge:${options.installation}`)
  const pool = new Pool(origin, {
    connections: options.connections,
    connectTimeout: CONNECT_TIMEOUT_MILLISECONDS,
    // The deadline of a push covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const http = createAxios(createUndiciAdapter(pool), {
    'Content-Type': 'application/json',
    'X-Augury-Token': token,
    Accept: 'application/json',
    'Accept-Encoding': 'identity',
    'User-Agent': `spree-bridge/${options.version}`,
  })
  // Until an answer shows that it is ours, the hub is taken for a foreign one: a `source` too many does no harm.
  let hubIsOurs = false

  /** The answer, or the fault instead of one. */
  async function exchange(
    request: AxiosRequestConfig,
    signal: AbortSignal,
  ): Promise<AxiosResponse<string> | ExchangeFault> {
    // One signal may stand for every push of a worker; Node warns of a leak at the eleventh listener.
    setMaxListeners(0, signal)
    const deadline = performance.now() + timeoutMilliseconds
    try {
      const response = await http.request<string>({ ...request, signal, deadline })
      if (response.headers['x-hub'] === OUR_HUB) hubIsOurs = true
      return response
    } catch (error) {
      if (error instanceof ExchangeFault) return error
      if (axios.isCancel(error)) return new ExchangeFault('aborted', 'ERR_CANCELED')
      throw error
    }
  }

  function describeFault({ fault, code = 'unknown' }: ExchangeFault): FaultOutcome {
    switch (fault) {
      case 'unreachable':
        return { kind: fault, code, text: `No connection to ${host}: ${code}.` }
      case 'reset':
        return { kind: fault, code, text: `The connection to ${host} broke before the answer: ${code}.` }
      case 'timedOut':
        return { kind: fault, text: `No whole answer from ${host} within ${timeoutMilliseconds / 1_000} s.` }
      case 'tooLarge':
        return { kind: fault, text: `The answer of ${host} was longer than any hub's: broken off unread.` }
      case 'aborted':
        return { kind: fault, text: 'The push was broken off by the bridge itself.' }
    }
  }

  return {
    async push({ type, payload, key }, signal) {
      const body = `{"message":${JSON.stringify(type)},"payload":${
        hubIsOurs ? payload : addSource(payload, source)
      },"origin":"store"}`
      const answer = await exchange(
        {
          method: 'post',
          url: `${store}/messages`,
          headers: { 'Idempotency-Key': key },
          data: body,
          maxContentLength: ANSWER_BYTES_BESIDES_OURS + body.length * BYTES_OF_AN_ESCAPED_CHARACTER,
        },
        signal,
      )
      if (answer instanceof ExchangeFault) return describeFault(answer)
      const outcome = readAnswer(toAnswer(answer), token)
      // Only an acceptance shows a foreign hub: an error without the header may come from a proxy before ours.
      if (outcome.kind === 'accepted' && answer.headers['x-hub'] !== OUR_HUB) hubIsOurs = false
      return outcome
    },

    async probe(signal) {
      const answer = await exchange(
        { method: 'get', url: `${store}/available_messages`, maxContentLength: ANSWER_BYTES_BESIDES_OURS },
        signal,
      )
      if (answer instanceof ExchangeFault) return describeFault(answer)
      return readProbe(toAnswer(answer), token)
    },

    close: () => pool.destroy(),
  }
}

/**
 * axios with axios-retry at half its price. `axios.create` merges some twenty defaults of its own into every request; the
 * bare class merges ours only. It shares the interceptors with an instance that `create` made, because that is what
 * axios-retry attaches itself to and repeats with.
 */
function createAxios(adapter: AxiosAdapter, headers: Record<string, string>): Axios {
  // Every status is an answer, and a body stays the text it is.
  const defaults = { adapter, headers, validateStatus: null, transformResponse: [] }
  const repeating = axios.create(defaults)
  const { requestInterceptorId } = axiosRetry(repeating, {
    retries: CONNECT_RETRIES,
    retryDelay: waitBeforeRetry,
    retryCondition: ({ code = '', config }) =>
      RETRIED_CODES.has(code) && (config?.deadline ?? 0) - performance.now() > LONGEST_WAIT_MILLISECONDS,
  })
  // All it does is to note the time for `timeout`, where we have `deadline`; it would make every request a chain of promises.
  repeating.interceptors.request.eject(requestInterceptorId)

  const lean = new Axios(defaults)
  lean.interceptors = repeating.interceptors
  return lean
}

/** At the end of the object, so that it wins over a `source` that the payload may have; without parsing the payload. */
function addSource(payload: string, source: string): string {
  const inside = payload.slice(0, payload.lastIndexOf('}'))
  return `${inside}${/^\s*\{\s*$/.test(inside) ? '' : ','}"source":${source}}`
}

function toAnswer({ status, data, headers }: AxiosResponse<string>): Answer {
  return {
    status,
    body: data,
    contentType: headerText(headers['content-type']),
    retryAfter: headerText(headers['retry-after']),
    location: headerText(headers['location']),
  }
}

function headerText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
