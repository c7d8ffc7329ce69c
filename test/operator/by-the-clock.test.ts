import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import cron from 'node-cron'
import type { TestDatabase } from '../support/postgres.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { createStore } from '../support/stores.ts'
import { startTestWorker, type TestWorker } from '../support/worker.ts'

const HOUR_MS = 3_600_000

let db: TestDatabase
let hub: RecordingHub
let worker: TestWorker
beforeAll(async () => {
  db = await createStore('spree-4.10', 'fixture')
  hub = await startRecordingHub({ ours: true })
  worker = await startTestWorker(db, hub, { settleQuietMs: 50, reconcileAt: '04:50' })
})
afterAll(async () => {
  await worker.stop()
  await hub.close()
  await db.drop()
})

/** The worker's own, in this process: by the times of day, in UTC, at which it runs next, and by their distance. */
function taskAt(times: RegExp, everyMs: number) {
  const tasks = [...cron.getTasks().values()]
  const found = tasks.filter((task) => {
    const [next, later] = task.getNextRuns(2)
    return times.test(next!.toISOString()) && later!.getTime() - next!.getTime() === everyMs
  })
  expect(found).toHaveLength(1)
  return found[0]!
}

async function value<T>(query: string): Promise<T> {
  const { rows } = await db.pool.query<{ value: T }>(query)
  return rows[0]!.value
}

test('each night, at the hour and minute that are set, the whole store is compared, once for all workers', async () => {
  const nightly = taskAt(/T04:50:00\.000Z$/, 24 * HOUR_MS)
  await db.pool.query(
    `begin; set local session_replication_role = replica;
     update spree_products set name = 'Unseen' where id = 13; commit`,
  )
  const names = () =>
    hub.requests.flatMap(({ method, payload }) => (method === 'POST' ? [payload['name']] : []))
  const startedAt = () => value<Date | null>('select started_at as value from bridge.reconciliation')
  const isDue = () => value<boolean>('select due_at is not null as value from bridge.reconciliation')
  const done = async () => {
    for (let looks = 0; looks < 300 && (await isDue()); looks++) await pause(100)
    await worker.settled()
  }

  await nightly.execute()
  expect(await isDue()).toBe(true)
  await done()
  expect(names()).toEqual(['Unseen'])

  // Another worker's call of the same night.
  const first = await startedAt()
  await nightly.execute()
  expect(await isDue()).toBe(false)

  await db.pool.query(`update bridge.reconciliation set started_at = started_at - interval '31 minutes'`)
  await nightly.execute()
  expect(await isDue()).toBe(true)
  await done()
  expect(Number(await startedAt())).toBeGreaterThan(Number(first))
})

test('each hour partitions are made ahead, and what is old is forgotten', async () => {
  const hourly = taskAt(/:17:00\.000Z$/, HOUR_MS)
  const ahead = () =>
    value<number>(
      `select count(*)::integer as value from pg_inherits where inhparent = 'bridge.history'::regclass`,
    )
  const before = await ahead()
  await db.pool.query(
    `insert into bridge.inbox (hub, dialect, message_id, type, payload, state, status, answer, changed_at)
     values ('h', 'seed', '1', 't', '{}', 'applied', 200, '{}', now() - interval '91 days')`,
  )
  await db.pool.query(
    `do $$ begin
       execute format('drop table bridge.history_%s', to_char(now() at time zone 'UTC' + interval '3 days', 'YYYYMMDD'));
     end $$`,
  )
  expect(await ahead()).toBe(before - 1)

  await hourly.execute()
  expect(await ahead()).toBe(before)
  expect(await value<number>('select count(*)::integer as value from bridge.inbox')).toBe(0)
})
