import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Binaries, type BinariesChoice, findBinaries } from './postgres-binaries.ts'
import { PostgresError } from './postgres-error.ts'
import { chooseIdentity, give, type Identity, prepareRoot } from './postgres-identity.ts'
import { isAlive, type Running, readPidFile, stopServer } from './postgres-process.ts'
import { endWithUs } from './postgres-watch.ts'
import { makeWhole, removeUnfinished } from './whole-folder.ts'

export type PostgresOptions = Readonly<{
  /** The server's own folder: data, socket, log. Made if missing; started as root, it is given to the server's user. */
  root: string
  /** Made if missing. */
  database?: string
  /** Listens on 127.0.0.1 too, with a password; without it the server has a Unix socket only. */
  port?: number
  /** False: no fsync, for data that may be lost with the machine. */
  durable: boolean
  /** `embedded` takes the npm package, or the machine's own server where the package is missing. */
  binaries: BinariesChoice
  /** More of postgresql.conf. */
  settings?: Readonly<Record<string, string>>
}>

export type PostgresServer = Readonly<{
  url: string
  pid: number
  /** '18.4' */
  version: string
  /** Where it lives: the folder asked for, or one in /var/lib if the server's user cannot reach that. */
  root: string
  stop(): Promise<void>
}>

const user = 'bridge'
const startTimeoutMs = 30_000
/** A server whose process was killed has heard of it by then, and answers nobody any more. */
const patienceMs = 2_000

/**
 * Starts the server of `root`. It shuts down when this process dies, however it dies.
 * @throws PostgresError `in_use` where another process has it running.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const identity = chooseIdentity()
  const root = prepareRoot(path.resolve(options.root), identity)
  const binaries = findBinaries(options.binaries, identity, root)
  const data = path.join(root, 'pgdata')
  makeWhole(data, (fresh) => initialise(fresh, binaries, identity, options.durable))
  refuseOtherMajor(data, binaries)

  const { running, letGo } = await launchServer(root, binaries, identity, options)
  removeUnfinished(root)
  const database = options.database ?? user
  const password = options.port === undefined ? undefined : readPassword(root)
  await prepareDatabase(running, database, password)
  const url = password
    ? `postgres://${user}:${password}@127.0.0.1:${running.port}/${database}`
    : `postgres:///${database}?host=${encodeURIComponent(running.socket)}&port=${running.port}&user=${user}`
  return {
    url,
    pid: running.pid,
    version: binaries.version,
    root,
    async stop() {
      await stopServer(data, running)
      letGo()
    },
  }
}

function initialise(data: string, binaries: Binaries, identity: Identity, durable: boolean): void {
  give(data, identity)
  const encoding = ['--encoding=UTF8', '--locale=C'] // without them a machine without LANG gets SQL_ASCII
  const access = ['-U', user, '--auth-local=trust', '--auth-host=scram-sha-256'] // the socket's folder is 0700
  const safety = durable ? '--data-checksums' : '--no-sync'
  const { status, stderr, error } = spawnSync(
    `${binaries.folder}/initdb`,
    ['-D', data, ...encoding, ...access, safety],
    { ...identity, cwd: '/', env: environment(), encoding: 'utf8' },
  )
  if (status !== 0) {
    throw new PostgresError('initdb_failed', `initdb could not make ${data}: ${error?.message ?? stderr}`)
  }
}

function refuseOtherMajor(data: string, { version }: Binaries): void {
  const made = fs.readFileSync(path.join(data, 'PG_VERSION'), 'utf8').trim()
  if (made === version.split('.')[0]) return
  throw new PostgresError(
    'other_version',
    `The data in ${path.dirname(data)} was made by PostgreSQL ${made} and this is ${version}: remove the folder to begin afresh, or go on with the release that made it.`,
  )
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
}

/** postmaster.pid is the truth: whoever is named there and answers has the folder. */
async function launchServer(
  root: string,
  binaries: Binaries,
  identity: Identity,
  options: PostgresOptions,
): Promise<{ running: Running; letGo(): void }> {
  const data = path.join(root, 'pgdata')
  const from = Date.now()
  let socket: string | undefined
  let started: Started | undefined
  for (;;) {
    const running = readPidFile(data)
    if (running && isAlive(running.pid) && (await answers(running))) {
      if (started && running.pid === started.child.pid) return { running, letGo: started.letGo }
      if (Date.now() > from + patienceMs) {
        throw new PostgresError(
          'in_use',
          `A PostgreSQL (process ${running.pid}) that another process has started serves ${root}: that one must end first.`,
        )
      }
    } else {
      socket ??= prepareSocketFolder(root, identity)
      started ??= launch(root, socket, binaries, identity, options)
      if (hasEnded(started.child)) {
        started.letGo()
        refuseToStart(path.join(root, 'postgres.log'))
        started = undefined
      }
    }
    if (Date.now() > from + startTimeoutMs) {
      throw new PostgresError(
        'start_timeout',
        `PostgreSQL did not answer in ${startTimeoutMs / 1000} s, see ${root}/postgres.log.`,
      )
    }
    await sleep(started ? 25 : 125)
  }
}

