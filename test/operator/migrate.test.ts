import { setTimeout as pause } from 'node:timers/promises'

import { describe, expect, test } from '@jest/globals'
import { watchLocks } from '../support/lock-watch.ts'
import { databaseUrl, type TestDatabase } from '../support/postgres.ts'
import { readCatalog } from './catalog.ts'
import { complaintOf, createGround } from './operations-ground.ts'
import { runBridge } from './run-bridge.ts'

const { processes, hub, environment, openStore, openDatabase } = createGround()

test('C192 the hub is the one that the store has noted, where the environment names none', async () => {
  const store = await openStore()
  await runBridge(['migrate'], { DATABASE_URL: store.url })
  const env = { DATABASE_URL: store.url }
  const without = await runBridge(['worker'], env)
  expect(without.status).toBe(2)
  expect(complaintOf(without)).toContain('HUB_URL')

  await store.pool.query(
    `create table augury_environments (id serial primary key, url text, "user" text, token text, store_id text,
                                       environment text, store_name text)`,
  )
  await store.pool.query(
    `insert into augury_environments (url, token, store_id, environment)
     values ('https://old.example.com', 'old', 'old', 'production'), ($1, $2, $3, 'production')`,
    [hub().url, hub().token, hub().storeId],
  )
  const worker = processes.start(['worker'], { env })
  const line = await worker.line((text) => text.includes('worker started'))
  expect(JSON.parse(line)).toMatchObject({ hub: hub().url, store_id: hub().storeId })
  expect(await worker.terminate()).toMatchObject({ code: 0 })
  expect((await runBridge(['doctor'], env)).stdout).toMatch(/^ok +hub +it knows store and token$/m)
})

