import { setTimeout as pause } from 'node:timers/promises'

import { listen } from '../../postgres/listen.ts'
import { OLDEST_SERVER } from '../../postgres/migrate.ts'
import type { Db, Pool } from '../../postgres/pool.ts'
import { splitUrl } from '../../postgres/reach.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

type Server = Readonly<{
  number: number
  version: string
  standby: boolean
  read_only: boolean
  encoding: string
  local: boolean
  tls: boolean | null
  seconds_ahead: number
}>

/** By so much the clocks may differ before times of the one mislead the other. */
const CLOCK_SECONDS = 5

/** The server: its release, whether it can be written to, how the way to it is kept, its clock. */
export async function checkServer(db: Db, databaseUrl: string): Promise<Finding[]> {
  const asked = Date.now()
  const { rows } = await db.query<Server & { now: number }>(
    `select current_setting('server_version_num')::integer as number,
            current_setting('server_version') as version,
            pg_is_in_recovery() as standby,
            current_setting('default_transaction_read_only')::boolean as read_only,
            current_setting('server_encoding') as encoding,
            inet_server_addr() is null or inet_server_addr() <<= inet '127.0.0.0/8' as local,
            (select ssl from pg_catalog.pg_stat_ssl where pid = pg_backend_pid()) as tls,
            extract(epoch from clock_timestamp())::float8 as now`,
  )
  const server = rows[0]
  if (!server) throw new Error('the server answered no row')
  const ahead = server.now - (asked + Date.now()) / 2_000
  return [
    server.number < OLDEST_SERVER
      ? failed('server', `PostgreSQL ${server.version}`, 'spree-bridge needs PostgreSQL 13 or newer.')
      : ok('server', `PostgreSQL ${server.version}`),
    writable(server),
    server.encoding === 'UTF8'
      ? ok('encoding', 'UTF8')
      : warning(
          'encoding',
          server.encoding,
          'Messages are UTF-8: what this encoding lacks a hub cannot write here.',
        ),
    encrypted(server, isOnThisMachine(databaseUrl)),
    Math.abs(ahead) <= CLOCK_SECONDS
      ? ok('clock', 'this machine and the database agree')
      : warning(
          'clock',
          `the database is ${Math.abs(Math.round(ahead))} s ${ahead > 0 ? 'ahead of' : 'behind'} this machine`,
          'Let both follow the network time (NTP): lags are shown wrong until then.',
        ),
  ]
}

function writable({ standby, read_only }: Server): Finding {
  if (standby)
    return failed(
      'primary',
      'this server is a standby',
      'Point DATABASE_URL at the primary: a standby takes no writes.',
    )
  if (!read_only) return ok('primary', 'this server takes writes')
  return failed(
    'primary',
    'transactions are read-only here by default',
    'Point DATABASE_URL at the primary, or reset default_transaction_read_only for this role.',
  )
}

/** A socket, or a loopback address. */
function isOnThisMachine(databaseUrl: string): boolean {
  return /^(\/|%2f|localhost:|127\.[\d.]+:|\[::1\])/i.test(splitUrl(databaseUrl).host)
}

/** A pooler may reach the server on its own machine, and still be far from here. */
function encrypted({ local, tls }: Server, addressedHere: boolean): Finding {
  if (tls) return ok('TLS', 'the connection is encrypted')
  if (local && addressedHere) return ok('TLS', 'not needed: the server is on this machine')
  return warning(
    'TLS',
    'the connection is not encrypted (or a pooler stands between, which hides it)',
    'Add `?sslmode=require` to DATABASE_URL, or `verify-full` with a root certificate.',
  )
}

/**
 * Whether a transaction pooler stands between: then a connection that is idle lends its backend to another. And whether
 * notifications come through where they are to be listened to.
 */
export async function checkWay(pool: Pool, listenUrl: string): Promise<Finding[]> {
  const [pooled, hears] = [await isPooled(pool), await hearsNotifications(listenUrl)]
  const way = pooled ? 'through a transaction pooler' : 'direct'
  return [
    ok('connection', way),
    hears
      ? ok('LISTEN', 'notifications come through')
      : warning(
          'LISTEN',
          'no notification came through: changes are found by asking four times a second',
          'Set DATABASE_LISTEN_URL to a direct connection where DATABASE_URL leads to a transaction pooler.',
        ),
  ]
}

async function isPooled(pool: Pool): Promise<boolean> {
  const [one, other] = [await pool.connect(), await pool.connect()]
  const backend = `select pg_backend_pid() as pid`
  try {
    const { rows } = await one.query<{ pid: number }>(backend)
    await other.query('begin')
    const others = await other.query<{ pid: number }>(backend)
    await other.query('rollback')
    return rows[0]?.pid === others.rows[0]?.pid
  } finally {
    one.release()
    other.release()
  }
}

const HEARD_WITHIN_MILLISECONDS = 3_000

async function hearsNotifications(url: string): Promise<boolean> {
  const listener = listen(url, [], {
    applicationName: 'spree-bridge doctor',
    variable: 'DATABASE_LISTEN_URL',
    onNotify: () => undefined,
    onError: () => undefined,
  })
  const deadline = performance.now() + HEARD_WITHIN_MILLISECONDS
  while (!listener.hears() && performance.now() < deadline) await pause(20)
  const heard = listener.hears()
  await listener.stop()
  return heard
}
