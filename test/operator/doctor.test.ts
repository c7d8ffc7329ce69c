import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, test } from '@jest/globals'
import { checkServer } from '../../src/operator/doctor/check-database.ts'
import { checkHub } from '../../src/operator/doctor/check-hub.ts'
import { checkStores } from '../../src/operator/doctor/check-stores.ts'
import { checkWebhook } from '../../src/operator/doctor/check-webhook.ts'
import { Differences } from '../../src/operator/doctor/differences.ts'
import type { Finding } from '../../src/operator/doctor/finding.ts'
import type { Rehearsal } from '../../src/operator/doctor/rehearse.ts'
import { currentIdentity, recordInstallation } from '../../src/postgres/installation.ts'
import type { Db, Pool } from '../../src/postgres/pool.ts'
import { openStore as openStoreOf } from '../../src/store/store.ts'
import { startObjectHub } from '../support/object-hub.ts'
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer.ts'
import { onServer } from '../support/postgres.ts'
import { settingsFile } from '../support/settings-file.ts'
import { createGround, type Environment } from './operations-ground.ts'
import { runBridge } from './run-bridge.ts'

const { processes, hub, environment, openStore, openMigratedStore, copyOf } = createGround()

async function examine(env: Environment, ...options: string[]) {
  const { status, stdout } = await runBridge(['doctor', '--json', ...options], env)
  const findings = JSON.parse(stdout) as readonly Finding[]
  const troubles = findings.filter(({ state }) => state !== 'ok')
  return {
    status,
    findings,
    troubles: troubles.map(({ check, state }) => `${state} ${check}`),
    all: troubles,
  }
}

/** Beside one that is gone. */
const SECOND_STORE = `
  insert into spree_stores (id, name, url, code, default_currency, "default", deleted_at, created_at, updated_at)
  values (2, 'Kiel', 'kiel.example', 'kiel', 'EUR', false, null, now(), now()),
         (3, 'Gone', 'gone.example', 'gone', 'EUR', false, now(), now(), now())`

