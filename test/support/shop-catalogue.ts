import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { ROLLED_BACK } from '../checker/rolled-back.ts'
import type { Random } from './random.ts'
import { type Act, inOneCommit, insertRow, nextVersion, type Shop, UTC } from './shop.ts'

/** More than any sale moves: a rolled-back delta that were told would stand out. */
const ROLLED_BACK_DELTA = 1_000_003

async function changeStock(db: pg.ClientBase, shop: Shop, row: string, delta: number): Promise<void> {
  await db.query(
    `with moved as (
       update ${shop.stock} set count_on_hand = count_on_hand + $2, updated_at = ${UTC} where id = $1
       returning variant_id
     ), touched as (
       update spree_variants v set updated_at = ${UTC} from moved where v.id = moved.variant_id returning product_id
     )
     update spree_products p set updated_at = ${UTC} from touched where p.id = touched.product_id`,
    [row, delta],
  )
}

async function renameProduct(db: pg.ClientBase, product: string): Promise<void> {
  await db.query(
    `update spree_products set name = ${nextVersion('name')}, updated_at = ${UTC}
      where id = $1 and deleted_at is null`,
    [product],
  )
}

async function raisePrices(db: pg.ClientBase, product: string): Promise<void> {
  await db.query(
    `update spree_prices set amount = amount + 0.01, updated_at = ${UTC}
      where deleted_at is null
        and variant_id in (select id from spree_variants where product_id = $1 and deleted_at is null)`,
    [product],
  )
}

export const moveStock: Act = (db, shop, random) =>
  inOneCommit(db, () =>
    changeStock(db, shop, random.pick(shop.stockRows), random.pick([-3, -2, -1, 1, 2, 5])),
  )

export const rename: Act = (db, shop, random) =>
  inOneCommit(db, () => renameProduct(db, random.pick(shop.products)))

/** Several rows of one product, some together, some in commits of their own. */
export const renameAndReprice: Act = async (db, shop, random) => {
  const product = random.pick(shop.products)
  await inOneCommit(db, async () => {
    await renameProduct(db, product)
    await raisePrices(db, product)
  })
  await raisePrices(db, product)
}

export const touchOnly: Act = async (db, shop, random) => {
  await db.query(`update spree_products set updated_at = ${UTC} where id = $1`, [random.pick(shop.products)])
}

/** Locks row after row in the table's order, as two of them at once would else deadlock. */
export const bulkStock: Act = (db, shop, random) =>
  inOneCommit(db, async () => {
    await db.query(`select id from ${shop.stock} order by id for update`)
    await db.query(`update ${shop.stock} set count_on_hand = count_on_hand + $1, updated_at = ${UTC}`, [
      random.between(1, 3),
    ])
  })

/** A product with two variants and their stock, in six commits. */
export const makeProduct: Act = async (db, shop, random) => {
  const name = `Made ${shop.mark} ${shop.counter++}`
  const slug = name.toLowerCase().replaceAll(' ', '-')
  let product = ''
  await inOneCommit(db, async () => {
    product = await insertRow(db, 'spree_products', { name, slug, description: 'made', status: 'active' })
    if (shop.family === 'spree-4.10') await insertVariant(db, product, `${slug}-M`, true, 1)
  })
  for (const position of [2, 3]) {
    let variant = ''
    await inOneCommit(db, async () => {
      variant = await insertVariant(db, product, `${slug}-${position}`, false, position)
      if (shop.family === 'spree-6.0' && position === 2)
        await db.query('update spree_products set default_variant_id = $2 where id = $1', [product, variant])
    })
    const row = await insertRow(db, shop.stock, {
      stock_location_id: shop.location,
      variant_id: variant,
      count_on_hand: 0,
    })
    await inOneCommit(db, () => changeStock(db, shop, row, random.between(1, 20)))
    shop.stockRows.push(row)
  }
  shop.products.push(product)
  shop.ownProducts.push(product)
}

async function insertVariant(
  db: pg.ClientBase,
  product: string,
  sku: string,
  isMaster: boolean,
  position: number,
): Promise<string> {
  const variant = await insertRow(db, 'spree_variants', {
    product_id: product,
    sku,
    is_master: isMaster,
    position,
  })
  await insertRow(db, 'spree_prices', { variant_id: variant, amount: '19.99', currency: 'USD' })
  return variant
}

export const deleteSoftly: Act = async (db, shop) => {
  const product = shop.ownProducts.shift()
  if (!product) return
  const variants = '(select id from spree_variants where product_id = $1)'
  await inOneCommit(db, async () => {
    await db.query(`update spree_products set name = name where id = $1`, [product]) // its lock first
    await db.query(`update spree_prices set deleted_at = ${UTC} where variant_id in ${variants}`, [product])
    await db.query(`update ${shop.stock} set deleted_at = ${UTC} where variant_id in ${variants}`, [product])
    await db.query(
      `update spree_variants set deleted_at = ${UTC}, updated_at = ${UTC} where product_id = $1`,
      [product],
    )
    await db.query(
      `update spree_products set deleted_at = ${UTC}, slug = 'gone-' || slug, updated_at = ${UTC} where id = $1`,
      [product],
    )
  })
}

