import { isIP } from 'node:net'
import { Agent } from 'undici'

import { ADDRESS_REFUSED, isPublicAddress, lookupPublic } from './address-guard.ts'
import { CONNECT_TIMEOUT_MILLISECONDS, createExchange, describeFault, toAnswer } from './exchange.ts'
import { type FaultOutcome, parseRetryAfter } from './outcome.ts'
import { ExchangeFault } from './undici-adapter.ts'

export type ConsumerClientOptions = Readonly<{
  /** Of the hub, for `User-Agent`. */
  version: string
  /** For one delivery from beginning to end. */
  timeoutMilliseconds: number
}>

export type Delivery = Readonly<{
  url: string
  /** The consumer's, sent under both names that the protocol has had for it (§11 #5). */
  token: string
  /** JSON text. */
  body: string
  /** False where the address may be one of this machine or of a private network. */
  publicOnly: boolean
}>

/** Any answer at all, whatever its status. */
export type ConsumerAnswer = Readonly<{
  kind: 'answered'
  status: number
  body: string
  retryAfterSeconds: number | undefined
}>

export type ConsumerClient = Readonly<{
  /** Sends once. Rejects for bugs only. */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<ConsumerAnswer | FaultOutcome>
  /** Closes all connections; a delivery in flight ends as aborted. */
  close(): Promise<void>
}>

const LONGEST_ANSWER_BYTES = 5_000_000

/**
 * A client for the endpoints of mappings, wherever they are. Connections are not counted: of two endpoints of a host one may
 * never answer, and must not keep the other waiting. No redirect is followed: the token must not travel.
 */
export function createConsumerClient(options: ConsumerClientOptions): ConsumerClient {
  const { timeoutMilliseconds } = options
  const common = {
    // The deadline of a delivery covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
  }
  const anywhere = new Agent({ ...common, connect: { timeout: CONNECT_TIMEOUT_MILLISECONDS } })
  const inPublic = new Agent({
    ...common,
    connect: { timeout: CONNECT_TIMEOUT_MILLISECONDS, lookup: lookupPublic },
  })
  const settings = {
    headers: { 'User-Agent': `spree-bridge/${options.version}` },
    timeoutMilliseconds,
  }
  const exchanges = {
    anywhere: createExchange(anywhere, settings),
    inPublic: createExchange(inPublic, settings),
  }

  return {
    async deliver({ url, token, body, publicOnly }, signal) {
      const { origin, host, hostname, pathname, search } = new URL(url)
      const literal = hostname.replace(/^\[|\]$/g, '')
      if (publicOnly && isIP(literal) !== 0 && !isPublicAddress(literal)) return refused(host)
      const answer = await exchanges[publicOnly ? 'inPublic' : 'anywhere'](
        {
          method: 'post',
          baseURL: origin,
          url: `${pathname}${search}`,
          headers: { 'X-Augury-Token': token, 'X-Hub-Token': token },
          data: body,
          maxContentLength: LONGEST_ANSWER_BYTES,
        },
        signal,
      )
      if (answer instanceof ExchangeFault)
        return answer.code === ADDRESS_REFUSED
          ? refused(host)
          : describeFault(answer, host, timeoutMilliseconds)
      const { status, body: text, retryAfter } = toAnswer(answer)
      return {
        kind: 'answered',
        status,
        body: text,
        retryAfterSeconds: parseRetryAfter(retryAfter, Date.now()),
      }
    },

    close: async () => {
      await Promise.all([anywhere.destroy(), inPublic.destroy()])
    },
  }
}

function refused(host: string): FaultOutcome {
  return {
    kind: 'unreachable',
    code: ADDRESS_REFUSED,
    text: `${host} is an address of this machine or of a private network, to which this hub does not deliver: set HUB_TARGETS=any to allow it.`,
  }
}
