import { spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { databaseUrl } from './postgres.ts'

export type PgBouncer = Readonly<{
  /** The same database through the pooler. */
  url: string
  /** It dies, and another is started in its place. */
  restart(): Promise<void>
  close(): Promise<void>
}>

const PROGRAM = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'].find((file) =>
  existsSync(file),
)
const STARTS_WITHIN_MS = 60_000

export const hasPgBouncer = PROGRAM !== undefined

/**
 * PgBouncer in transaction mode before the server of a database URL. `sessions`: fewer than the clients have, since a pooler
 * that gives each its own would hide what goes wrong.
 */
export async function startPgBouncer(url: string, sessions = 6): Promise<PgBouncer> {
  const program = PROGRAM
  if (program === undefined) throw new Error('This machine has no pgbouncer: ask hasPgBouncer first.')
  const { pathname, searchParams } = new URL(url)
  const user = searchParams.get('user')
  const identity = serversUser()
  const port = await freePort()
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pgbouncer-'))
  const file = path.join(folder, 'pgbouncer.ini')
  writeFileSync(
    file,
    `[databases]
* = host=${searchParams.get('host')} port=${searchParams.get('port')} user=${user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${sessions}
max_client_conn = 200
server_lifetime = 5
ignore_startup_parameters = extra_float_digits
`,
  )
  if (identity.uid !== undefined)
    for (const each of [folder, file]) chownSync(each, identity.uid, identity.gid)
  const server = `postgres://${user}@127.0.0.1:${port}${pathname}`
  let running = await launch(program, file, server, identity)
  return {
    url: server,
    restart: async () => {
      await running.kill()
      running = await launch(program, file, server, identity)
    },
    close: async () => {
      await running.kill()
      rmSync(folder, { recursive: true })
    },
  }
}

type Identity = Readonly<{ uid: number; gid: number } | { uid?: undefined }>

/** It refuses to run as root, as the server does. */
function serversUser(): Identity {
  if (process.getuid?.() !== 0) return {}
  const { uid, gid } = statSync(new URL(databaseUrl('postgres')).searchParams.get('host') ?? '/')
  return { uid, gid }
}

async function launch(program: string, file: string, url: string, identity: Identity) {
  const child = spawn(program, ['-q', file], { ...identity, cwd: '/', stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const deadline = Date.now() + STARTS_WITHIN_MS
  while (!(await answers(url))) {
    if (Date.now() > deadline || child.exitCode !== null)
      throw new Error(`pgbouncer does not answer (exit code ${child.exitCode}): try ${file}`)
    await pause(50)
  }
  return {
    kill: () => {
      child.kill('SIGKILL')
      return ended
    },
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