export const deleteForGood: Act = async (db, shop) => {
  const product = shop.ownProducts.shift()
  if (!product) return
  const variants = '(select id from spree_variants where product_id = $1)'
  await inOneCommit(db, async () => {
    await db.query(`delete from ${shop.stock} where variant_id in ${variants}`, [product])
    await db.query(`delete from spree_prices where variant_id in ${variants}`, [product])
    await db.query('delete from spree_variants where product_id = $1', [product])
    await db.query('delete from spree_products where id = $1', [product])
  })
}

/** Everything that a rolled-back transaction can leave nowhere: names, prices, levels, a new product. */
async function pretend(db: pg.ClientBase, shop: Shop, random: Random): Promise<void> {
  await db.query('update spree_products set name = $2 where id = $1', [
    random.pick(shop.products),
    ROLLED_BACK,
  ])
  await changeStock(db, shop, random.pick(shop.stockRows), ROLLED_BACK_DELTA)
  await insertRow(db, 'spree_products', {
    name: ROLLED_BACK,
    slug: `${ROLLED_BACK}-${shop.mark}-${shop.counter++}`,
  })
}

export const rollBack: Act = async (db, shop, random) => {
  await db.query('begin')
  await pretend(db, shop, random)
  await db.query('rollback')
}

/** What the savepoint took back never was; what stands around it was. */
export const rollBackSavepoint: Act = (db, shop, random) =>
  inOneCommit(db, async () => {
    await renameProduct(db, random.pick(shop.products))
    await db.query('savepoint attempt')
    await pretend(db, shop, random)
    await db.query('rollback to savepoint attempt')
    await db.query('savepoint attempt')
    await changeStock(db, shop, random.pick(shop.stockRows), 1)
    await db.query('release savepoint attempt')
  })

/** Draws its transaction id early and commits when many later ones have. */
export const commitLate: Act = (db, shop, random) =>
  inOneCommit(db, async () => {
    await raisePrices(db, random.pick(shop.products))
    await pause(random.between(200, 1500))
    await changeStock(db, shop, random.pick(shop.stockRows), -1)
  })

/** Not Rails: an import that upserts levels by their key. */
export const upsertStock: Act = async (db, shop, random) => {
  await db.query(
    `insert into ${shop.stock} as s (id, stock_location_id, variant_id, count_on_hand, created_at, updated_at)
     select id, stock_location_id, variant_id, $2, created_at, ${UTC} from ${shop.stock} where id = $1
     on conflict (id) do update set count_on_hand = s.count_on_hand + excluded.count_on_hand`,
    [random.pick(shop.stockRows), random.between(1, 4)],
  )
}

/** Not Rails: products, variants, prices and stock by COPY, in one commit. */
export const copyProducts: Act = async (db, shop, random) => {
  const products: string[] = []
  await inOneCommit(db, async () => {
    for (let count = 0; count < 2; count++) {
      const [product, variant] = await takeIds(db, 'spree_products', 'spree_variants')
      const name = `Copied ${shop.mark} ${shop.counter++}`
      const time = new Date().toISOString().replace('Z', '')
      await copyRow(db, 'spree_products (id, name, slug, status, created_at, updated_at)', [
        product,
        name,
        name.toLowerCase().replaceAll(' ', '-'),
        'active',
        time,
        time,
      ])
      await copyRow(db, 'spree_variants (id, product_id, sku, is_master, position, created_at, updated_at)', [
        variant,
        product,
        name.replaceAll(' ', '-'),
        shop.family === 'spree-4.10' ? 't' : 'f',
        '1',
        time,
        time,
      ])
      await copyRow(db, 'spree_prices (variant_id, amount, currency, created_at, updated_at)', [
        variant,
        '5.00',
        'USD',
        time,
        time,
      ])
      await copyRow(
        db,
        `${shop.stock} (stock_location_id, variant_id, count_on_hand, created_at, updated_at)`,
        [shop.location, variant, String(random.between(1, 9)), time, time],
      )
      products.push(product)
    }
  })
  shop.products.push(...products)
  shop.ownProducts.push(...products)
}

async function takeIds(db: pg.ClientBase, ...tables: [string, string]): Promise<[string, string]> {
  const { rows } = await db.query<{ first: string; second: string }>(
    `select nextval(pg_get_serial_sequence($1, 'id')) as first, nextval(pg_get_serial_sequence($2, 'id')) as second`,
    tables,
  )
  return [String(rows[0]?.first), String(rows[0]?.second)]
}

async function copyRow(db: pg.ClientBase, into: string, values: readonly string[]): Promise<void> {
  await pipeline([`${values.join('\t')}\n`], (db as pg.Client).query(copyFrom(`copy ${into} from stdin`)))
}