describe('doctor', () => {
  test('finds nothing to mend where worker, web and hub run, and changes nothing', async () => {
    const store = await openMigratedStore()
    const env = { ...environment(store), WEBHOOK_TOKEN: 'a-token', HOST: '127.0.0.1', PORT: '0' }
    const bridge = processes.start(['start'], { env })
    const { url } = JSON.parse(await bridge.line((line) => line.includes('"listening"'))) as { url: string }
    const { status, troubles, findings } = await examine(env, '--webhook', url)
    expect({ status, troubles }).toEqual({ status: 0, troubles: [] })
    expect(findings.map(({ check }) => check)).toEqual([
      ...['database', 'server', 'primary', 'encoding', 'TLS', 'clock', 'connection', 'LISTEN'],
      ...[
        'store',
        'rights to watch',
        'rights to write',
        'product',
        'order',
        'customer',
        'stock_transfer',
        'stock',
        'size',
      ],
      ...['migrated', 'triggers', 'installation', 'worker', 'hub', 'hub messages', 'hub clock', 'webhook'],
    ])
    expect(hub().requests.filter(({ method }) => method === 'POST')).toEqual([])
    await bridge.terminate()
  })

  test('names what is missing in a store that nobody has prepared, with the exact statements', async () => {
    const store = await openStore()
    const role = `shopkeeper_${process.pid}`
    await onServer((server) => server.query(`create role ${role} login`))
    const url = new URL(store.url)
    url.searchParams.set('user', role)
    const { status, troubles, all } = await examine({ DATABASE_URL: url.href })
    const grants = all.flatMap(({ mend }) =>
      (mend ?? '').split('\n').filter((line) => line.startsWith('grant ')),
    )
    await store.pool.query(grants.join('\n'))
    const granted = await examine({ DATABASE_URL: url.href })
    await store.pool.query(`drop owned by ${role}; drop role ${role}`)
    expect(granted.troubles).toEqual(['failed migrated', 'warning hub', 'warning webhook'])
    expect(status).toBe(1)
    expect(troubles).toEqual([
      'failed rights to watch',
      'warning rights to write',
      'failed migrated',
      'warning hub',
      'warning webhook',
    ])
    const [watching, writing] = all.map(({ mend }) => mend)
    expect(watching).toContain(`grant select, trigger on public.spree_orders to ${role};`)
    expect(writing).toContain(`\ngrant select, insert on public.spree_stock_movements to ${role};`)
    expect(writing).toContain(`\ngrant usage on sequence public.spree_stock_movements_id_seq to ${role};`)
  })

  test('estimates what there is much of, and counts the rest', async () => {
    const store = await openStore()
    await store.pool.query(
      `alter table spree_orders set (autovacuum_enabled = off);
       insert into spree_orders (number, created_at, updated_at)
       select 'R' || n, now(), now() from generate_series(1, 10000) n;
       update pg_class set reltuples = 3e7 where oid = 'spree_orders'::regclass`,
    )
    const { findings } = await examine(environment(store))
    expect(findings.find(({ check }) => check === 'size')).toMatchObject({
      state: 'ok',
      text: expect.stringMatching(
        /^\d+ products, \d+ variants, about 30000000 orders, \d+ customers: .* MB$/,
      ),
    })
  })

  test('says what to do where triggers are gone, the hub refuses, and no worker or web runs', async () => {
    const store = await openMigratedStore()
    await store.pool.query('drop trigger bridge_update on spree_orders')
    const env = { ...environment(store), HUB_TOKEN: 'wrong', WEBHOOK_TOKEN: 'a-token', PORT: '1' }
    const { stdout, status } = await runBridge(['doctor'], env)
    expect(status).toBe(1)
    expect(stdout).toContain('FAILED   triggers          missing on spree_orders: changes go unseen\n')
    expect(stdout).toMatch(/warning {2}worker {12}none runs.*\n +Start `spree-bridge worker`/)
    expect(stdout).toMatch(/FAILED {3}hub .*401.*\n +Check HUB_TOKEN/)
    expect(stdout).toMatch(
      /warning {2}webhook {11}nothing answers at http:\/\/127\.0\.0\.1:1: .*\n +Start `spree-bridge web`/,
    )
  })

  const behindPooler = hasPgBouncer ? test : test.skip
  behindPooler('tells a transaction pooler, and that nothing is heard through it', async () => {
    const store = await openMigratedStore()
    const pooler = await startPgBouncer(store.url)
    const pooled = { ...environment(store), DATABASE_URL: pooler.url }
    const heard = async (env: Environment) => {
      const { findings } = await examine(env)
      return findings.flatMap(({ check, state, text }) =>
        check === 'connection' ? [text] : check === 'LISTEN' ? [state] : [],
      )
    }
    expect(await heard(pooled)).toEqual(['through a transaction pooler', 'warning'])
    expect(await heard({ ...pooled, DATABASE_LISTEN_URL: store.url })).toEqual([
      'through a transaction pooler',
      'ok',
    ])
    await pooler.close()
  })

  test('names the fields that the store has no column for, and all that is missing of what is wanted besides', async () => {
    const store = await openStore()
    await store.pool.query(`
      ${SECOND_STORE};
      drop table spree_stock_transfers cascade;
      drop table spree_return_items cascade;
      alter table spree_products drop column status;
      alter table spree_orders drop column internal_note`)
    const file = settingsFile(`
extra:
  product: {columns: [colour, tax_category_id]}
  order: {columns: [chanel], tables: {spree_gifts: {key: order_id, columns: [note]}}}
`)
    const { findings, status } = await examine({ DATABASE_URL: store.url }, '--config', file)
    const textOf = (name: string) => findings.find(({ check }) => check === name)
    expect(status).toBe(1)
    expect(textOf('extra')).toMatchObject({
      state: 'failed',
      text: [
        'extra.product.columns: table spree_products has no column colour.',
        'extra.order.columns: table spree_orders has no column chanel. Did you mean channel?',
        'extra.order.tables: the store has no table spree_gifts.',
      ].join('\n'),
    })
    expect(textOf('product')?.text).toBe(
      'can be read; the store does not keep status, translations, images[].key',
    )
    expect(textOf('order')?.text).toBe(
      'can be read; the store does not keep locked_at, internal_note, payments[].payment_method.environment',
    )
    expect(textOf('customer')?.text).toBe('can be read; the store does not keep phone')
    expect(textOf('size')?.text).toContain(
      ' orders, 2 customers: what is remembered of them takes up to 1 MB',
    )
    expect(textOf('stock')?.text).toBe('can be read')
    expect(textOf('stores')?.text).toContain('2 share the tables (harbour, kiel)')
    expect(textOf('return')?.text).toBe('is not told of: the store keeps no items of what comes back')
    expect(textOf('stock_transfer')?.text).toBe('is not told of: the store has no table of stock transfers')
  })

  test('names the stores that share the tables, and those of other schemas, with how one of them is chosen', async () => {
    const store = await openMigratedStore()
    await store.pool.query(`
      ${SECOND_STORE};
      create schema annex;
      do $$ declare name text;
      begin
        for name in select tablename from pg_tables where schemaname = 'public' loop
          execute format('create table annex.%I (like public.%I)', name, name);
        end loop;
      end $$`)
    const named = async (pool: Pool, hubDialect?: 'wombat') =>
      checkStores(pool, await openStoreOf(pool, { hubDialect }))
    const stores = {
      check: 'stores',
      state: 'warning',
      text: '2 share the tables (harbour, kiel): all of them are announced, to one hub store',
    }
    expect(await named(store.pool)).toMatchObject([
      {
        ...stores,
        mend: expect.stringMatching(
          /`filters`.*\nOrders: payload\.store\.code .*\nProducts: payload\.spree_products_stores\.\*\.store_id .*\nStock /,
        ),
      },
      {
        check: 'schemas',
        state: 'warning',
        text: 'there is a store in annex too: only that in public, the first in the search path, is announced',
        mend: expect.stringContaining('alter role … set search_path'),
      },
    ])
    expect((await named(store.pool, 'wombat'))[0]).toMatchObject({
      ...stores,
      mend: expect.stringContaining('HUB_DIALECT=seed'),
    })
    // A role that sees another store first does not take what was announced of this one for that one's.
    const known = { host: null, hubUrl: null, hubStoreId: null, storeSchema: 'public' }
    await recordInstallation(store.pool, await currentIdentity(store.pool, known), false)
    const url = new URL(store.url)
    url.searchParams.set('options', '-c search_path=annex,public')
    const { status, all } = await examine({ ...environment(store), DATABASE_URL: url.href })
    expect(status).toBe(1)
    expect(all.filter(({ check }) => ['schemas', 'installation'].includes(check))).toMatchObject([
      { text: expect.stringContaining('there is a store in public too: only that in annex, the first') },
      {
        state: 'failed',
        text: expect.stringMatching(
          /for the store in schema public, .* leads to that in annex\. .*adopt --fresh/,
        ),
      },
    ])
  })

  test('goes on to the hub where the database does not answer', async () => {
    const env = { ...environment(await openStore()), DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }
    const { status, troubles } = await examine(env)
    expect(status).toBe(1)
    expect(troubles).toEqual(['failed database', 'warning webhook'])
  })
})

