import { randomBytes } from 'node:crypto'
import { createPool, type Pool } from '../../src/postgres/pool.ts'

export type TestDatabase = Readonly<{
  url: string
  pool: Pool
  /** Ends the pool and drops the database, whoever is still connected. */
  drop(): Promise<void>
}>

/** An empty database of its own on the server of this run, or a copy of `template`. */
export async function createDatabase(template = 'template0'): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await onServer(async (server) =>
    server.query(`create database ${name} template ${template} ${await copyStrategy(server)}`),
  )
  const url = databaseUrl(name)
  const pool = createPool(url, { applicationName: 'test', onConnectionError: () => {} })
  const drop = async () => {
    await pool.end()
    await onServer((server) => server.query(`drop database ${name} with (force)`))
  }
  return { url, pool, drop }
}

/** As files, where the server has the choice (from 15 on): through the WAL a small database takes twice as long. */
async function copyStrategy(server: Pool): Promise<string> {
  const { rows } = await server.query<{ has: boolean }>(
    `select current_setting('server_version_num')::integer >= 150000 as has`,
  )
  return rows[0]?.has ? 'strategy file_copy' : ''
}

/** The test server's database `name`. */
export function databaseUrl(name: string): string {
  const server = process.env['TEST_POSTGRES_URL']
  if (!server)
    throw new Error(
      'TEST_POSTGRES_URL is not set: run the tests with jest, whose global set-up starts a server.',
    )
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

/** Runs `work` with the maintenance database. */
export async function onServer<T>(work: (server: Pool) => Promise<T>): Promise<T> {
  const server = createPool(databaseUrl('postgres'), {
    applicationName: 'test',
    max: 1,
    onConnectionError: () => {},
  })
  try {
    return await work(server)
  } finally {
    await server.end()
  }
}
