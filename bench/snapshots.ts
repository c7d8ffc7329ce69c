import { productPayload } from '../src/messages/product.ts'
import { rawOrder } from '../src/messages/raw-order.ts'
import type { Db, Pool } from '../src/postgres/pool.ts'
import { inTransaction } from '../src/postgres/transaction.ts'
import { openStore, type Store } from '../src/store/store.ts'
import type { Experiment } from './experiment.ts'
import type { Figure, Measurement, Variant } from './frame.ts'
import type { Ground } from './ground.ts'
import { orderByHand, productByHand } from './loops/json-by-hand.ts'

/** As many as a pass of the collector takes. */
const BATCH = 100
const CPU = 'µs CPU each'

const KINDS = ['product', 'order'] as const
type Kind = (typeof KINDS)[number]

const byHand = (kind: Kind) => `one ${kind} query by hand`
const mapped = (kind: Kind) => `${kind}s read and mapped`

/** What a message costs until its text is there, against one nested query that makes JSON of the same rows and no more. */
export const snapshots: Experiment = {
  name: 'snapshots',
  rounds: { full: 5, quick: 5 },
  warmsUp: true,
  figures: KINDS.map(
    (kind): Figure => ({
      name: `${kind}s read and mapped against one nested json_agg query by hand, CPU`,
      unit: '×',
      measured: { variant: mapped(kind), metric: CPU },
      reference: { variant: byHand(kind), metric: CPU },
      compare: 'ratio',
      must: 1.3,
      aim: 1.1,
      better: 'lower',
    }),
  ),
  prepare: async (ground) => {
    const database = await ground.createDatabase('store_to_read', await ground.storeTemplate())
    const store = await openStore(database.pool)
    const ids = {
      product: await store.roots(database.pool, 'product', '0', 1_000_000),
      order: await store.roots(database.pool, 'order', '0', 1_000_000),
    }
    const variant = (
      name: string,
      kind: Kind,
      read: (db: Db, batch: readonly string[]) => Promise<number>,
    ): Variant => ({
      name,
      run: () => measure(ground, database.pool, ids[kind], read),
    })
    return {
      variants: KINDS.flatMap((kind) => [
        variant(byHand(kind), kind, (db, batch) => readByHand(db, kind, batch)),
        variant(mapped(kind), kind, (db, batch) =>
          (kind === 'order' ? mapOrders : mapProducts)(db, store, batch),
        ),
      ]),
      close: () => database.drop(),
    }
  },
}

/** CPU of this process and of PostgreSQL for all of them, batch by batch, planned as the collector has it planned. */
async function measure(
  ground: Ground,
  pool: Pool,
  ids: readonly string[],
  read: (db: Db, batch: readonly string[]) => Promise<number>,
): Promise<Measurement> {
  const before = { node: process.cpuUsage(), postgres: ground.postgresCpuSeconds() }
  let characters = 0
  await inTransaction(pool, async (db) => {
    await db.query('set local enable_seqscan = off; set local jit = off')
    for (let from = 0; from < ids.length; from += BATCH)
      characters += await read(db, ids.slice(from, from + BATCH))
  })
  if (characters < ids.length * 100) throw new Error('There was hardly anything to read.')
  const { user, system } = process.cpuUsage(before.node)
  const postgres = (ground.postgresCpuSeconds() - before.postgres) * 1e6
  return { [CPU]: (user + system + postgres) / ids.length, 'of it PostgreSQL': postgres / ids.length }
}

async function readByHand(db: Db, kind: Kind, batch: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ json: string }>(kind === 'order' ? orderByHand : productByHand, [batch])
  return rows.reduce((sum, { json }) => sum + json.length, 0)
}

async function mapOrders(db: Db, store: Store, batch: readonly string[]): Promise<number> {
  let characters = 0
  await store.eachOrder(db, batch, (_id, order) => {
    if (order instanceof Error) throw order
    characters += JSON.stringify(rawOrder(order)).length
  })
  return characters
}

async function mapProducts(db: Db, store: Store, batch: readonly string[]): Promise<number> {
  let characters = 0
  for (const product of (await store.products(db, batch)).values()) {
    if (product instanceof Error) throw product
    characters += JSON.stringify(productPayload(product, undefined)).length
  }
  return characters
}
