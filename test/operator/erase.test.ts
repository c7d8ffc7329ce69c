import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { hubPoll } from '../../src/apply/hub-poll.ts'
import { updateCustomer } from '../../src/apply/update-customer.ts'
import { applyMigrations } from '../../src/postgres/migrate.ts'
import type { Db } from '../../src/postgres/pool.ts'
import { hubMigrations } from '../../src/processes/hub-database.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'
import { newMessageId, post, startTestWeb, type TestWeb } from '../support/web.ts'
import { runBridge } from './run-bridge.ts'

const CLARA = /clara|lindqvist|wharf street|99 gull lane|555 0101|555 0777/i
const EMAIL = 'clara@example.com'

let store: TestDatabase
let web: TestWeb

beforeAll(async () => {
  store = await createStore('spree-4.10', 'fixture')
  web = await startTestWeb(store, [hubPoll, updateCustomer])
})
afterAll(async () => {
  await web.stop()
  await store.drop()
})
beforeEach(() => store.pool.query('truncate bridge.inbox, bridge.message, bridge.history'))

type Table = Readonly<{ table: string; rows: number; waiting: number; left: number }>

async function erase(flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = await runBridge(['erase', EMAIL, '--json', ...flags], {
    DATABASE_URL: store.url,
    ...env,
  })
  expect(stderr).toBe('')
  const { tables, notFollowed } = JSON.parse(stdout) as { tables: Table[]; notFollowed: string[] }
  return { status, tables, ...(notFollowed.length > 0 && { notFollowed }) }
}

