import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../../src/demo/embedded-postgres.ts'
import type { Step } from '../../src/observe/steps.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { chooseBinaries } from '../support/postgres-majors.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { createStore } from '../support/stores.ts'
import { startTestWorker, type TestWorker } from '../support/worker.ts'

type Ground = Readonly<{ db: TestDatabase; hub: RecordingHub; worker: TestWorker }>

async function openGround(): Promise<Ground> {
  const db = await createStore('spree-4.10', 'fixture')
  const hub = await startRecordingHub({ ours: true })
  return { db, hub, worker: await startTestWorker(db, hub) }
}

async function closeGround({ db, hub, worker }: Ground): Promise<void> {
  await worker.stop()
  await hub.close()
  await db.drop()
}

async function isAsleep({ db }: Ground): Promise<boolean> {
  const { rows } = await db.pool.query<{ asleep: boolean }>(
    'select last_value = 1 as asleep from bridge.pulse_asleep',
  )
  return rows[0]!.asleep
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`it did not come about: ${condition}`)
    await pause(10)
  }
}

const SALE = 'update spree_stock_items set count_on_hand = count_on_hand - 1 where id = 301'
const soldOnce = ({ hub }: Ground) =>
  hub.requests.filter(({ type, payload }) => type === 'stock:change' && payload['quantity'] === -1)

describe('a collector that has nothing to do', () => {
  let ground: Ground
  let listener: pg.Client
  const heard: string[] = []

  beforeAll(async () => {
    ground = await openGround()
    listener = new pg.Client({ connectionString: ground.db.url })
    await listener.connect()
    listener.on('notification', ({ channel }) => heard.push(channel))
    await listener.query('listen bridge_outbox')
  })
  afterAll(async () => {
    await listener.end()
    await closeGround(ground)
  })

  test('goes to sleep', async () => {
    await until(() => isAsleep(ground))
    expect(heard).toEqual([])
  })

  test('is woken by each notification, at once', async () => {
    const begin: `${Step}:before` = 'collect.read:before'
    let reads = 0
    const count = (step: unknown) => {
      if (step === begin) reads++
    }
    // For its first second asleep it looks as often as when awake.
    await pause(1_500)
    subscribe('spree-bridge:step', count)
    await until(() => reads > 0)
    const rounds: number[] = []
    for (let time = 1; time <= 20; time++) {
      const [before, from] = [reads, performance.now()]
      await ground.db.pool.query('notify bridge_outbox')
      await until(() => reads > before)
      rounds.push(performance.now() - from)
    }
    unsubscribe('spree-bridge:step', count)
    await until(() => heard.length === 20)
    // Without listening it looks by itself, twice a second: then each takes half a second, on a quick machine too.
    expect(Math.min(...rounds)).toBeLessThan(250)
    expect(await isAsleep(ground)).toBe(true)
  })

  test('is notified by the trigger of a change, tells it, and sleeps on', async () => {
    const already = heard.length
    await ground.db.pool.query(SALE)
    await until(() => heard.length === already + 1)
    await until(() => soldOnce(ground).length === 1)
    expect(await isAsleep(ground)).toBe(true)
  })

  test('stays awake through a rush of changes, so that the triggers are quiet, and sleeps again when it is over', async () => {
    const { pool } = ground.db
    const already = heard.length
    // Many transactions to a round trip: a slow machine gets to a rush as well.
    const sales = `begin; ${SALE}; commit; `.repeat(20)
    for (let round = 0; await isAsleep(ground); round++) {
      expect(round).toBeLessThan(1_000)
      await Promise.all(Array.from({ length: 8 }, () => pool.query(sales)))
    }
    expect(heard.length).toBeGreaterThan(already)
    await until(() => isAsleep(ground))
  })

  test('tells the triggers that it has read all, also what was never committed: the fuse counts what waits', async () => {
    const { pool } = ground.db
    await ground.worker.settled()
    const already = soldOnce(ground).length
    await pool.query(`select setval('bridge.pulse_fuse_rows', 10)`)
    await pool.query(
      'begin; update spree_stock_items set count_on_hand = count_on_hand + 1; '.concat(
        'update spree_stock_items set count_on_hand = count_on_hand + 1; '.repeat(20),
        'rollback',
      ),
    )
    await until(async () => {
      const { rows } = await pool.query(
        'select from bridge.outbox_id_seq given cross join bridge.pulse_collected_id read where read.last_value = given.last_value',
      )
      return rows.length === 1
    })
    await pool.query(SALE)
    await until(() => soldOnce(ground).length === already + 1)
    expect((await pool.query('select from bridge.gap')).rows).toEqual([])
  })
})

describe('where transactions may be prepared', () => {
  let server: PostgresServer
  let ground: Ground
  const usual = process.env['TEST_POSTGRES_URL']

  beforeAll(async () => {
    // Beneath the folder of the usual server, which goes with it.
    const folder = new URL(usual!).searchParams.get('host')!
    server = await startPostgres({
      root: `${folder}-two-phase`,
      database: 'postgres',
      durable: false,
      binaries: chooseBinaries(process.env['TEST_POSTGRES']),
      settings: { max_prepared_transactions: '2' },
    })
    process.env['TEST_POSTGRES_URL'] = server.url
    ground = await openGround()
  })
  afterAll(async () => {
    await closeGround(ground)
    await server.stop()
    rmSync(server.root, { recursive: true, force: true })
    process.env['TEST_POSTGRES_URL'] = usual
  })

  test('no trigger notifies, because what has notified cannot be prepared, and what is prepared is told later', async () => {
    // Elsewhere it would sleep by now.
    await pause(2_000)
    expect(await isAsleep(ground)).toBe(false)
    const connection = await ground.db.pool.connect()
    await connection.query(`begin; ${SALE}`)
    await connection.query(`prepare transaction 'sale'`)
    expect(soldOnce(ground)).toEqual([])
    await connection.query(`commit prepared 'sale'`)
    connection.release()
    await ground.worker.settled()
    expect(soldOnce(ground)).toHaveLength(1)
  })
})
