import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { PostgresServer } from '../../src/demo/embedded-postgres.ts'

const STREAMS_WITHIN_MS = 20_000

/** Starts the server of a folder; `settings` besides those that the suite's server has. */
type Start = (root: string, settings?: Readonly<Record<string, string>>) => Promise<PostgresServer>

/**
 * As a host's failover does it: a standby follows `primary`, each commit waits for it, the primary's postmaster is killed,
 * the standby is promoted, and answers at the primary's address from then on.
 */
export async function failOver(primary: PostgresServer, start: Start): Promise<PostgresServer> {
  const standbyRoot = path.join(primary.root, 'standby')
  const [data, standbyData] = [path.join(primary.root, 'pgdata'), path.join(standbyRoot, 'pgdata')]
  const address = new URL(primary.url).searchParams
  const following = `host=${address.get('host')} port=${address.get('port')} user=${address.get('user')}`

  await withClient(primary.url, async (client) => {
    await client.query(`select pg_create_physical_replication_slot('standby', true)`)
    await copyData(client, data, standbyRoot)
  })
  const standby = await start(standbyRoot, { primary_conninfo: following, primary_slot_name: 'standby' })
  await withClient(primary.url, async (client) => {
    await untilItStreams(client)
    await client.query(`alter system set synchronous_standby_names = '*'`)
    await client.query('select pg_reload_conf()')
  })
  await pause(2000)

  process.kill(primary.pid, 'SIGKILL')
  await primary.stop()
  await withClient(standby.url, (client) => client.query('select pg_promote()'))
  await standby.stop()
  rmSync(data, { recursive: true })
  renameSync(standbyData, data)
  rmSync(standbyRoot, { recursive: true })
  return start(primary.root)
}

async function copyData(client: pg.Client, data: string, standbyRoot: string): Promise<void> {
  mkdirSync(standbyRoot)
  const copy = path.join(standbyRoot, 'pgdata')
  await client.query(`select pg_backup_start('standby', true)`)
  // Its owner goes along. Files come and go meanwhile, which the copy may say and the WAL makes good.
  spawnSync('cp', ['-a', data, copy])
  const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)')
  for (const own of ['postmaster.pid', 'postmaster.opts', 'pg_replslot/standby'])
    rmSync(path.join(copy, own), { recursive: true, force: true })
  const { uid, gid } = statSync(data)
  for (const [name, text] of [
    ['backup_label', rows[0]?.labelfile ?? ''],
    ['standby.signal', ''],
  ] as const) {
    writeFileSync(path.join(copy, name), text)
    chownSync(path.join(copy, name), uid, gid)
  }
}

async function untilItStreams(client: pg.Client): Promise<void> {
  const deadline = Date.now() + STREAMS_WITHIN_MS
  for (;;) {
    const { rowCount } = await client.query(`select from pg_stat_replication where state = 'streaming'`)
    if (rowCount) return
    if (Date.now() > deadline) throw new Error('The standby does not follow its primary.')
    await pause(100)
  }
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
