import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import type { Columns } from '../columns.ts'
import { quoteName } from '../json-sql.ts'
import type { Store } from '../store.ts'
import { isBareMaster } from './bare-master.ts'
import type { ImportWords } from './import-words.ts'
import type { ImportedOrder, ImportedParcels } from './imported-order.ts'
import { NotApplicable } from './not-applicable.ts'
import { shopOf } from './shop.ts'

/** Told for each thing that was not found and replaced by another. */
export type Warn = (subject: string, description: string) => void

export type Variant = Readonly<{
  id: string
  sku: string
  productId: string
  costPrice: string | null
  taxCategoryId: string | null
  /** In 6.x its delivery profile. */
  shippingCategoryId: string | null
  /** Its stock is counted. */
  tracked: boolean
}>

export type Shop = Readonly<{
  storeId: string | null
  marketId: string | null
  channelId: string | null
  locale: string | null
  /** The transaction's time, UTC, as the columns without zone take it. */
  at: string
}>

/** `and` a row is not deleted, where the table's rows can be. */
export function living(columns: Columns, table: string, alias: string): string {
  return columns.has(table, 'deleted_at') ? `and ${alias}.deleted_at is null` : ''
}

/** `and` a row is of the store whose id the parameter holds, or of none; before 6.0 they are of all. */
export function ofStore(columns: Columns, table: string, alias: string, parameter: string): string {
  const owner = columns.has(table, 'store_id') ? `${alias}.store_id` : 'null::bigint'
  return `and coalesce(${owner} = ${parameter}::bigint, true)`
}

/** The default store, as Spree's own import takes it, and there the market of the currency and the channel of the name. */
export async function findShop(db: Db, columns: Columns, order: ImportedOrder): Promise<Shop> {
  const schema = quoteName(columns.schema)
  const market = columns.has('spree_orders', 'market_id')
    ? `(select m.id
          from ${schema}.spree_markets m
         where m.store_id = s.id ${living(columns, 'spree_markets', 'm')}
         order by m.currency = $1 desc, m."default" desc, m.position, m.id
         limit 1)`
    : 'null'
  const channel = columns.has('spree_orders', 'channel_id')
    ? `(select c.id
          from ${schema}.spree_channels c
         where c.store_id = s.id
         order by lower($2) in (lower(c.name), lower(c.code)) desc, c."default" desc, c.id
         limit 1)`
    : 'null'
  // Before 2.3 the shop is one without a row.
  const stores = columns.has('spree_stores')
    ? `(select * from ${schema}.spree_stores s where true ${living(columns, 'spree_stores', 's')})`
    : '(select null as id, false as "default" limit 0)'
  const { rows } = await queryPrepared<Shop>(
    db,
    `select (now() at time zone 'utc')::text as at,
            s.id::text as "storeId",
            ${market}::text as "marketId",
            ${channel}::text as "channelId",
            ${columns.has('spree_stores', 'default_locale') ? 's.default_locale' : 'null'} as locale
       from (select $1::text, $2::text) given
       left join ${stores} s on true
      order by s."default" desc nulls last, s.id
      limit 1`,
    [order.currency, order.channel],
  )
  return rows[0] ?? { at: '', storeId: null, marketId: null, channelId: null, locale: null }
}

/** Whoever has this e-mail address; nobody is made a customer by an import, as by Spree's own. */
export async function findCustomer(db: Db, columns: Columns, email: string): Promise<string | null> {
  const { customers } = columns
  if (customers === undefined) return null
  const { rows } = await queryPrepared<{ id: string }>(
    db,
    `select u.id::text
       from ${quoteName(columns.schema)}.${quoteName(customers)} u
      where u.email in ($1::text, lower($1::text)) ${living(columns, customers, 'u')}
      order by u.id
      limit 1`,
    [email],
  )
  return rows[0]?.id ?? null
}

/**
 * The living variants of the lines, by SKU. @throws NotApplicable that names every SKU without one, or with several, or of a
 * master that the shop leaves without stock.
 */
export async function findVariants(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  order: ImportedOrder,
): Promise<ReadonlyMap<string, Variant>> {
  const { columns } = store
  const schema = quoteName(columns.schema)
  const itsOwnOrItsProducts = (column: string) =>
    columns.has('spree_variants', column) ? `coalesce(v.${column}, p.${column})` : `p.${column}`
  const shippingCategory = columns.has('spree_products', 'delivery_profile_id')
    ? 'delivery_profile_id'
    : 'shipping_category_id'
  const skus = [...new Set(order.lines.map(({ sku }) => sku))]
  const { rows } = await queryPrepared<Variant & { bare: boolean }>(
    db,
    `select v.id::text,
            v.sku,
            ${isBareMaster(shopOf(store))} as bare,
            v.product_id::text as "productId",
            v.cost_price::text as "costPrice",
            coalesce(${itsOwnOrItsProducts('tax_category_id')}, ${defaultTaxCategory(columns)})::text as "taxCategoryId",
            ${itsOwnOrItsProducts(shippingCategory)}::text as "shippingCategoryId",
            coalesce(v.track_inventory, true) as tracked
       from ${schema}.spree_variants v
       join ${schema}.spree_products p on p.id = v.product_id
      where v.sku = any($1::text[])
        and v.deleted_at is null
        and p.deleted_at is null
      order by v.id`,
    [skus],
  )
  const found = new Map(rows.map((variant) => [variant.sku, variant]))
  const missing = skus.filter((sku) => !found.has(sku))
  if (missing.length > 0) {
    throw new NotApplicable(
      'unknown_sku',
      `Order ${order.number} cannot be imported: this store has no variant with SKU ${missing.join(', ')}.`,
      missing,
    )
  }
  const ambiguous = skus.filter((sku) => rows.filter((variant) => variant.sku === sku).length > 1)
  if (ambiguous.length > 0) {
    throw new NotApplicable(
      'ambiguous_sku',
      `Order ${order.number} cannot be imported: SKU ${ambiguous.join(', ')} belongs to several living variants; give each its own SKU, then retry.`,
    )
  }
  const bare = rows.filter((variant) => variant.bare).map(({ sku }) => sku)
  if (bare.length > 0) {
    throw new NotApplicable(
      'master_of_variants',
      `Order ${order.number} cannot be imported: SKU ${bare.join(', ')} is that of a product with variants, and this store keeps prices and stock of the variants alone: send their SKUs instead.`,
    )
  }
  return found
}