describe('an upgrade rehearsed', () => {
  test('against an equal copy changes nothing, and against another tells each field, each loss, and what cannot be read', async () => {
    const store = await openStore()
    await store.pool.query(
      `insert into spree_return_authorizations (id, number, state, order_id, memo, created_at, updated_at)
       values (901, 'RA901', 'authorized', 41, 'too wide', now(), now()), (902, 'RA902', 'authorized', 41, null, now(), now())`,
    )
    const copy = await copyOf(store)
    const rehearse = (...options: string[]) =>
      runBridge(['doctor', '--against', copy.url, ...options], { DATABASE_URL: store.url })
    const same = await rehearse()
    expect(same.status).toBe(0)
    expect(same.stdout).toMatch(
      /^here spree-4.10, there spree-4.10\nproduct: \d+ compared, all would .*\nstock: .*\norder: .*\nreturn: 2 compared.*\ncustomer: 2 compared.*\nstock_transfer: 1 compared.* the same\n$/,
    )

    await copy.pool.query(`
      update spree_products set name = upper(name) where id in (11, 12);
      update spree_stock_items set count_on_hand = 77 where id = (select min(id) from spree_stock_items);
      delete from spree_products where id = 13;
      delete from spree_return_authorizations where id = 901;
      update spree_return_authorizations set memo = 'too long' where id = 902;
      alter table spree_users drop column login;
      update spree_users set first_name = null;
      drop table spree_stock_transfers cascade`)
    const newer = await rehearse('--json')
    const { kinds } = JSON.parse(newer.stdout) as Rehearsal
    const [, , , returns, customers, transfers] = kinds
    expect(returns).toMatchObject({
      missing: ['return_authorization 901'],
      fields: [{ path: 'memo', how: 'changes', example: { of: 'return return_authorization 902' } }],
    })
    expect(customers).toMatchObject({ compared: 2, fields: [{ path: 'first_name', count: 2 }] })
    expect(transfers).toMatchObject({ kind: 'stock_transfer', compared: 1, missing: ['431'] })

    await copy.pool.query(`
      alter table spree_orders drop column total`)
    const other = await rehearse('--json')
    expect(other.status).toBe(1)
    const [products, stock, orders] = (JSON.parse(other.stdout) as Rehearsal).kinds
    expect(products).toMatchObject({
      missing: ['13'],
      fields: [{ path: 'name', how: 'changes', count: 2, example: { of: 'product 11' } }],
    })
    expect(stock?.fields).toMatchObject([
      { path: 'quantity', count: 1, example: { there: expect.any(Number) } },
    ])
    expect(orders).toMatchObject({ compared: 0, unreadable: expect.stringContaining('total') })
    expect((await rehearse('--limit', '1')).stdout).toContain('  name changes in 1, as in product 11: "')
  })

  test('names a field that only one side has, once for all places in a list', () => {
    const differences = new Differences()
    differences.compare('order 1', { a: [{ b: 1 }, { b: 2 }], c: null }, { a: [{}, {}, {}], c: null, d: 1 })
    expect(differences.list()).toEqual([
      { path: 'a[]', how: 'changes', count: 1, example: { of: 'order 1', here: 2, there: 3 } },
      { path: 'a[].b', how: 'vanishes', count: 1, example: { of: 'order 1', here: 1, there: undefined } },
      { path: 'd', how: 'appears', count: 1, example: { of: 'order 1', here: undefined, there: 1 } },
    ])
  })
})