type Started = Readonly<{ child: ChildProcess; letGo(): void }>

function hasEnded({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null || pid === undefined
}

/** A killed server's lock stands until its processes are gone: that passes. */
function refuseToStart(log: string): void {
  const last = fs.readFileSync(log, 'utf8').slice(-600)
  if (!/lock file|shared memory block/.test(last))
    throw new PostgresError('start_failed', `PostgreSQL did not start, see ${log}: ${last}`)
}

function launch(
  root: string,
  socket: string,
  binaries: Binaries,
  identity: Identity,
  options: PostgresOptions,
): Started {
  const settings = {
    listen_addresses: options.port === undefined ? '' : '127.0.0.1',
    port: String(options.port ?? 5432),
    unix_socket_directories: socket,
    log_destination: 'stderr',
    ...(options.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...options.settings,
  }
  // Output to a file: a pipe that nobody reads would end the server with us. Detached: Ctrl-C is for us alone.
  // A file of its own: a server that is still dying goes on writing into the one it has.
  const file = path.join(root, 'postgres.log')
  fs.rmSync(file, { force: true })
  const log = fs.openSync(file, 'w')
  const child = spawn(
    `${binaries.folder}/postgres`,
    [
      '-D',
      path.join(root, 'pgdata'),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...identity, cwd: '/', env: environment(), detached: true, stdio: ['ignore', log, log] },
  )
  child.on('error', () => {}) // it has no pid then
  fs.closeSync(log)
  child.unref()
  return { child, letGo: child.pid === undefined ? () => {} : endWithUs(child.pid, identity) }
}

/** A socket's whole path must fit in 103 bytes. */
function prepareSocketFolder(root: string, identity: Identity): string {
  const own = path.join(root, 'socket')
  if (own.length >= 88) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pg-'))
    give(folder, identity)
    return folder
  }
  fs.mkdirSync(own, { recursive: true, mode: 0o700 })
  give(own, identity)
  return own
}

async function withClient<T>(
  running: Running,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const { socket: host, port } = running
  const client = new pg.Client({ host, port, user, database, connectionTimeoutMillis: 1000 })
  client.on('error', () => {}) // a server that stops in between fails the query, which tells enough
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

async function answers(running: Running): Promise<boolean> {
  return withClient(running, 'postgres', (client) => client.query('select 1')).then(
    () => true,
    () => false,
  )
}

async function prepareDatabase(
  running: Running,
  database: string,
  password: string | undefined,
): Promise<void> {
  await withClient(running, 'postgres', async (client) => {
    const found = await client.query('select 1 from pg_catalog.pg_database where datname = $1', [database])
    if (found.rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(database)}`)
    if (password) await client.query(`alter role ${user} password ${pg.escapeLiteral(password)}`)
  })
}

function readPassword(root: string): string {
  const file = path.join(root, 'password')
  if (!fs.existsSync(file)) fs.writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 })
  return fs.readFileSync(file, 'utf8')
}
