import { setMaxListeners } from 'node:events'
import axios, { Axios, type AxiosAdapter, type AxiosRequestConfig, type AxiosResponse } from 'axios'
import axiosRetry from 'axios-retry'
import type { Dispatcher } from 'undici'

import type { Answer, FaultOutcome } from './outcome.ts'
import { createUndiciAdapter, ExchangeFault } from './undici-adapter.ts'

/** Three attempts to connect, and the waits between them, fit into a push's time limit. */
export const CONNECT_TIMEOUT_MILLISECONDS = 2_000
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

/** Sends one request, made for this call; its answer, whatever its status, or the fault instead. Rejects for bugs only. */
export type Exchange = (
  request: AxiosRequestConfig,
  signal: AbortSignal,
) => Promise<AxiosResponse<string> | ExchangeFault>

/** JSON requests over a dispatcher of undici; a connection that cannot be made is tried again at once, twice. */
export function createExchange(
  dispatcher: Dispatcher,
  options: Readonly<{ headers: Record<string, string>; timeoutMilliseconds: number }>,
): Exchange {
  const adapter = createUndiciAdapter(dispatcher, {
    Accept: 'application/json',
    'Accept-Encoding': 'identity',
    ...options.headers,
  })
  const http = createAxios(adapter, { 'Content-Type': 'application/json' })
  return async (request, signal) => {
    // One signal may stand for every request of a process; Node warns of a leak at the eleventh listener.
    setMaxListeners(0, signal)
    request.signal = signal
    request.deadline = performance.now() + options.timeoutMilliseconds
    try {
      return await http.request<string>(request)
    } catch (error) {
      if (error instanceof ExchangeFault) return error
      if (axios.isCancel(error)) return new ExchangeFault('aborted', 'ERR_CANCELED')
      throw error
    }
  }
}

/** A fault as an outcome, with a sentence for people that names the host and no secret. */
export function describeFault(
  { fault, code = 'unknown' }: ExchangeFault,
  host: string,
  timeoutMilliseconds: number,
): FaultOutcome {
  switch (fault) {
    case 'unreachable':
      return { kind: fault, code, text: `No connection to ${host}: ${code}.` }
    case 'reset':
      return { kind: fault, code, text: `The connection to ${host} broke before the answer: ${code}.` }
    case 'timedOut':
      return { kind: fault, text: `No whole answer from ${host} within ${timeoutMilliseconds / 1_000} s.` }
    case 'tooLarge':
      return { kind: fault, text: `The answer of ${host} was longer than allowed: broken off unread.` }
    case 'aborted':
      return { kind: fault, text: 'The request was broken off by spree-bridge itself.' }
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

/** The parts of an answer that decide what it means. */
export function toAnswer({ status, data, headers }: AxiosResponse<string>): Answer {
  return {
    status,
    body: data,
    contentType: headerText(headers['content-type']),
    retryAfter: headerText(headers['retry-after']),
    location: headerText(headers['location']),
    hub: headerText(headers['x-hub']),
    date: headerText(headers['date']),
  }
}

function headerText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