const NOW = new Date('2026-04-01T10:00:00Z')

describe('the hub', () => {
  const reached = { kind: 'reachable', types: ['order:new'], isOurs: false, date: undefined } as const

  test.each([
    [{ kind: 'refused', status: 401, text: '' }, 'HUB_TOKEN'],
    [{ kind: 'refused', status: 404, text: '' }, 'HUB_STORE_ID'],
    [{ kind: 'misdirected', status: 301, text: '' }, 'HUB_URL'],
    [{ kind: 'unconfirmed', status: 200, text: '' }, 'HUB_URL'],
    [{ kind: 'unreachable', code: 'ECONNREFUSED', text: '' }, 'HUB_URL'],
    [{ kind: 'failed', status: 500, text: '' }, 'trouble of its own'],
  ] as const)('%j: %s', (outcome, mend) => {
    expect(checkHub(outcome, 'order:persist', NOW)).toMatchObject([
      { state: 'failed', mend: expect.stringContaining(mend) },
    ])
  })

  test('that does not derive is told of, one that is ours or names the message is not', () => {
    const states = (outcome: Parameters<typeof checkHub>[0]) =>
      checkHub(outcome, 'order:persist', NOW).map(({ state }) => state)
    expect(states(reached)).toEqual(['ok', 'warning'])
    expect(states({ ...reached, isOurs: true })).toEqual(['ok', 'ok'])
    expect(states({ ...reached, types: ['order:persist'] })).toEqual(['ok', 'ok'])
    expect(checkHub(reached, 'order:new', NOW).map(({ state }) => state)).toEqual(['ok', 'ok'])
    expect(checkHub({ ...reached, types: ['order:persist'] }, 'order:new', NOW)[1]).toMatchObject({
      state: 'warning',
      mend: expect.stringContaining('orders: persist'),
    })
  })
})

