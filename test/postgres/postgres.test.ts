import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { Doze } from '../../src/postgres/doze.ts'
import { currentIdentity, recordInstallation, refuseCopy } from '../../src/postgres/installation.ts'
import { joinWorkers } from '../../src/postgres/membership.ts'
import { applyMigrations, type Migration } from '../../src/postgres/migrate.ts'
import {
  endedMeanwhile,
  formatSnapshot,
  openWindow,
  parseSnapshot,
  type Snapshot,
} from '../../src/postgres/new-rows.ts'
import { createPool, type Db } from '../../src/postgres/pool.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { evictExpired, registerWorker, releaseWorker, renewWorker } from '../../src/postgres/worker-lease.ts'
import { createQueue, faultyPool, until } from '../queue/ground.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'

describe('what is new', () => {
  test('keeps the text form of a snapshot, and refuses what is none', () => {
    for (const text of [
      '5:5:',
      '5:9:5,7',
      '18446744073709551610:18446744073709551612:18446744073709551610',
    ]) {
      expect(formatSnapshot(parseSnapshot(text))).toBe(text)
    }
    expect(() => parseSnapshot('5:5')).toThrow('not a snapshot')
  })
})

let db: TestDatabase
beforeEach(async () => {
  db = await createDatabase()
})
afterEach(() => db.drop())

test('asks for transactions that have ended meanwhile, never for those that still run', async () => {
  const open = async () => {
    const connection = await db.pool.connect()
    await connection.query('begin')
    const { rows } = await connection.query<{ xid: string }>('select pg_current_xact_id()::text as xid')
    const end = async (how: 'commit' | 'rollback') => {
      await connection.query(how)
      connection.release()
    }
    return { xid: rows[0]!.xid, end }
  }
  const [committed, undone, running] = [await open(), await open(), await open()]
  await committed.end('commit')
  await undone.end('rollback')
  const { rows } = await db.pool.query<{ xid: string }>(
    `select xid::text from unnest($1::xid8[]) asked (xid) where xid = any(${endedMeanwhile('$1')}) order by asked.xid`,
    [[committed, undone, running].map(({ xid }) => xid)],
  )
  await running.end('commit')
  expect(rows.map(({ xid }) => xid)).toEqual([committed.xid, undone.xid])
})

test('reads each row of 8 overlapping writers once: savepoints, rollbacks, late commits, a transaction open throughout', async () => {
  await db.pool.query(
    'create table row (id bigint generated always as identity, xid xid8 not null default pg_current_xact_id(), note text)',
  )
  await db.pool.query('create index on row (xid, id)')
  const writers = createPool(db.url, { applicationName: 'writers', max: 8, onConnectionError: () => {} })
  const open = await db.pool.connect()
  await open.query(`begin; insert into row (note) values ('never')`)
  const committed = new Set<string>()
  let writing = true
  const write = async (writer: number) => {
    for (let round = 0; round < 40; round++) {
      const [kept, undone] = [`${writer}-${round}`, `${writer}-${round}-undone`]
      await inTransaction(writers, async (transaction) => {
        await transaction.query('insert into row (note) values ($1)', [kept])
        await transaction.query('savepoint s')
        await transaction.query('insert into row (note) values ($1)', [undone])
        if (round % 3 === 0) await transaction.query('rollback to savepoint s')
        await transaction.query('select pg_sleep($1)', [Math.random() / 100])
        if (round % 5 === 4) throw new Error('rolls back')
      }).then(
        () => {
          committed.add(kept)
          if (round % 3 !== 0) committed.add(undone)
        },
        (error: Error) => expect(error.message).toBe('rolls back'),
      )
    }
  }
  const read: string[] = []
  const reader = faultyPool(db.url)
  const look = async (seen: Snapshot | undefined): Promise<Snapshot> => {
    const connection = await reader.connect()
    const [snapshot, { rows }] = await Promise.all([
      openWindow(connection, 5_000),
      connection.query<{ note: string }>(
        `select note from row where xid >= $1::xid8
          union all
         select note from row where xid = any(${endedMeanwhile('$2')})`,
        [seen?.xmax ?? '0', [...(seen?.inProgress ?? [])]],
      ),
    ])
    read.push(...rows.map(({ note }) => note))
    await connection.query('commit')
    connection.release()
    return snapshot
  }
  let seen: Snapshot | undefined
  const reading = (async () => {
    while (writing) {
      seen = await look(seen)
      await pause(2)
    }
    await look(seen)
  })()
  await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)))
  writing = false
  await reading
  await open.query('rollback')
  open.release()
  await Promise.all([reader.end(), writers.end()])
  expect(read.sort()).toEqual([...committed].sort())
})

