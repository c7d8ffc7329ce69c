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
  /** The server shuts down when this process dies, however it dies. Linux only; elsewhere it lives on. */
  exitWithParent?: boolean
  /** More of postgresql.conf. */
  settings?: Readonly<Record<string, string>>
}>

export type PostgresServer = Readonly<{
  url: string
  pid: number
  /** True if the server was already running, left by a process that was killed. */
  adopted: boolean
  /** '18.4' */
  version: string
  /** Where it lives: the folder asked for, or one in /var/lib if the server's user cannot reach that. */
  root: string
  stop(): Promise<void>
}>

const user = 'bridge'
const startTimeoutMs = 30_000

/** Starts the server of `root`, or adopts the one that is already running there. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const identity = chooseIdentity()
  const root = prepareRoot(path.resolve(options.root), identity)
  const binaries = findBinaries(options.binaries, identity, root)
  const data = path.join(root, 'pgdata')
  if (!fs.existsSync(data)) initialise(data, binaries, identity, options.durable)

  const { running, adopted } = await launchOrAdopt(root, binaries, identity, options)
  if (options.port !== undefined && !(running.listens && running.port === options.port)) {
    throw new PostgresError(
      'other_port',
      `A PostgreSQL (process ${running.pid}) already serves ${root}, but not on port ${options.port}: stop it first.`,
    )
  }
  const database = options.database ?? user
  const password = options.port === undefined ? undefined : readPassword(root)
  await prepareDatabase(running, database, password)
  const url = password
    ? `postgres://${user}:${password}@127.0.0.1:${running.port}/${database}`
    : `postgres:///${database}?host=${encodeURIComponent(running.socket)}&port=${running.port}&user=${user}`
  const stop = () => stopServer(data, running)
  return { url, pid: running.pid, adopted, version: binaries.version, root, stop }
}

/** Under another name first: a killed initdb leaves a folder that looks finished. */
function initialise(data: string, binaries: Binaries, identity: Identity, durable: boolean): void {
  const fresh = `${data}.new`
  fs.rmSync(fresh, { recursive: true, force: true })
  const encoding = ['--encoding=UTF8', '--locale=C'] // without them a machine without LANG gets SQL_ASCII
  const access = ['-U', user, '--auth-local=trust', '--auth-host=scram-sha-256'] // the socket's folder is 0700
  const safety = durable ? '--data-checksums' : '--no-sync'
  const { status, stderr, error } = spawnSync(
    `${binaries.folder}/initdb`,
    ['-D', fresh, ...encoding, ...access, safety],
    { ...identity, cwd: '/', env: environment(), encoding: 'utf8' },
  )
  if (status !== 0) {
    throw new PostgresError('initdb_failed', `initdb could not make ${data}: ${error?.message ?? stderr}`)
  }
  fs.renameSync(fresh, data)
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
}

/** postmaster.pid is the truth: a server that answers is taken, whoever started it. */
async function launchOrAdopt(
  root: string,
  binaries: Binaries,
  identity: Identity,
  options: PostgresOptions,
): Promise<{ running: Running; adopted: boolean }> {
  const data = path.join(root, 'pgdata')
  const log = path.join(root, 'postgres.log')
  const deadline = Date.now() + startTimeoutMs
  let socket: string | undefined
  let child: ChildProcess | undefined
  for (;;) {
    const running = readPidFile(data)
    if (running && isAlive(running.pid) && (await answers(running))) {
      return { running, adopted: running.pid !== child?.pid }
    }
    socket ??= prepareSocketFolder(root, identity)
    child ??= launch(root, socket, binaries, identity, options)
    if (child.exitCode !== null || child.signalCode !== null) {
      const last = fs.readFileSync(log, 'utf8').slice(-600)
      // A killed server's lock stands until its processes are gone.
      if (!/lock file|shared memory block/.test(last)) {
        throw new PostgresError('start_failed', `PostgreSQL did not start, see ${log}: ${last}`)
      }
      child = undefined
    }
    if (Date.now() > deadline) {
      throw new PostgresError(
        'start_timeout',
        `PostgreSQL did not answer in ${startTimeoutMs / 1000} s, see ${log}.`,
      )
    }
    await sleep(child ? 25 : 125)
  }
}

function launch(
  root: string,
  socket: string,
  binaries: Binaries,
  identity: Identity,
  options: PostgresOptions,
): ChildProcess {
  const settings = {
    listen_addresses: options.port === undefined ? '' : '127.0.0.1',
    port: String(options.port ?? 5432),
    unix_socket_directories: socket,
    log_destination: 'stderr',
    ...(options.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...options.settings,
  }
  const server = [
    `${binaries.folder}/postgres`,
    '-D',
    path.join(root, 'pgdata'),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
  const withParent = ['setpriv', '--pdeathsig', 'INT']
  const tied = options.exitWithParent && spawnSync('setpriv', [...withParent.slice(1), 'true']).status === 0
  const [command = '', ...args] = tied ? [...withParent, ...server] : server
  // Output to a file: a pipe that nobody reads would end the server with us. Detached: Ctrl-C is for us alone.
  const log = fs.openSync(path.join(root, 'postgres.log'), 'w')
  const child = spawn(command, args, {
    ...identity,
    cwd: '/',
    env: environment(),
    detached: true,
    stdio: ['ignore', log, log],
  })
  child.on('error', () => {}) // its exitCode tells
  fs.closeSync(log)
  child.unref()
  return child
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
