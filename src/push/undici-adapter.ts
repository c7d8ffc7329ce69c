import {
  type AxiosAdapter,
  AxiosError,
  AxiosHeaders,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios'
import type { Dispatcher } from 'undici'

declare module 'axios' {
  interface AxiosRequestConfig {
    /** When the request must be over, retries included, on the clock of `performance.now()`. */
    deadline?: number
  }
}

type Fault = 'unreachable' | 'reset' | 'timedOut' | 'tooLarge' | 'aborted'

/** An exchange that ended without a whole answer. Its `config` holds the token: it must not be logged. */
export class ExchangeFault extends AxiosError {
  readonly fault: Fault

  constructor(fault: Fault, code: string, config?: InternalAxiosRequestConfig) {
    super(`${fault} (${code})`, code, config)
    this.fault = fault
  }
}

const HEADERS_READ = ['x-hub', 'content-type', 'retry-after', 'location', 'date'] as const

/**
 * An axios adapter that sends `config.url`, a path, over a pool, or over an agent to the origin `config.baseURL`. It
 * honours `deadline`, `signal` and `maxContentLength`, gives back only the headers we read, follows no redirect and knows no
 * proxy.
 * `headersOfAll` go with every request: axios takes a microsecond for each that it merges.
 */
export function createUndiciAdapter(
  dispatcher: Dispatcher,
  headersOfAll: Readonly<Record<string, string>>,
): AxiosAdapter {
  return (config) =>
    new Promise((resolve, reject) => {
      const { url, baseURL, deadline, signal, maxContentLength = Number.POSITIVE_INFINITY } = config
      let controller: Dispatcher.DispatchController | undefined
      let over = false
      let status = 0
      let headers: Record<string, string | string[] | undefined> = {}
      const chunks: Buffer[] = []
      let length = 0

      const timer = deadline === undefined ? undefined : setTimeout(expire, deadline - performance.now())
      const abort = () => fail('aborted', AxiosError.ERR_CANCELED)
      signal?.addEventListener?.('abort', abort)

      function expire(): void {
        fail(controller === undefined ? 'unreachable' : 'timedOut', 'ETIMEDOUT')
      }

      function end(): void {
        over = true
        clearTimeout(timer)
        signal?.removeEventListener?.('abort', abort)
      }

      function fail(fault: Fault, code: string): void {
        if (over) return
        end()
        const error = new ExchangeFault(fault, code, config)
        reject(error)
        controller?.abort(error)
      }

      const request: Dispatcher.DispatchOptions = {
        path: url ?? '/',
        method: (config.method ?? 'get').toUpperCase(),
        headers: Object.assign(config.headers.toJSON(true), headersOfAll),
        body: config.data,
      }
      if (baseURL !== undefined) request.origin = baseURL
      dispatcher.dispatch(request, {
        onRequestStart(started) {
          if (over) started.abort(new Error('over before it began'))
          else controller = started
        },
        // Called for informational answers too; the last one counts.
        onResponseStart(_, statusCode, received) {
          status = statusCode
          headers = received
        },
        onResponseData(_, chunk) {
          length += chunk.length
          if (length > maxContentLength) fail('tooLarge', AxiosError.ERR_BAD_RESPONSE)
          else chunks.push(chunk)
        },
        onResponseEnd() {
          if (over) return
          end()
          const [first] = chunks
          const body = first === undefined ? '' : chunks.length === 1 ? first : Buffer.concat(chunks)
          resolve({ status, statusText: '', data: body.toString(), headers: pickHeaders(headers), config })
        },
        onResponseError(_, error) {
          const code = readCode(error)
          if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') fail('aborted', code)
          else fail(controller === undefined ? 'unreachable' : 'reset', code)
        },
      })
    })
}

/** axios normalises every header it is given, at a microsecond each. */
function pickHeaders(received: Record<string, string | string[] | undefined>): AxiosResponse['headers'] {
  const headers = new AxiosHeaders()
  for (const name of HEADERS_READ) {
    const value = received[name]
    if (value !== undefined) headers.set(name, value)
  }
  return headers
}

function readCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