/** What the shop's own code takes for a product `p` that names none (`Product#tax_category`). */
function defaultTaxCategory(columns: Columns): string {
  const ofStore = columns.has('spree_tax_categories', 'store_id')
    ? 'and (c.store_id is null or c.store_id = p.store_id)'
    : ''
  return `(
              select c.id
                from ${quoteName(columns.schema)}.spree_tax_categories c
               where c.is_default ${living(columns, 'spree_tax_categories', 'c')} ${ofStore}
               order by c.id
               limit 1)`
}

export type PaymentMethod = Readonly<{ id: string; name: string; needsSource: boolean }>

/** Ids of the payments' methods, by the names given, of those of the store. @throws NotApplicable that lists every name without one. */
export async function findPaymentMethods(
  db: Db,
  columns: Columns,
  storeId: string | null,
  order: ImportedOrder,
  warn: Warn,
): Promise<ReadonlyMap<string, string>> {
  const schema = quoteName(columns.schema)
  // From 4.3 to 5.x a method may serve some stores only.
  const serving = columns.has('spree_payment_methods_stores')
    ? `exists (
              select
                from ${schema}.spree_payment_methods_stores s
               where s.payment_method_id = m.id
                 and s.store_id = $2::bigint) desc, `
    : ''
  const { rows } = await queryPrepared<PaymentMethod>(
    db,
    `select distinct on (given.name)
            m.id::text,
            given.name,
            m.type ~ '(Gateway|CreditCard|StoreCredit)' as "needsSource"
       from unnest($1::text[]) given (name)
       join ${schema}.spree_payment_methods m
         on lower(m.name) = lower(given.name)
            ${living(columns, 'spree_payment_methods', 'm')}
            ${ofStore(columns, 'spree_payment_methods', 'm', '$2')}
      order by given.name, ${serving}m.active desc, m.id`,
    [[...new Set(order.payments.map(({ method }) => method))], storeId],
  )
  const found = new Map(rows.map(({ name, id }) => [name, id]))
  const missing = order.payments.map(({ method }) => method).filter((name) => !found.has(name))
  if (missing.length > 0) {
    throw new NotApplicable(
      'unknown_payment_method',
      `Order ${order.number} cannot be imported: this store has no payment method named ${[...new Set(missing)].join(', ')}.`,
    )
  }
  for (const { name, needsSource } of rows) {
    if (needsSource) {
      warn(
        'payment has no source',
        `its payment by ${name} is known to this store by its amount only: capture, void or refund it where it was made`,
      )
    }
  }
  return found
}

export type ShippingMethod = Readonly<{ id: string; taxCategoryId: string | null }>
type Method = ShippingMethod & Readonly<{ names: readonly string[]; name: string; ships: boolean }>

/** Of the store, the method of each shipment, by its name, the name for the staff or the code, else the first that ships goods. */
export async function findShippingMethods(
  db: Db,
  columns: Columns,
  words: ImportWords,
  storeId: string | null,
  order: ImportedParcels,
  warn: Warn,
): Promise<readonly ShippingMethod[]> {
  const { methods } = words
  const ships = columns.has(methods, 'fulfillment_provider')
    ? `coalesce(m.fulfillment_provider, '') !~ '(Digital|Pickup)$'`
    : 'true'
  const names = ['name', 'admin_name', 'code']
    .filter((name) => columns.has(methods, name))
    .map((name) => `lower(m.${name})`)
  const { rows } = await queryPrepared<Method>(
    db,
    `select m.id::text,
            m.name,
            array_remove(array[${names.join(', ')}], null) as names,
            ${ships} as ships,
            ${columns.has(methods, 'tax_category_id') ? 'm.tax_category_id::text' : 'null'} as "taxCategoryId"
       from ${quoteName(columns.schema)}.${methods} m
      where true
        ${living(columns, methods, 'm')}
        ${ofStore(columns, methods, 'm', '$1')}
      order by m.id`,
    [storeId],
  )
  const first = rows.find((method) => method.ships) ?? rows[0]
  return order.shipments.map(({ shippingMethod }) => {
    const named = rows.find(({ names }) => names.includes(shippingMethod?.toLowerCase() ?? ''))
    const method = named ?? first
    if (!method) {
      throw new NotApplicable(
        'no_shipping_method',
        `Order ${order.number} cannot be imported: this store has no shipping method.`,
      )
    }
    if (shippingMethod !== null && !named) {
      warn(
        'shipping method was not found',
        `this store has none named ${shippingMethod}; ${method.name} was taken`,
      )
    }
    return method
  })
}