describe('migrate', () => {
  test('--dry-run prints what it would do and does nothing; twice is as good as once', async () => {
    const [store, copy] = [await openStore(), await openStore()]
    const pristine = await readCatalog(store.pool)
    const env = environment(store)

    const preview = await runBridge(['migrate', '--dry-run'], env)
    expect(preview).toMatchObject({ status: 0, stderr: '' })
    expect(await readCatalog(store.pool)).toEqual(pristine)

    expect(await runBridge(['migrate'], env)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Done: 0001_bridge\.sql, .*triggers on spree_products/),
    })
    await copy.pool.query(preview.stdout)
    expect(await readCatalog(copy.pool)).toEqual(await readCatalog(store.pool))
    const contents = `select (select json_agg(s.version || ' ' || s.min_code) from bridge.schema s)::text as schema,
                             (select json_agg(w.table_name order by 1) from bridge.watched w)::text as watched`
    expect((await copy.pool.query(contents)).rows).toEqual((await store.pool.query(contents)).rows)

    const [again, previewAgain] = await Promise.all([
      runBridge(['migrate'], env),
      runBridge(['migrate', '--dry-run'], env),
    ])
    expect(again.stdout).toBe('Nothing to do: schema and triggers are up to date.\n')
    expect(previewAgain.stdout).not.toMatch(/create|drop/i)
  })

  test("--hub makes the hub's schema in its own database, and says what it would do", async () => {
    const [hub, copy] = [await openDatabase(), await openDatabase()]
    const env = { HUB_DATABASE_URL: hub.url }
    const tables = async ({ pool }: TestDatabase) =>
      (
        await pool.query(
          `select relname, relkind from pg_class where relnamespace = to_regnamespace('hub') order by 1`,
        )
      ).rows

    const preview = await runBridge(['migrate', '--hub', '--dry-run'], env)
    expect(preview).toMatchObject({ status: 0, stderr: '' })
    expect(await tables(hub)).toEqual([])
    const both = await Promise.all([
      runBridge(['migrate', '--hub'], env),
      runBridge(['migrate', '--hub'], env),
    ])
    expect(both.map(({ status }) => status)).toEqual([0, 0])
    expect(both.map(({ stdout }) => stdout).join('')).toMatch(/Done: 0001_hub\.sql/)
    await copy.pool.query(preview.stdout)
    expect(await tables(copy)).toEqual(await tables(hub))
    expect((await tables(hub)).length).toBeGreaterThan(10)
    expect((await runBridge(['migrate', '--hub', '--json'], env)).stdout).toBe('{"applied":[]}\n')
    expect(await runBridge(['migrate', '--hub'], {})).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('HUB_DATABASE_URL'),
    })
  })

  test("leaves a schema of somebody else's alone, and so does uninstall; an empty one will do", async () => {
    const [store, hubDatabase] = [await openStore(), await openDatabase()]
    const env = { ...environment(store), HUB_DATABASE_URL: hubDatabase.url }
    await hubDatabase.pool.query('create schema hub; create type hub.colour as enum ($$red$$)')
    await store.pool.query('create schema bridge')
    const games = `create table bridge.schema (name text); create table bridge.game (id int);
                   insert into bridge.game values (7)`
    for (const make of ['create function bridge.trump() returns int language sql as $$ select 1 $$', games]) {
      await store.pool.query(make)
      const before = await readCatalog(store.pool)
      for (const command of [['migrate'], ['migrate', '--dry-run'], ['uninstall', '--purge']]) {
        const run = await runBridge(command, env)
        expect([...command, run.status]).toEqual([...command, 2])
        expect(complaintOf(run)).toMatch(/schema bridge .*none of spree-bridge's|is not ours to drop/i)
      }
      expect(await runBridge(['uninstall'], env)).toMatchObject({
        status: 0,
        stdout: 'There were no triggers of ours.\n',
      })
      expect(await readCatalog(store.pool)).toEqual(before)
    }
    expect((await store.pool.query('select id from bridge.game')).rows).toEqual([{ id: 7 }])
    const run = await runBridge(['migrate', '--hub'], env)
    expect(run.status).toBe(2)
    expect(complaintOf(run)).toMatch(/schema hub that is none of spree-bridge's/)

    await store.pool.query('drop schema bridge cascade; create schema bridge')
    expect(await runBridge(['uninstall', '--purge'], env)).toMatchObject({ status: 2 })
    expect(await runBridge(['migrate'], env)).toMatchObject({ status: 0 })
    expect(await runBridge(['uninstall', '--purge'], env)).toMatchObject({ status: 0 })
  })

  test('waits in short steps for a locked table while seven writers go on, even if two migrate at once', async () => {
    const store = await openStore()
    const env = environment(store)
    const tables = ['spree_orders', 'spree_variants', 'spree_stock_items', 'spree_line_items']
    let running = true
    const write = async (writer: number) => {
      const connection = await store.pool.connect()
      for (let turn = writer; running; turn++) {
        // Locks the table as any write does, and no row that another writer wants.
        await connection.query(`update ${tables[turn % tables.length]} set updated_at = now() where false`)
        await pause(2)
      }
      connection.release()
    }
    const watch = await watchLocks(store)
    const writers = Promise.all(Array.from({ length: 6 }, (_, index) => write(index)))
    const importer = await store.pool.connect()
    await importer.query('begin')
    await importer.query('update spree_orders set updated_at = now()')

    const migrations = Promise.all([runBridge(['migrate'], env), runBridge(['migrate'], env)])
    const early = await Promise.race([migrations, watch.untilWaited().then(() => pause(1_500))])
    expect(early).toBeUndefined()
    await importer.query('commit')
    importer.release()
    const ended = await migrations
    running = false
    await writers
    const { waitedMs, heldMs } = await watch.stop()

    expect(ended.map(({ status, stderr }) => ({ status, stderr }))).toEqual([
      { status: 0, stderr: '' },
      { status: 0, stderr: '' },
    ])
    const done = ended.map(({ stdout }) => stdout).join()
    expect(done.match(/triggers on spree_orders/g)).toHaveLength(1)
    expect((await runBridge(['migrate'], env)).stdout).toMatch(/^Nothing to do/)
    expect(heldMs).toBeLessThan(1_000)
    // It gives up after 200 ms, and what a busy machine adds; one that waits for its lock would wait for 1.5 s.
    expect(waitedMs).toBeGreaterThan(0)
    expect(waitedMs).toBeLessThan(1_400)
  })

  test('asks for exactly the rights it lacks, and works with them, though its role owns no table', async () => {
    const store = await openStore()
    const name = new URL(store.url).pathname.slice(1)
    const role = `least_${name}`
    const asRole = (who: string) => {
      const url = new URL(databaseUrl(name))
      url.searchParams.set('user', who)
      return { ...environment(store), DATABASE_URL: url.href }
    }
    await store.pool.query(`create role ${role} login; create role other_${role} login`)
    try {
      const refused = await runBridge(['migrate'], asRole(role))
      expect(refused.status).toBe(2)
      const grants = complaintOf(refused)
        .split('\n')
        .filter((line) => line.startsWith('grant '))
      const preview = await runBridge(['migrate', '--dry-run'], asRole(role))
      expect(preview).toMatchObject({ status: 0, stdout: expect.stringContaining('create schema') })
      expect(preview.stdout.split('\n').filter((line) => line.startsWith('-- grant '))).toEqual(
        grants.map((grant) => `-- ${grant}`),
      )
      expect(grants).toContain(`grant create on database ${name} to ${role};`)
      expect(grants).toContain(`grant select, trigger on public.spree_orders to ${role};`)
      await store.pool.query(grants.join('\n'))
      expect(await runBridge(['migrate'], asRole(role))).toMatchObject({ status: 0 })
      expect((await runBridge(['migrate'], asRole(role))).stdout).toMatch(/^Nothing to do/)

      const worker = processes.start(['worker'], { env: asRole(role) })
      await worker.line((line) => line.includes('worker started'))
      const changed = store.pool.query(`update spree_stock_items set count_on_hand = 77 where id = 301`)
      await Promise.all([
        changed,
        hub().until(() => hub().requests.some(({ type }) => type === 'stock:change'), 30_000),
      ])
      expect(await worker.terminate()).toEqual({ code: 0, signal: null })

      const web = { ...asRole(role), WEBHOOK_TOKEN: 'webhook-token', HOST: '127.0.0.1', PORT: '0' }
      const reader = processes.start(['web'], { env: web })
      const missing = await reader.line((line) => line.includes('may not write'))
      const { url } = JSON.parse(await reader.line((line) => line.includes('"message":"listening"')))
      const move = async (at: string, messageId: string) => {
        const answer = await fetch(`${at}/webhook`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'X-Augury-Token': 'webhook-token' },
          body: JSON.stringify({
            message: 'stock:change',
            message_id: messageId,
            payload: { sku: 'BC-01', quantity: 1 },
          }),
        })
        return { status: answer.status, text: await answer.text() }
      }
      expect(await move(url, 'a1')).toMatchObject({
        status: 500,
        text: expect.stringMatching(/"level":"error".*permission denied for table/),
      })
      await reader.terminate()
      await store.pool.query((JSON.parse(missing) as { grants: string[] }).grants.join('\n'))
      const writer = processes.start(['web'], { env: web })
      const { url: again } = JSON.parse(await writer.line((line) => line.includes('"message":"listening"')))
      expect(writer.lines.filter((line) => line.includes('may not write'))).toEqual([])
      expect(await move(again, 'a1')).toMatchObject({ status: 200 })
      await writer.terminate()

      const [stranger, status] = await Promise.all([
        runBridge(['migrate'], asRole(`other_${role}`)),
        runBridge(['status'], asRole(`other_${role}`)),
      ])
      expect(stranger.status).toBe(2)
      expect(complaintOf(stranger)).toContain(`grant ${role} to other_${role};`)
      expect(status.status).toBe(2)
      expect(complaintOf(status)).toMatch(/permission denied for schema bridge.*GRANT/)
    } finally {
      await store.pool.query(`drop owned by ${role}, other_${role} cascade; drop role ${role}, other_${role}`)
    }
  })
})
