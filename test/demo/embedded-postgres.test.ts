import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { transformFileSync } from '@swc/core'
import pg from 'pg'
import { type PostgresOptions, type PostgresServer, startPostgres } from '../../src/demo/embedded-postgres.ts'
import { isAlive } from '../../src/demo/postgres-process.ts'

const project = path.resolve(import.meta.dirname, '../..')
let folder: string
let options: PostgresOptions

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'launcher-'))
  fs.chmodSync(folder, 0o755)
  options = { root: path.join(folder, 'server'), database: 'shop', durable: true, binaries: 'embedded' }
  compileLauncher()
})

afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true })
})

test("a server is its process's own: another is refused, and does no harm to the first", async () => {
  const first = await startPostgres(options)
  await query(first.url, 'create table kept as select 42 as answer')
  await expect(startPostgres(options)).rejects.toMatchObject({ code: 'in_use' })
  expect(await query(first.url, 'select answer from kept')).toEqual([{ answer: 42 }])

  await first.stop()
  expect(isAlive(first.pid)).toBe(false)
  expect(fs.existsSync(path.join(options.root, 'pgdata/postmaster.pid'))).toBe(false)
  expect(fs.existsSync(path.join(options.root, 'socket'))).toBe(false)
})

test('of two first starts at once one succeeds, and the folder is whole', async () => {
  const root = path.join(folder, 'twice')
  const parents = await Promise.allSettled([
    startParent({ ...options, root }),
    startParent({ ...options, root }),
  ])
  const [winner] = parents.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  expect(parents.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(await query(winner?.server.url ?? '', 'select 1 as one')).toEqual([{ one: 1 }])
  expect(fs.readdirSync(root).filter((name) => name.includes('unfinished'))).toEqual([])
  await kill(winner!.process)
})

test('a killed server starts again at once, over the lock that it left', async () => {
  const killed = await startPostgres(options)
  await query(killed.url, 'update kept set answer = 43')
  process.kill(killed.pid, 'SIGKILL')

  const server = await startPostgres(options)
  expect(await query(server.url, 'select answer from kept')).toEqual([{ answer: 43 }])
  await server.stop()
})

test('a server ends with its killed parent, and the next start waits for that and finds its data', async () => {
  const parent = await startParent(options)
  await kill(parent.process)
  const server = await startPostgres(options)
  expect(isAlive(parent.server.pid)).toBe(false)
  expect(await query(server.url, 'select answer from kept')).toEqual([{ answer: 43 }])
  await server.stop()
})

test('a killed parent whose data nobody starts again leaves no server', async () => {
  const parent = await startParent(options)
  await kill(parent.process)
  await expectDead(parent.server.pid)
})

test('with a port it answers on loopback, to its password only', async () => {
  const port = await freePort()
  const server = await startPostgres({ ...options, port })
  expect(new URL(server.url).host).toBe(`127.0.0.1:${port}`)
  expect(await query(server.url, 'select current_database() as name')).toEqual([{ name: 'shop' }])

  const guessed = new URL(server.url)
  guessed.password = 'guess'
  await expect(query(guessed.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })
  await server.stop()
})

test('a server that cannot start says why', async () => {
  const settings = { shared_buffers: 'plenty' }
  await expect(startPostgres({ ...options, settings })).rejects.toMatchObject({
    name: 'PostgresError',
    code: 'start_failed',
    message: expect.stringContaining('shared_buffers'),
  })
})

test('data of another PostgreSQL, or of another user, is left alone, and it is said whose it is', async () => {
  const data = path.join(options.root, 'pgdata')
  const version = path.join(data, 'PG_VERSION')
  const made = fs.readFileSync(version, 'utf8')
  fs.writeFileSync(version, '99\n')
  await expect(startPostgres(options)).rejects.toMatchObject({
    code: 'other_version',
    message: expect.stringContaining('was made by PostgreSQL 99'),
  })
  fs.writeFileSync(version, made)

  if (process.getuid?.() !== 0) return // only root can give data away
  const { uid, gid } = fs.statSync(data)
  fs.chownSync(data, 54_321, gid)
  await expect(startPostgres(options)).rejects.toMatchObject({ code: 'other_owner' })
  fs.chownSync(data, uid, gid)
})

test('below a folder that is closed to its user the server has another, and finds it again', async () => {
  if (process.getuid?.() !== 0) return // any other user runs the server as itself
  const closed = fs.mkdtempSync(path.join(os.tmpdir(), 'closed-'))
  const asked = { ...options, root: path.join(closed, 'server') }
  const server = await startPostgres(asked)
  await query(server.url, 'create table kept as select 42 as answer')
  await server.stop()
  const again = await startPostgres(asked)
  expect(again.root).toBe(server.root)
  expect(path.dirname(again.root)).toBe('/var/lib')
  expect(await query(again.url, 'select answer from kept')).toEqual([{ answer: 42 }])
  await again.stop()
  for (const made of [closed, again.root]) fs.rmSync(made, { recursive: true })
})

/** A process that can be killed needs JavaScript: this Node does not load TypeScript. */
function compileLauncher(): void {
  fs.symlinkSync(path.join(project, 'node_modules'), path.join(folder, 'node_modules'))
  fs.writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}')
  const room = path.join(project, 'src/demo')
  for (const file of fs.readdirSync(room).filter((name) => name.endsWith('.ts'))) {
    const { code } = transformFileSync(path.join(room, file), {
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    })
    fs.writeFileSync(
      path.join(folder, file.replace(/\.ts$/, '.js')),
      code.replace(/(from ['"]\.[^'"]*)\.ts/g, '$1.js'),
    )
  }
  fs.writeFileSync(
    path.join(folder, 'parent.js'),
    `import { startPostgres } from './embedded-postgres.js'
     console.log(JSON.stringify(await startPostgres(JSON.parse(process.argv[2]))))
     setInterval(() => {}, 60_000)`,
  )
}

async function startParent(
  asked: PostgresOptions,
): Promise<{ process: ChildProcess; server: PostgresServer }> {
  const parent = spawn(process.execPath, [path.join(folder, 'parent.js'), JSON.stringify(asked)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const line = await Promise.race([
    once(createInterface(parent.stdout), 'line').then(([text]) => String(text)),
    once(parent, 'exit').then(([status]) => Promise.reject(new Error(`it ended with ${status}`))),
  ])
  return { process: parent, server: JSON.parse(line) }
}

async function kill(parent: ChildProcess): Promise<void> {
  const ended = once(parent, 'exit')
  parent.kill('SIGKILL')
  await ended
}

async function expectDead(pid: number): Promise<void> {
  const deadline = Date.now() + 60_000
  while (isAlive(pid) && Date.now() < deadline) await sleep(20)
  expect(isAlive(pid)).toBe(false)
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}
