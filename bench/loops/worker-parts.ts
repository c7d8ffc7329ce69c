import { createLog } from '../../src/observe/log.ts'
import { joinWorkers } from '../../src/postgres/membership.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { HEARTBEAT_MILLISECONDS, LEASE_MILLISECONDS, openLeaseConnection } from '../../src/processes/lease.ts'

/** What each half of a worker stands on, made before its time is taken: a log, and a pool with a connection. */
export async function openWorkerParts(databaseUrl: string) {
  const { log, closeLog } = createLog({ level: 'info', format: 'json' })
  const pool = createPool(databaseUrl, {
    applicationName: 'bench worker',
    max: 10,
    onConnectionError: (error) => log.error('a connection broke', { error }),
  })
  const ownConnection = openLeaseConnection(databaseUrl, 'bench lease', log)
  await Promise.all([pool.query('select 1'), ownConnection.query('select 1')])
  return {
    log,
    pool,
    join: () =>
      joinWorkers({
        pool,
        ownConnection,
        table: 'bridge.worker',
        process: 'worker',
        version: '0',
        leaseMilliseconds: LEASE_MILLISECONDS,
        heartbeatMilliseconds: HEARTBEAT_MILLISECONDS,
        status: () => '{}',
        watch: (work) => work(),
        onError: (error) => log.error('membership', { error }),
      }),
    close: async () => {
      await ownConnection.end()
      await pool.end()
      await closeLog()
    },
  }
}
