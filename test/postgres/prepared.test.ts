import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { eachRow } from '../../src/postgres/each-row.ts'
import { isTransient } from '../../src/postgres/errors.ts'
import { type Connection, createPool, type Pool } from '../../src/postgres/pool.ts'
import { queryPrepared } from '../../src/postgres/prepared.ts'
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'

const STATEMENT = 'select id, word from words where id = any($1::integer[]) order by id'
const BOTH = [
  { id: 1, word: '1' },
  { id: 2, word: '2' },
]

let db: TestDatabase
let connection: Connection
beforeEach(async () => {
  db = await createDatabase()
  await db.pool.query('create table words (id integer primary key, word text)')
  await db.pool.query('insert into words select n, n from generate_series(1, 3) n')
  connection = await db.pool.connect()
})
afterEach(async () => {
  connection.release()
  await db.drop()
})

async function read(ids: readonly number[] = [1, 2], from = connection) {
  return (await queryPrepared(from, STATEMENT, [ids])).rows
}

async function preparedOf(held: Connection): Promise<string[]> {
  const { rows } = await held.query<{ statement: string }>('select statement from pg_prepared_statements')
  return rows.map(({ statement }) => statement)
}

describe('a statement that comes again and again', () => {
  test('is prepared once on a connection straight to the server, whoever sends it, and never on the pool', async () => {
    for (let time = 0; time < 8; time++) expect(await read()).toEqual(BOTH)
    const taken: unknown[] = []
    await eachRow(connection, STATEMENT, [[1, 2]], (row) => taken.push(row))
    expect(taken).toEqual(BOTH)
    expect(await preparedOf(connection)).toEqual([STATEMENT])
    expect((await queryPrepared(db.pool, STATEMENT, [[1, 2]])).rows).toEqual(BOTH)
  })

  test('goes on after a migration that changed what it returns: that one try fails, and may be repeated', async () => {
    await read()
    await read()
    await db.pool.query('alter table words alter id type bigint')
    await connection.query('begin')
    const failure = await read().catch((error: unknown) => error)
    expect(failure).toMatchObject({ message: 'cached plan must not change result type' })
    expect(isTransient(failure)).toBe(true)
    await connection.query('rollback')
    const now = BOTH.map((row) => ({ ...row, id: String(row.id) }))
    for (let time = 0; time < 3; time++) expect(await read()).toEqual(now)
    expect(await preparedOf(connection)).toHaveLength(2)
  })

  test('goes unprepared where another session answers after all', async () => {
    await read()
    await read()
    await connection.query('deallocate all')
    const failure = await read().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: '26000' })
    expect(isTransient(failure)).toBe(true)
    for (let time = 0; time < 3; time++) expect(await read()).toEqual(BOTH)
    expect(await preparedOf(connection)).toEqual([])
  })
})

const withPgBouncer = hasPgBouncer ? test : test.skip
withPgBouncer('behind a transaction pooler nothing is prepared', async () => {
  const pooler = await startPgBouncer(db.url)
  const pool: Pool = createPool(pooler.url, { applicationName: 'test', onConnectionError: () => {} })
  try {
    const clients = await Promise.all(Array.from({ length: 8 }, () => pool.connect()))
    const rounds = clients.map(async (client) => {
      for (let time = 0; time < 5; time++) expect(await read([1, 2], client)).toEqual(BOTH)
      return preparedOf(client)
    })
    expect((await Promise.all(rounds)).flat()).toEqual([])
    for (const client of clients) client.release()
  } finally {
    await pool.end()
    await pooler.close()
  }
})

test('rows are taken as they come; what taking them throws, or the server says, is thrown when it has ended', async () => {
  const taken: unknown[] = []
  const refusing = eachRow(connection, STATEMENT, [[1, 2, 3]], (row) => {
    taken.push(row)
    if (taken.length === 2) throw new Error('no more')
  })
  await expect(refusing).rejects.toThrow('no more')
  expect(taken).toHaveLength(2)
  await expect(eachRow(connection, 'select 1 / $1::integer', [0], () => undefined)).rejects.toThrow(
    'division by zero',
  )
  expect(await read()).toEqual(BOTH)
})

test('rows that are taken one by one keep to the limit on answers too', async () => {
  const pool = createPool(db.url, {
    applicationName: 'test',
    answerWithinMilliseconds: 100,
    onConnectionError: () => {},
  })
  const held = await pool.connect()
  await expect(eachRow(held, 'select nothing where $1', [true], () => undefined)).rejects.toThrow(
    'column "nothing" does not exist',
  )
  await expect(eachRow(held, 'select pg_sleep($1)', [30], () => undefined)).rejects.toThrow(
    'Query read timeout',
  )
  held.release(new Error('over'))
  await pool.end()
})
