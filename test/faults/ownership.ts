import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createDatabase, onServer } from '../support/postgres.ts'
import type { StoreFamily } from '../support/stores.ts'
import type { Trial } from '../support/trial.ts'
import type { Result } from './result.ts'
import { BOTH, expectThat, inTrial, type Scenario, startWorkers } from './scenario.ts'

/** Longer than a worker takes to look whether schema, database and triggers are its own still. */
const LOOKS_WITHIN_MS = 30_000

/** Whose is the database: of this code, of this very installation, and watched at all? */
export const OWNERSHIP: readonly Scenario[] = [
  {
    name: 'two versions of the code, and a migration that shuts the older out',
    families: ['spree-4.10'],
    run: twoVersions,
  },
  {
    name: 'a copy of the database, made under a running worker',
    families: ['spree-4.10'],
    run: copiedDatabase,
  },
  {
    name: 'triggers are dropped and put back',
    families: ['spree-4.10'],
    run: triggersDropped,
  },
  {
    name: 'the fuse blows, and what nobody saw is repaired',
    families: BOTH,
    run: fuseBlown,
  },
]

async function twoVersions(family: StoreFamily, seed: number): Promise<Result> {
  const newer = releaseWith(1)
  const newest = releaseWith(2)
  try {
    return await inTrial(family, async (trial) => {
      const old = trial.startWorker()
      await old.line((line) => line.includes('worker started'))
      const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 50 })
      await pause(2000)
      await migrateWith(trial, newer)
      const second = trial.startWorker({ root: newer })
      await second.line((line) => line.includes('worker started'))
      await pause(5000)
      await migrateWith(trial, newest)
      const third = trial.startWorker({ root: newest })
      const end = await Promise.race([old.ended, pause(LOOKS_WITHIN_MS)])
      expectThat(end?.code === 1, `the oldest ends with 1: ${JSON.stringify(end)}`)
      expectThat(
        old.lines.some((line) => line.includes('deploy the release that migrated it')),
        'it says what to do',
      )
      await pause(5000)
      await workload.stop()
      expectThat(
        (await isRunning(second.ended)) && (await isRunning(third.ended)),
        'the version before, and the newest, go on',
      )
      return { migrations: 2 }
    })
  } finally {
    for (const root of [newer, newest]) rmSync(root, { recursive: true })
  }
}

async function isRunning(ended: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([ended, pause(0, 'running')])) === 'running'
}

/** This program with so many more migrations. */
function releaseWith(more: number): string {
  const ours = path.resolve(import.meta.dirname, '../..')
  const root = mkdtempSync(path.join(os.tmpdir(), 'bridge-release-'))
  for (const part of ['dist', 'migrations', 'package.json'])
    cpSync(path.join(ours, part), path.join(root, part), { recursive: true })
  symlinkSync(path.join(ours, 'node_modules'), path.join(root, 'node_modules'))
  const folder = path.join(root, 'migrations/bridge')
  const last = Number(readdirSync(folder).toSorted().at(-1)?.slice(0, 4))
  for (let next = last + 1; next <= last + more; next++)
    writeFileSync(
      path.join(folder, `${String(next).padStart(4, '0')}_later.sql`),
      `alter table bridge.message add column later_${next} text;\nalter table bridge.outbox add column later_${next} text;\n`,
    )
  return root
}

async function migrateWith(trial: Trial, root: string): Promise<void> {
  const { code, lines } = await trial.run(['migrate'], { root })
  expectThat(code === 0, `migrate of the newer version ends with ${code}: ${lines.join('\n')}`)
}

async function copiedDatabase(family: StoreFamily, seed: number): Promise<Result> {
  const copies: Awaited<ReturnType<typeof createDatabase>>[] = []
  try {
    return await inTrial(family, async (trial) => {
      await startWorkers(trial, 1)
      const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 50 })
      await pause(4000)
      const from = Date.now()
      copies.push(await copyOf(new URL(trial.store.url).pathname.slice(1)))
      trial.disturbed('everybody was sent away', from)
      await pause(1000)
      const [copy] = copies
      for (const command of ['worker', 'web']) {
        const { code, lines } = await trial.run([command], { env: { DATABASE_URL: copy?.url ?? '' } })
        const explains = lines.some((line) => line.includes('adopt --fresh'))
        expectThat(
          code === 2 && explains,
          `the ${command} of the copy ends with ${code}: ${lines.join('\n')}`,
        )
      }
      await pause(2000)
      await workload.stop()
      return { copies: 1 }
    })
  } finally {
    for (const copy of copies) await copy.drop()
  }
}

/** PostgreSQL copies a database only while nobody is in it. */
async function copyOf(name: string) {
  const allow = (may: boolean) =>
    onServer(async (server) => {
      await server.query(`alter database ${name} with allow_connections ${may}`)
      if (!may)
        await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
          name,
        ])
    })
  await allow(false)
  try {
    return await createDatabase(name)
  } finally {
    await allow(true)
  }
}

