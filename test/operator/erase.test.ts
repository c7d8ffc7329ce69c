import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'

import { hubPoll } from '../../src/apply/hub-poll.ts'
import { updateCustomer } from '../../src/apply/update-customer.ts'
import type { TestDatabase } from '../support/postgres.ts'
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

async function erase(...flags: string[]) {
  const { status, stdout, stderr } = await runBridge(['erase', EMAIL, '--json', ...flags], {
    DATABASE_URL: store.url,
  })
  expect(stderr).toBe('')
  return { status, tables: (JSON.parse(stdout) as { tables: Table[] }).tables }
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

/** Does something while the command, which has begun, waits for a lock that `holds` takes. */
async function meanwhile<T>(holds: string, command: () => Promise<T>, then: string): Promise<T> {
  const other = await store.pool.connect()
  try {
    await other.query(`begin; ${holds}`)
    const running = command()
    const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    while ((await store.pool.query(waits)).rowCount === 0) await pause(5)
    await other.query(`${then}; commit`)
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
  expect(await erase('--dry-run')).toEqual({
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

test('what was told of the account under a former address is found as well, and what only mentions the customer is not', async () => {
  const told = (aggregate: string, payload: object) =>
    store.pool.query(
      `insert into bridge.history (id, key, aggregate, type, payload, state, attempts, changed_at, created_at)
       values (1, gen_random_uuid(), $1, 'user:updated', $2, 'done', 1, now(), now())`,
      [aggregate, JSON.stringify(payload)],
    )
  const account = { id: 77, first_name: 'Clara', last_name: 'Lindqvist', phone: '555 0101' }
  await told('customer:77', { ...account, email: 'maiden@example.com' })
  await told('customer:77', { ...account, email: EMAIL, previous_email: 'maiden@example.com' })
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

test('what comes between the dry run and the command, or changes under its hands, is found as well', async () => {
  await store.pool.query(applied('m1', answerWith('555 0101')))
  expect(await erase('--dry-run')).toMatchObject({ tables: [{ rows: 1 }] })
  await store.pool.query(applied('m2', answerWith('555 0101')))
  const erased = await meanwhile(
    `update bridge.inbox set answer = '${answerWith('555 0777')}' where message_id = 'm1'`,
    () => erase(),
    `${applied('m3', answerWith('555 0777'))}; ${waiting}`,
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
  const columns = 'id, aggregate, key, type, payload, changed_at, created_at'
  await store.pool.query(waiting)
  // As it is settled: out of the one table, into one that was looked through already.
  const seen = await meanwhile(
    'lock bridge.message in access exclusive mode',
    () => erase(),
    `with gone as (delete from bridge.message returning ${columns})
     insert into bridge.history (${columns}, state, attempts) select ${columns}, 'done', 1 from gone`,
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
