import { choose, type Happening, type Id, UTC } from './shop.ts'

const LIVING_STOCK = (table: string) =>
  `select s.id::text from ${table} s where s.deleted_at is null order by s.id`

export const moveStock: Happening = async ({ db, shop, random }) => {
  const { stock } = shop.words
  const row = await choose<Id>(db, random, LIVING_STOCK(stock))
  await db.query(
    `update ${stock} set count_on_hand = count_on_hand + $2, updated_at = ${UTC} where id = $1`,
    [row?.id, random.pick([-3, -1, 1, 2, 7])],
  )
}

export const bulkStock: Happening = async ({ db, shop, random }) => {
  await db.query(`update ${shop.words.stock} set count_on_hand = count_on_hand + id % $1`, [
    random.between(2, 4),
  ])
}

export const touchAll: Happening = async ({ db, shop }) => {
  for (const table of ['spree_products', 'spree_variants', shop.words.stock])
    await db.query(`update ${table} set updated_at = ${UTC}`)
}
