import { Pool } from 'undici'

import { CONNECT_TIMEOUT_MILLISECONDS } from './exchange.ts'

/** The connections to one hub, whose clients put a deadline of their own on each push. */
export function createHubPool(origin: string, connections: number): Pool {
  return new Pool(origin, {
    connections,
    connectTimeout: CONNECT_TIMEOUT_MILLISECONDS,
    // The deadline of a push covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}