/** All that stands in any row of the bridge's own tables. */
async function kept(): Promise<string[]> {
  const { rows } = await store.pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'bridge'`,
  )
  const found = await Promise.all(
    rows.map(({ name }) =>
      store.pool.query<{ text: string }>(`select t::text as text from bridge.${name} t`),
    ),
  )
  return found.flatMap((table) => table.rows.map(({ text }) => text))
}
const traces = async () => (await kept()).filter((text) => CLARA.test(text))

/** An applied message with this answer, as the inbox keeps it. */
const applied = (messageId: string, answer: string) =>
  `insert into bridge.inbox (hub, dialect, message_id, type, payload, state, status, answer)
   values ('h', 'seed', '${messageId}', 'hub:poll', '{}', 'applied', 200, '${answer}')`
const answerWith = (phone: string) => JSON.stringify({ email: EMAIL, phone })
const waiting = `
  insert into bridge.message (lane, aggregate, type, payload, changed_at)
  values (0, 'order:99', 'order:persist', '${answerWith('555 0101')}', now())`

/** A message that waits for a person. */
const park = (aggregate: string, payload: object) =>
  store.pool.query(
    `insert into bridge.message (lane, aggregate, type, payload, state, changed_at)
     values (0, $1, 'user:updated', $2, 'parked', now())`,
    [aggregate, JSON.stringify(payload)],
  )
/** As a message is settled: out of the one table, into another. */
const finish = (state: 'done' | 'discarded') => {
  const columns = 'id, aggregate, key, type, payload, changed_at, created_at'
  return `with gone as (delete from bridge.message returning ${columns})
          insert into bridge.history (${columns}, state, attempts) select ${columns}, '${state}', 1 from gone`
}

/** Does something while the command, which has begun, waits for a lock that `holds` takes. */
async function meanwhile<T>(
  holds: string,
  command: () => Promise<T>,
  then: (other: Db) => Promise<unknown>,
  { pool } = store,
): Promise<T> {
  const other = await pool.connect()
  try {
    await other.query(`begin; ${holds}`)
    const running = command()
    const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    for (const until = Date.now() + 30_000; (await pool.query(waits)).rowCount === 0; await pause(5))
      if (Date.now() > until) throw new Error('Nobody has waited for a lock within 30 s.')
    await then(other)
    await other.query('commit')
    return await running
  } finally {
    other.release()
  }
}

test('answers to polls and what was said of an account lose the customer and nobody else', async () => {
  const poll = (target: string) => ({
    message: 'hub:poll',
    message_id: newMessageId(),
    payload: {
      target: `collections.${target}`,
      parameters: [{ name: 'spree.collections_poll.last_updated_at', value: '2026-03-01T00:00:00Z' }],
    },
  })
  const polls = [poll('users'), poll('orders')]
  const street = {
    address1: '99 Gull Lane',
    city: 'Portland',
    state: 'Maine',
    country: 'US',
    phone: '555 0777',
  }
  const names = { firstname: 'Clara', lastname: 'Lindqvist' }
  const customer = { ...names, email: EMAIL, shipping_address: street, billing_address: street }
  for (const sent of polls) expect(await post(`${web.url}/webhook`, sent)).toMatchObject({ status: 200 })
  const changed = await post(`${web.url}/wombat/update_customer`, { request_id: newMessageId(), customer })
  expect(changed).toMatchObject({ status: 200 })

  const before = await kept()
  expect(before.filter((text) => /^\(.*hub:poll/s.test(text) && CLARA.test(text))).toHaveLength(2)
  expect(await erase(['--dry-run'])).toEqual({
    status: 0,
    tables: [{ table: 'bridge.inbox', rows: 3, waiting: 0, left: 0 }],
  })
  expect(await kept()).toEqual(before)
  expect(await erase()).toEqual({
    status: 0,
    tables: [{ table: 'bridge.inbox', rows: 3, waiting: 0, left: 0 }],
  })
  expect(await traces()).toEqual([])
  expect(await erase()).toEqual({ status: 0, tables: [] })
  const after = (await kept()).join('\n')
  for (const text of [
    'admin@harbour.example',
    'Hafenstraße 7',
    '+49 431 5550102',
    '3 Pier Road',
    'R204817351',
  ])
    expect(after).toContain(text)
  // Each is known by its id still, and answered without her.
  for (const sent of polls) {
    const again = await post(`${web.url}/webhook`, sent)
    expect(again).toMatchObject({ status: 200, text: expect.not.stringMatching(CLARA) })
  }
})

const MAIDEN = 'maiden@example.com'
const ACCOUNT = { id: 77, first_name: 'Clara', last_name: 'Lindqvist', phone: '555 0101' }
const told = (aggregate: string, payload: object) =>
  store.pool.query(
    `insert into bridge.history (id, key, aggregate, type, payload, state, attempts, changed_at, created_at)
     values (1, gen_random_uuid(), $1, 'user:updated', $2, 'done', 1, now(), now())`,
    [aggregate, JSON.stringify(payload)],
  )
const toldUnderBoth = () => told('customer:77', { ...ACCOUNT, email: EMAIL, previous_email: MAIDEN })

describe('what was told of an account under a former address', () => {
  test('is found as well, and what only mentions the customer is not', async () => {
    await told('customer:77', { ...ACCOUNT, email: MAIDEN })
    await toldUnderBoth()
    await told('customer:78', {
      id: 78,
      email: 'otto@example.com',
      phone: '555 0202',
      note: `knows ${EMAIL}`,
    })
    await told('customer:78', { id: 78, email: 'otto@example.com', phone: '555 0202' })
    const { status } = await erase()
    expect(status).toBe(0)
    expect(await traces()).toEqual([])
    const after = (await kept()).join('\n')
    expect(after).not.toContain('maiden')
    expect(after).toContain('otto@example.com')
    expect(after).toContain('555 0202')
  })

  test('is found again when it is finished', async () => {
    await park('customer:77', { ...ACCOUNT, email: MAIDEN })
    await toldUnderBoth()
    expect(await erase()).toMatchObject({
      status: 1,
      tables: [
        { table: 'bridge.history', rows: 0, left: 1 },
        { table: 'bridge.message', waiting: 1 },
      ],
    })
    await store.pool.query(finish('discarded'))
    expect(await erase()).toMatchObject({ status: 0, tables: [{ table: 'bridge.history', rows: 2 }] })
    expect((await kept()).join('\n')).not.toMatch(/maiden/)
    expect(await traces()).toEqual([])
  })

  test('is found again when the command was cut off', async () => {
    await toldUnderBoth()
    await told('customer:77', { ...ACCOUNT, email: MAIDEN })
    await store.pool.query(
      `create function bridge.fails() returns trigger language plpgsql as $$ begin raise 'cut off'; end $$;
       create trigger fails before update on bridge.history for each row
         when (old.payload not like '%${EMAIL}%') execute function bridge.fails()`,
    )
    const cut = await runBridge(['erase', EMAIL], { DATABASE_URL: store.url })
    await store.pool.query('drop function bridge.fails cascade')
    expect(cut.status).not.toBe(0)
    expect(await erase()).toMatchObject({ status: 0 })
    expect((await kept()).join('\n')).not.toMatch(/maiden/)
    expect(await traces()).toEqual([])
  })

  test('stays where that is the address of somebody else by now, who stays as well', async () => {
    await store.pool.query(`update spree_users set email = '${MAIDEN}' where id = 2`)
    await told('customer:77', { ...ACCOUNT, email: MAIDEN })
    await toldUnderBoth()
    const theirs = { id: 2, first_name: 'Otto', email: MAIDEN, phone: '555 0303' }
    await told('customer:2', theirs)
    const { status, notFollowed } = await erase()
    await store.pool.query(`update spree_users set email = 'admin@harbour.example' where id = 2`)
    expect([status, notFollowed]).toEqual([0, [MAIDEN]])
    expect(await traces()).toEqual([])
    expect((await kept()).join('\n')).toContain(JSON.stringify(theirs).replaceAll('"', '""'))
  })

  test('stays where the store has the account under another address', async () => {
    await told('customer:2', { id: 2, email: 'admin@harbour.example', previous_email: EMAIL })
    const theirs = { id: 2, first_name: 'Otto', email: 'admin@harbour.example', phone: '555 0303' }
    await told('customer:2', theirs)
    expect(await erase()).toMatchObject({ status: 0, notFollowed: ['admin@harbour.example'] })
    expect((await kept()).join('\n')).toContain(JSON.stringify(theirs).replaceAll('"', '""'))
  })

  test('is found where the shop has closed the account, which gave it an address of nobody', async () => {
    const [closed, now] = ['0d8c7a52@example.net', '2026-03-01T00:00:00Z']
    await told('customer:1', { ...ACCOUNT, id: 1, email: MAIDEN })
    await told('customer:1', { ...ACCOUNT, id: 1, email: EMAIL, previous_email: MAIDEN })
    await told('customer:1', { id: 1, email: closed, previous_email: EMAIL, deleted_at: now })
    const { rows } = await store.pool.query<{ email: string }>('select email from spree_users where id = 1')
    const set = 'update spree_users set email = $1, deleted_at = $2 where id = 1'
    await store.pool.query(set, [closed, now])
    const erased = await erase()
    await store.pool.query(set, [rows[0]?.email, null])
    expect(erased).toMatchObject({ status: 0, tables: [{ table: 'bridge.history', rows: 3 }] })
    expect(erased).not.toHaveProperty('notFollowed')
    expect(await traces()).toEqual([])
    expect((await kept()).join('\n')).not.toContain('maiden')
  })

  describe('is looked for in the hub too', () => {
    let hub: TestDatabase

    beforeAll(async () => {
      hub = await createDatabase()
      await applyMigrations(hub.pool, 'hub', await hubMigrations())
    })
    afterAll(() => hub.drop())

    const inHub = (table: 'incoming' | 'archived', payload: object, db: Db = hub.pool) =>
      db.query(
        `insert into hub.${table} (id, ${table === 'incoming' ? 'lane' : 'finished_at'}, aggregate, key, type, payload, state,
                attempts, changed_at, created_at, source, store_id, parent_id, envelope)
         values (nextval('hub.message_id'), ${table === 'incoming' ? '0' : 'now()'}, 's/m', 'm', 'user:updated', $1,
                 '${table === 'incoming' ? 'parked' : 'done'}', 1, now(), now(), 'incoming', 's', '', '{}')`,
        [JSON.stringify(payload)],
      )
    const hubKeeps = async () => {
      const { rows } = await hub.pool.query<{ payload: string }>(
        'select payload from hub.archived union all select payload from hub.incoming',
      )
      return rows.map(({ payload }) => payload).join('\n')
    }

    test('by that alone, and once more when it is finished there', async () => {
      await toldUnderBoth()
      await inHub('archived', { ...ACCOUNT, email: MAIDEN })
      await inHub('incoming', { ...ACCOUNT, email: MAIDEN })
      const env = { HUB_DATABASE_URL: hub.url }
      expect(await erase([], env)).toMatchObject({
        status: 1,
        tables: [
          { table: 'bridge.history', rows: 0, left: 1 },
          { table: 'hub.archived', rows: 1 },
          { table: 'hub.incoming', waiting: 1 },
        ],
      })
      await hub.pool.query('delete from hub.incoming')
      await inHub('archived', { ...ACCOUNT, email: MAIDEN })
      expect(await erase([], env)).toMatchObject({ status: 0 })
      expect(await hubKeeps()).not.toMatch(CLARA)
      expect(await hubKeeps()).not.toContain('maiden')
      expect(await traces()).toEqual([])
    })

    test('and once more for what waited and has got there meanwhile', async () => {
      await hub.pool.query('truncate hub.archived, hub.incoming')
      await park('customer:77', { ...ACCOUNT, email: MAIDEN })
      await toldUnderBoth()
      const env = { HUB_DATABASE_URL: hub.url }
      const arrives = async (other: Db) => {
        await inHub('archived', { ...ACCOUNT, email: MAIDEN }, other)
        await store.pool.query(finish('done'))
      }
      const lock = 'lock hub.archived in access exclusive mode'
      const first = await meanwhile(lock, () => erase([], env), arrives, hub)
      expect(first).toMatchObject({ status: 1 })
      expect(await erase([], env)).toMatchObject({ status: 0 })
      expect(await hubKeeps()).not.toMatch(CLARA)
      expect(await traces()).toEqual([])
    })

    test('and what bears only the number of an order', async () => {
      await hub.pool.query('truncate hub.archived, hub.incoming')
      await inHub('archived', { id: 'R777000777', number: 'R777000777', email: EMAIL })
      await inHub('incoming', { order: 'R777000777', shipping_address: { firstname: 'Clara' } })
      const env = { HUB_DATABASE_URL: hub.url }
      expect(await erase([], env)).toMatchObject({ status: 1 })
      await hub.pool.query(`delete from hub.incoming`)
      await inHub('archived', { order: 'R777000777', shipping_address: { firstname: 'Clara' } })
      expect(await erase([], env)).toMatchObject({ status: 0 })
      expect(await hubKeeps()).not.toMatch(CLARA)
    })
  })
})

test('what comes between the dry run and the command, or changes under its hands, is found as well', async () => {
  await store.pool.query(applied('m1', answerWith('555 0101')))
  expect(await erase(['--dry-run'])).toMatchObject({ tables: [{ rows: 1 }] })
  await store.pool.query(applied('m2', answerWith('555 0101')))
  const erased = await meanwhile(
    `update bridge.inbox set answer = '${answerWith('555 0777')}' where message_id = 'm1'`,
    () => erase(),
    (other) => other.query(`${applied('m3', answerWith('555 0777'))}; ${waiting}`),
  )
  expect(erased).toEqual({
    status: 1,
    tables: [
      { table: 'bridge.inbox', rows: 3, waiting: 0, left: 0 },
      { table: 'bridge.message', rows: 0, waiting: 1, left: 0 },
    ],
  })
  expect(await traces()).toHaveLength(1)
})

test('a message that moves on meanwhile is not missed', async () => {
  await store.pool.query(waiting)
  // Into one that was looked through already.
  const seen = await meanwhile(
    'lock bridge.message in access exclusive mode',
    () => erase(),
    (other) => other.query(finish('done')),
  )
  expect(seen).toEqual({
    status: 0,
    tables: [{ table: 'bridge.history', rows: 1, waiting: 0, left: 0 }],
  })
  expect(await traces()).toEqual([])
})

test('what stays in spite of all is said', async () => {
  await store.pool.query(
    `${applied('m1', answerWith('555 0101'))};
     create function bridge.stays() returns trigger language plpgsql as $$ begin return old; end $$;
     create trigger stays before update on bridge.inbox for each row execute function bridge.stays()`,
  )
  const { status, tables } = await erase()
  await store.pool.query('drop function bridge.stays cascade')
  expect(status).toBe(1)
  expect(tables).toMatchObject([{ table: 'bridge.inbox', left: 1 }])
})