describe('the server', () => {
  const wellAndGood = {
    number: 170_004,
    version: '17.4',
    standby: false,
    read_only: false,
    encoding: 'UTF8',
    local: false,
    tls: true,
  }
  const AFAR = 'postgres://bridge@pooler.example.com:6432/spree'
  /** A server that says so of itself: a standby, an old one, or one with another clock is not to be had here. */
  const saying = (own: object, ahead = 0) =>
    ({
      query: async () => ({ rows: [{ ...wellAndGood, now: Date.now() / 1_000 + ahead, ...own }] }),
    }) as unknown as Db

  test.each([
    [{}, 0, []],
    [{ number: 120_022, version: '12.22' }, 0, [['failed', 'server', 'PostgreSQL 13 or newer']]],
    [{ standby: true }, 0, [['failed', 'primary', 'Point DATABASE_URL at the primary']]],
    [{ read_only: true }, 0, [['failed', 'primary', 'reset default_transaction_read_only']]],
    [{ encoding: 'LATIN1' }, 0, [['warning', 'encoding', 'what this encoding lacks']]],
    [{ tls: false }, 0, [['warning', 'TLS', 'sslmode=require']]],
    [{}, 90, [['warning', 'clock', 'network time (NTP)']]],
  ])('%j, %i s ahead: %j', async (own, ahead, expected) => {
    const troubles = (await checkServer(saying(own, ahead), AFAR)).filter(({ state }) => state !== 'ok')
    expect(troubles).toMatchObject(
      expected.map(([state, check, mend]) => ({ state, check, mend: expect.stringContaining(mend!) })),
    )
  })

  test('needs no TLS on this machine, to a pooler on another it does', async () => {
    const tls = async (url: string) =>
      (await checkServer(saying({ tls: false, local: true }), url)).find(({ check }) => check === 'TLS')
        ?.state
    for (const host of ['localhost', '127.0.0.1:6432', '[::1]', '%2Frun%2Fpostgresql', ''])
      expect(await tls(`postgres://bridge@${host}/spree`)).toBe('ok')
    expect(await tls('postgres:///spree?host=/run/postgresql')).toBe('ok')
    expect(await tls(AFAR)).toBe('warning')
    expect(await tls('postgres://bridge@127.example.com/spree')).toBe('warning')
  })
})

describe('the clock of the hub', () => {
  test.each([
    ['2026-04-01T10:00:29Z', 'ok', 'this machine and the hub agree'],
    ['2026-04-01T10:02:00Z', 'warning', 'the hub is 120 s ahead of this machine'],
    ['2026-04-01T09:59:00Z', 'warning', 'the hub is 60 s behind this machine'],
  ])('that says %s at ten: %s', (date, state, text) => {
    const outcome = { kind: 'reachable', types: [], isOurs: true, date: new Date(date) } as const
    expect(checkHub(outcome, 'order:persist', new Date('2026-04-01T10:00:00Z')).at(-1)).toMatchObject({
      check: 'hub clock',
      state,
      text,
    })
  })
})

describe('a hub that takes objects', () => {
  test('is said to know us, and nothing of messages', () => {
    expect(checkHub({ kind: 'reachable', types: [], isOurs: false, date: undefined }, 'orders', NOW)).toEqual(
      [
        {
          check: 'hub',
          state: 'ok',
          text: 'it takes batches of objects, and knows store and token',
          mend: null,
        },
      ],
    )
  })

  test.each([
    [{ kind: 'refused', status: 401, text: '' }, 'HUB_STORE_ID and HUB_TOKEN'],
    [{ kind: 'refused', status: 404, text: '' }, 'the very address'],
    [{ kind: 'unconfirmed', status: 200, text: '' }, 'only 202 is yes'],
  ] as const)('%j: %s', (outcome, mend) => {
    expect(checkHub(outcome, 'orders', NOW)).toMatchObject([
      { state: 'failed', mend: expect.stringContaining(mend) },
    ])
  })

  test('is asked by `doctor` in its own words', async () => {
    const objectHub = await startObjectHub()
    const store = await openMigratedStore()
    const { url: HUB_URL, storeId: HUB_STORE_ID, token: HUB_TOKEN } = objectHub
    const env = { ...environment(store), HUB_DIALECT: 'wombat', HUB_URL, HUB_STORE_ID, HUB_TOKEN }
    const { findings } = await examine(env)
    expect(findings.filter(({ check }) => check.startsWith('hub'))).toMatchObject([
      { check: 'hub', state: 'ok', text: 'it takes batches of objects, and knows store and token' },
    ])
    expect(objectHub.batches.map(({ body }) => body)).toEqual(['{"orders":[]}'])
    expect(findings.find(({ check }) => check === 'size')?.text).toContain('kept as they were last told')
    await objectHub.close()
  })
})

describe('the webhook', () => {
  const servers: Server[] = []
  afterAll(() => {
    for (const server of servers) server.close()
  })

  async function answering(described: number, door: number): Promise<string> {
    const server = createServer(({ url }, response) =>
      response.writeHead(url === '/endpoint.json' ? described : door).end('{}'),
    )
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test.each([
    [200, 401, 'ok'],
    [404, 401, 'failed'],
    [200, 200, 'failed'],
    [302, 302, 'failed'],
  ])('endpoint.json %i, without a token %i: %s', async (described, door, state) => {
    expect(await checkWebhook(`${await answering(described, door)}/`, true)).toMatchObject({ state })
  })
})
