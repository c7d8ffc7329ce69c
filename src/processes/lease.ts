import type { Log } from '../observe/log.ts'
import { createPool, type Pool } from '../postgres/pool.ts'
import { lostConnections } from './lost-connections.ts'

/** How long a worker's registration stands without a heartbeat. */
export const LEASE_MILLISECONDS = 12_000
export const HEARTBEAT_MILLISECONDS = 3_000
/** So that a second try, on a new connection, still comes in time where the first one's never answers. */
const GIVE_UP_AFTER_MILLISECONDS = 3_000

/** The connection on which a process keeps its lease, whatever else it has queued in front of its pool. */
export function openLeaseConnection(url: string, applicationName: string, log: Log): Pool {
  return createPool(url, {
    applicationName,
    max: 1,
    connectWithinMilliseconds: GIVE_UP_AFTER_MILLISECONDS,
    answerWithinMilliseconds: GIVE_UP_AFTER_MILLISECONDS,
    onConnectionError: lostConnections(log, 'the database connection of the lease'),
  })
}
