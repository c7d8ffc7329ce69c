import { orderContent } from '../messages/order-content.ts'
import { rawOrder } from '../messages/raw-order.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { digestOf, isUnchanged } from './digest.ts'

const PAGE = 500

/**
 * After `orders` became generic: keeps what was last told of the orders of one page of baselines, where nothing is kept and
 * the order is still as it was told. One that has changed since has its change waiting, and is told without a past. Runs
 * in the collector's transaction, as seeding does.
 * @param after Where the page before ended, at first `''`.
 * @returns Where this page ended, undefined after the last.
 */
export async function keepToldPage(db: Db, store: Store, after: string): Promise<string | undefined> {
  const { rows } = await db.query<{ aggregate: string; digest: string | null; shape: number; kept: boolean }>(
    `select aggregate, digest, shape, told is not null as kept
       from bridge.baseline
      where part = 'order' and aggregate > $1
      order by aggregate
      limit $2`,
    [after, PAGE],
  )
  const missing = new Map(
    rows
      .filter(({ kept, digest }) => !kept && digest !== null)
      .map((baseline) => [baseline.aggregate.slice('order:'.length), baseline]),
  )
  const kept: Readonly<{ aggregate: string; told: string }>[] = []
  await store.eachOrder(db, [...missing.keys()], (id, order) => {
    const baseline = missing.get(id)
    if (!baseline || order instanceof Error) return
    const raw = rawOrder(order)
    const content = orderContent(order, raw)
    if (isUnchanged(baseline, digestOf(content), content))
      kept.push({ aggregate: baseline.aggregate, told: JSON.stringify(raw) })
  })
  if (kept.length > 0) {
    await db.query(
      `update bridge.baseline b
          set told = kept.told
         from unnest($1::text[], $2::text[]) kept (aggregate, told)
        where b.aggregate = kept.aggregate and b.part = 'order'`,
      [kept.map(({ aggregate }) => aggregate), kept.map(({ told }) => told)],
    )
  }
  return rows.length < PAGE ? undefined : rows.at(-1)?.aggregate
}
