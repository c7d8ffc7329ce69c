import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import { quoteName } from '../json-sql.ts'
import { NOW } from './rows.ts'
import type { Shop } from './shop.ts'

/** Some pieces of a unit become a unit of their own, in this state (`InventoryUnit#split_inventory!`). Returns its id. */
export async function splitUnit(
  db: Db,
  shop: Shop,
  id: string,
  pieces: number,
  state: 'on_hand' | 'returned',
): Promise<string> {
  const own = new Set(['id', 'quantity', shop.state, 'created_at', 'updated_at'])
  const copied = shop.columns
    .of(shop.units)
    .filter((name) => !own.has(name))
    .map(quoteName)
    .join(', ')
  const { rows } = await queryPrepared<{ id: string }>(
    db,
    `with kept as (
       update ${shop.table(shop.units)} set quantity = quantity - $2::integer, updated_at = ${NOW} where id = $1::bigint
     )
     insert into ${shop.table(shop.units)} (${copied}, quantity, ${shop.state}, created_at, updated_at)
     select ${copied}, $2::integer, $3, ${NOW}, ${NOW}
       from ${shop.table(shop.units)}
      where id = $1::bigint
     returning id::text`,
    [id, pieces, state],
  )
  if (rows[0]) return rows[0].id
  throw new Error(`Unit ${id} went while it was being split.`)
}