describe('a transaction', () => {
  beforeEach(() => db.pool.query('create table row (id integer primary key deferrable initially deferred)'))
  const rows = async (pool: Db) =>
    (await pool.query<{ id: number }>('select id from row order by id')).rows.map(({ id }) => id)

  test('commits what returns, rolls back what throws, and tells what fails at its commit', async () => {
    expect(
      await inTransaction(db.pool, async (one) => (await one.query('insert into row values (1)')).rowCount),
    ).toBe(1)
    await expect(
      inTransaction(db.pool, async (one) => {
        await one.query('insert into row values (2)')
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    await expect(
      inTransaction(db.pool, (one) => one.query('insert into row values (1)')),
    ).rejects.toMatchObject({ code: '23505' })
    expect(await rows(db.pool)).toEqual([1])
  })

  test('does not hand a connection on that was cut in its midst', async () => {
    const cut = inTransaction(db.pool, async (one) => {
      await one.query('insert into row values (3)')
      await one.query('select pg_terminate_backend(pg_backend_pid())')
    })
    await expect(cut).rejects.toThrow()
    for (let time = 0; time < 10; time++) expect(await rows(db.pool)).toEqual([])
  })
})

test('a transaction whose process stands still holds its locks for seconds, not for as long as its connection is there', async () => {
  await db.pool.query('create table held (id integer primary key)')
  let wake: (() => void) | undefined
  const standing = inTransaction(db.pool, async (one) => {
    await one.query('insert into held values (1)')
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  })
  standing.catch(() => {})
  await until(
    () => wake !== undefined,
    () => 'nothing is held',
  )
  await db.pool.query("set statement_timeout = '10s'; insert into held values (1); reset statement_timeout")
  wake?.()
  await expect(standing).rejects.toThrow()
})

test('two starters at once apply each file once, and a later one only what is new', async () => {
  const file = (version: number): Migration => ({
    version,
    name: `000${version}_x.sql`,
    sql: `create table bridge.t${version} (id integer); insert into bridge.t${version} values (1)`,
  })
  const files = [file(1), file(2)]
  const applied = await Promise.all([1, 2, 3].map(() => applyMigrations(db.pool, 'bridge', files)))
  expect(applied.flat().sort()).toEqual(['0001_x.sql', '0002_x.sql'])
  expect(await applyMigrations(db.pool, 'bridge', [...files, file(3)])).toEqual(['0003_x.sql'])
  const { rows } = await db.pool.query('select version from bridge.schema order by version')
  expect(rows.map(({ version }) => version)).toEqual([1, 2, 3])
})

describe('a worker', () => {
  let queue: TestDatabase
  beforeEach(async () => {
    queue = await createQueue()
  })
  afterEach(() => queue.drop())
  const worker = { process: 'test', version: '0' }
  const join = (pool = faultyPool(queue.url), leaseMilliseconds = 1_200) => ({
    pool,
    membership: joinWorkers({
      ...worker,
      pool,
      ownConnection: pool,
      table: 'bridge.worker',
      leaseMilliseconds,
      heartbeatMilliseconds: 100,
      status: () => '{}',
      watch: (work) => work(),
      onError: () => {},
    }),
  })

  test('is evicted when its lease has run out, with all that it owned, unless a renewal came first', async () => {
    const [late, dead] = [
      await registerWorker(queue.pool, 'bridge.worker', worker, -1, '{}'),
      await registerWorker(queue.pool, 'bridge.worker', worker, -1, '{}'),
    ]
    await queue.pool.query('update bridge.lane set owner = $1 where lane = 3', [dead])
    let evicting: ReturnType<typeof evictExpired> | undefined
    await inTransaction(queue.pool, async (one) => {
      expect(await renewWorker(one, 'bridge.worker', late, 60_000, '{}')).toBe(true)
      evicting = evictExpired(queue.pool, 'bridge.worker')
      await until(
        async () =>
          (
            await queue.pool.query(
              `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
            )
          ).rowCount === 1,
        () => 'nobody waits',
      )
    })
    expect((await evicting)?.evicted).toEqual([dead])
    // Whoever waits to take over knows how long.
    const { nextEndsIn } = await evictExpired(queue.pool, 'bridge.worker')
    expect(nextEndsIn).toBeGreaterThan(0)
    expect(nextEndsIn).toBeLessThanOrEqual(60_000)
    expect(await renewWorker(queue.pool, 'bridge.worker', dead, 60_000, '{}')).toBe(false)
    expect((await queue.pool.query('select from bridge.lane where owner is not null')).rowCount).toBe(0)
    await releaseWorker(queue.pool, 'bridge.worker', late)
  })

  test('that cannot renew aborts before its lease ends in the database, and comes back as another', async () => {
    const { pool, membership } = join(undefined, 8_000)
    await until(
      () => membership.registration() !== undefined,
      () => 'not registered',
    )
    const { id, signal } = membership.registration()!
    pool.mode = 'hangs'
    await until(
      () => signal.aborted,
      () => 'not aborted',
    )
    expect(
      (
        await queue.pool.query('select from bridge.worker where id = $1 and expires_at > clock_timestamp()', [
          id,
        ])
      ).rowCount,
    ).toBe(1)
    expect(membership.registration()).toBeUndefined()
    pool.mode = 'fine'
    await until(
      () => membership.registration() !== undefined,
      () => 'not registered again',
    )
    expect(membership.registration()?.id).not.toBe(id)
    await membership.leave()
    await pool.end()
  })

  test('is there once, however often it had to ask because no answer came', async () => {
    let lost = 0
    const pool = faultyPool(queue.url)
    const deaf: Db = {
      query: async (text, values) => {
        const answer = await pool.query<never>(text, values)
        if (text.startsWith('insert into bridge.worker') && lost++ < 3) throw new Error('planted')
        return answer
      },
    }
    const { membership } = join({ ...pool, ...deaf }, 30_000)
    await until(
      () => membership.registration() !== undefined,
      () => 'not registered',
    )
    const { rows } = await queue.pool.query<{ id: string }>('select id from bridge.worker')
    await membership.leave()
    await pool.end()
    expect([lost, rows.length]).toEqual([4, 1])
  })

  test('that was suspended with its clock standing still has lost its lease', async () => {
    const { pool, membership } = join()
    await until(
      () => membership.registration() !== undefined,
      () => 'not registered',
    )
    const { signal } = membership.registration()!
    const wall = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000)
    expect(membership.registration()).toBeUndefined()
    expect(signal.aborted).toBe(true)
    wall.mockRestore()
    await membership.leave()
    await pool.end()
  })

  test('that stood still for longer than its lease is trusted does not renew it when it wakes', async () => {
    const { pool, membership } = join(undefined, 4_000)
    await until(
      () => membership.registration() !== undefined,
      () => 'not registered',
    )
    const before = membership.registration()!
    try {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_500)
      const { id } = before
      await until(
        () => membership.registration() !== undefined && membership.registration()?.id !== id,
        () => 'not registered again',
      )
      // What was left of the lease ends half a second later; a renewed one would stand for four seconds more.
      await pause(1_500)
      expect((await queue.pool.query('select from bridge.worker where id = $1', [id])).rowCount).toBe(0)
    } finally {
      await membership.leave()
      await pool.end()
    }
  })

  test('that leaves frees what it owned at once', async () => {
    const { pool, membership } = join()
    await until(
      () => membership.registration() !== undefined,
      () => 'not registered',
    )
    const { id, signal } = membership.registration()!
    await queue.pool.query('update bridge.lane set owner = $1', [id])
    await membership.leave()
    expect(signal.aborted).toBe(true)
    expect((await queue.pool.query('select from bridge.lane where owner is not null')).rowCount).toBe(0)
    expect((await queue.pool.query('select from bridge.worker')).rowCount).toBe(0)
    await pool.end()
  })
})

test('an idle connection that breaks tells it once', async () => {
  const told: string[] = []
  const applicationName = 'breaks'
  const pool = createPool(db.url, { applicationName, onConnectionError: ({ message }) => told.push(message) })
  await pool.query('select 1')
  await db.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${applicationName}'`,
  )
  await until(
    () => told.length > 0,
    () => 'nothing is told',
  )
  await pause(100)
  expect(told).toEqual(['terminating connection due to administrator command'])
  await pool.end()
})

test('the first who knows the store’s id at the hub waits for what is entered without it', async () => {
  const queue = await createQueue()
  const known = { host: null, hubUrl: null, hubStoreId: 's1', storeSchema: 'public' }
  const here = await currentIdentity(queue.pool, known)
  const enters = await queue.pool.connect()
  await enters.query(`begin; insert into bridge.inbox (hub, dialect, message_id, type, payload, state, status, answer)
                      values ('', 'seed', 'm1', 'hub:poll', '{}', 'failed', 500, '{}')`)
  const record = () => inTransaction(queue.pool, (one) => recordInstallation(one, here, false))
  await expect(record()).rejects.toMatchObject({ code: '55P03' })
  await enters.query('commit')
  enters.release()
  await record()
  await queue.drop()
})

test('a copy of the database, or another hub, is told from the one that was installed', async () => {
  const queue = await createQueue()
  const here = await currentIdentity(queue.pool, {
    host: 'db:5432',
    hubUrl: 'http://hub',
    hubStoreId: 's1',
    storeSchema: 'public',
  })
  await refuseCopy(queue.pool, here)
  await recordInstallation(queue.pool, { ...here, systemIdentifier: null }, false)
  await refuseCopy(queue.pool, here)
  await expect(refuseCopy(queue.pool, { ...here, databaseOid: '1' })).rejects.toThrow(
    /its oid was \d+ and is 1/,
  )
  await expect(refuseCopy(queue.pool, { ...here, host: 'staging:5432' })).rejects.toMatchObject({
    code: 'copied',
  })
  await expect(refuseCopy(queue.pool, { ...here, hubUrl: 'http://other' })).rejects.toThrow(
    'HUB_URL was http://hub',
  )
  await recordInstallation(queue.pool, { ...here, host: 'new:5432' }, false)
  await expect(refuseCopy(queue.pool, { ...here, systemIdentifier: '1' })).rejects.toThrow(
    'system identifier',
  )
  await refuseCopy(queue.pool, here)
  await recordInstallation(queue.pool, { ...here, host: 'new:5432' }, true)
  await refuseCopy(queue.pool, { ...here, host: 'new:5432' })
  await queue.drop()
})

test('another store in another schema is told from the same one whose schema has another name now', async () => {
  const queue = await createQueue()
  const known = { host: null, hubUrl: null, hubStoreId: null }
  const shop = await currentIdentity(queue.pool, { ...known, storeSchema: 'shop' })
  const annex = { ...shop, storeSchema: 'annex' }
  await queue.pool.query('create schema shop; create table shop.spree_products (id bigint)')
  await recordInstallation(queue.pool, shop, false)
  await refuseCopy(queue.pool, shop)
  await expect(refuseCopy(queue.pool, annex)).rejects.toThrow(
    'was installed for the store in schema shop, and the search path of this role leads to that in annex',
  )
  await recordInstallation(queue.pool, annex, true)
  await expect(refuseCopy(queue.pool, annex)).resolves.toBeUndefined()
  await recordInstallation(queue.pool, shop, true)
  await queue.pool.query('alter schema shop rename to annex')
  await refuseCopy(queue.pool, annex)
  await recordInstallation(queue.pool, annex, false)
  await queue.pool.query('create schema shop; create table shop.spree_products (id bigint)')
  await refuseCopy(queue.pool, annex)
  await queue.drop()
})

test('a rest is cut short by what wakes it, also by what woke before it began', async () => {
  const doze = new Doze()
  const began = performance.now()
  doze.wake()
  await doze.rest(10_000)
  setTimeout(() => doze.wake(), 5)
  await doze.rest(10_000)
  expect(performance.now() - began).toBeLessThan(5_000)
  await doze.rest(30)
  expect(performance.now() - began).toBeGreaterThan(30)
})