/** As `db:schema:load` and other people's scripts do. `reconcile` tells what nobody saw. */
async function triggersDropped(family: StoreFamily, seed: number): Promise<Result> {
  return inTrial(family, async (trial) => {
    const { pool } = trial.store
    await startWorkers(trial, 1)
    await untilSeeded(trial)
    const first = await trial.startWorkload({ seed, writers: 4, pauseMs: 50 })
    await pause(4000)
    await first.stop()
    const dropped = await dropTriggers(trial, 'spree_products')
    await pool.query("update spree_products set name = name || ' (unseen)', updated_at = now()")
    const deadline = Date.now() + LOOKS_WITHIN_MS
    const countTriggers = async () => (await triggersOf(trial, 'spree_products')).length
    while ((await countTriggers()) < dropped && Date.now() < deadline) await pause(500)
    expectThat((await countTriggers()) === dropped, 'the triggers are put back')
    const { rows } = await pool.query(
      "select kind, table_name from bridge.gap where reason = 'triggers_missing'",
    )
    expectThat(
      JSON.stringify(rows) === JSON.stringify([{ kind: 'product', table_name: 'spree_products' }]),
      `the gap is known: ${JSON.stringify(rows)}`,
    )
    await untilRepaired(trial, 'triggers_missing')
    const second = await trial.startWorkload({ seed: seed + 1, writers: 4, pauseMs: 50 })
    await pause(4000)
    await second.stop()
    return { 'triggers dropped': dropped }
  })
}

/** No worker for so long that the triggers stop to write: the shop goes on, and only `reconcile` can know what it did. */
async function fuseBlown(family: StoreFamily, seed: number): Promise<Result> {
  return inTrial(family, async (trial) => {
    const { pool } = trial.store
    const [worker] = await startWorkers(trial, 1)
    await untilSeeded(trial)
    const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 50 })
    await pause(3000)
    const from = Date.now()
    await worker?.kill()
    trial.disturbed('kill -9', from)
    const setFuse = (rows: number) => pool.query(`select setval('bridge.pulse_fuse_rows', $1)`, [rows])
    await setFuse(1)
    await until(
      async () => (await countGaps(trial, 'fuse', `kind in ('product', 'stock', 'order')`)) === 3,
      'the fuse blows for products, stock and orders',
    )
    await pause(3000)
    const { interrupted } = await workload.stop()
    expectThat(interrupted === 0, `the shop notices nothing: ${interrupted} statements failed`)
    await startWorkers(trial, 1)
    await untilRepaired(trial, 'fuse')
    await setFuse(1_000_000)
    const second = await trial.startWorkload({ seed: seed + 1, writers: 4, pauseMs: 50 })
    await pause(3000)
    await second.stop()
    return { 'fuses blown': 3 }
  })
}

/** `reconcile` has closed the gaps and announced what they hid: before anybody writes again, which would announce it, too. */
async function untilRepaired(trial: Trial, reason: string): Promise<void> {
  await until(
    async () => (await countGaps(trial, reason, `coalesce(closed_at, 'infinity') = 'infinity'`)) === 0,
    'all is looked through, the gaps are closed',
  )
  const findings = await trial.comeToRest()
  expectThat(findings.length === 0, `what nobody saw is told: ${JSON.stringify(findings)}`)
}

/** Before that `reconcile` cannot look through a kind, and tries again only after ten minutes. */
function untilSeeded({ store }: Trial): Promise<void> {
  return until(async () => {
    const { rowCount } = await store.pool.query('select from bridge.seeding where finished_at is null')
    return rowCount === 0
  }, 'day one is over')
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 2 * LOOKS_WITHIN_MS
  while (!(await holds()) && Date.now() < deadline) await pause(200)
  expectThat(await holds(), what)
}

/** By kind: two writers that meet the fuse at once each open one. */
async function countGaps({ store }: Trial, reason: string, condition: string): Promise<number> {
  const { rows } = await store.pool.query(
    `select distinct kind from bridge.gap where reason = $1 and ${condition}`,
    [reason],
  )
  return rows.length
}

async function triggersOf({ store }: Trial, table: string): Promise<string[]> {
  const { rows } = await store.pool.query<{ name: string }>(
    `select tgname as name from pg_trigger where tgrelid = $1::regclass and tgname like 'bridge%' and not tgisinternal`,
    [table],
  )
  return rows.map(({ name }) => name)
}

async function dropTriggers(trial: Trial, table: string): Promise<number> {
  const names = await triggersOf(trial, table)
  for (const name of names) await trial.store.pool.query(`drop trigger ${name} on ${table}`)
  return names.length
}
