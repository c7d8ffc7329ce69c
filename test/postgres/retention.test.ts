import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { forgetInbox } from '../../src/apply/inbox-messages.ts'
import { dropPartitions, makePartitions } from '../../src/queue/partitions.ts'
import { createQueue } from '../queue/ground.ts'

let db: Awaited<ReturnType<typeof createQueue>>
beforeAll(async () => {
  db = await createQueue()
})
afterAll(() => db.drop())

const count = async (what: string) =>
  (await db.pool.query<{ n: number }>(`select count(*)::integer as n from ${what}`)).rows[0]?.n

/** Finished so many days ago. */
const finish = (days: number) =>
  db.pool.query(
    `insert into bridge.history (id, aggregate, key, type, payload, state, attempts, changed_at, created_at, finished_at)
     values (1, 'order:1', gen_random_uuid(), 't', '{}', 'done', 1, now(), now(), now() - make_interval(days => $1))`,
    [days],
  )

test('history lies in days made ahead and dropped when they are old; without its day a row is kept all the same', async () => {
  for (const days of [0, 3, 40]) await finish(days)
  expect(await count('bridge.history_default')).toBe(3)

  await makePartitions(db.pool, 'bridge.history')
  await makePartitions(db.pool, 'bridge.history')
  // Not today's, of which a row lies in the default partition already.
  expect(await count(`pg_inherits where inhparent = 'bridge.history'::regclass`)).toBe(1 + 7)
  await finish(-2)
  expect(await count('bridge.history_default')).toBe(3)

  await db.pool.query(
    `create table bridge.history_20200101 partition of bridge.history for values from ('2020-01-01 00:00+00') to ('2020-01-02 00:00+00')`,
  )
  await dropPartitions(db.pool, 'bridge.history', 'finished_at', 30)
  expect(await count(`pg_class where relname = 'history_20200101'`)).toBe(0)
  expect(await count('bridge.history')).toBe(3)
})

test('the inbox forgets what nothing has happened to for ninety days, however much it is, and nothing else', async () => {
  await db.pool.query(
    `insert into bridge.inbox (hub, dialect, message_id, type, payload, state, status, answer, received_at, changed_at)
     select 'h', 'seed', i::text, 't', '{}', 'applied', 200, '{}', now() - interval '100 days',
            now() - case when i <= 12000 then interval '91 days' else interval '89 days' end
       from generate_series(1, 12010) i`,
  )
  await forgetInbox(db.pool, 90)
  expect(await count('bridge.inbox')).toBe(10)
})
