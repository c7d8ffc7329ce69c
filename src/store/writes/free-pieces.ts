import type { Db } from '../../postgres/pool.ts'
import type { PlacedOrder } from './find-order.ts'
import type { Variant } from './import-references.ts'
import { NotApplicable } from './not-applicable.ts'
import type { Shop } from './shop.ts'

/** A line of an order, and how many of its pieces no parcel holds. */
export type FreeLine = Readonly<{ id: string; variant: Variant; free: number }>

type Row = Readonly<{
  id: string
  variantId: string
  sku: string
  productId: string
  tracked: boolean
  free: number
}>

/** The lines of an order that hold these SKUs. What a canceled parcel held has gone back, and is free. */
export async function readFreeLines(
  db: Db,
  shop: Shop,
  { id }: PlacedOrder,
  skus: readonly string[],
): Promise<FreeLine[]> {
  const quantity = shop.columns.has(shop.units, 'quantity') ? 'coalesce(u.quantity, 1)' : '1'
  const { rows } = await db.query<Row>(
    `select l.id::text, v.id::text as "variantId", v.sku, v.product_id::text as "productId",
            coalesce(v.track_inventory, true) as tracked,
            greatest(l.quantity - coalesce(
              (select sum(${quantity})
                 from ${shop.table(shop.units)} u
                 join ${shop.table(shop.shipments)} s on s.id = u.${shop.unitShipment}
                where u.line_item_id = l.id
                  and u.${shop.state} <> 'canceled'
                  and s.${shop.state} is distinct from 'canceled'), 0), 0)::integer as free
       from ${shop.table('spree_line_items')} l
       join ${shop.table('spree_variants')} v on v.id = l.variant_id
      where l.order_id = $1::bigint
        and v.sku = any($2::text[])
      order by l.id`,
    [id, skus],
  )
  return rows.map(({ id: lineId, variantId, sku, productId, tracked, free }) => ({
    id: lineId,
    variant: {
      id: variantId,
      sku,
      productId,
      tracked,
      costPrice: null,
      taxCategoryId: null,
      shippingCategoryId: null,
    },
    free,
  }))
}

/** Those of them that no variant has. */
export async function unknownSkus(db: Db, shop: Shop, skus: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ sku: string }>(
    `select sku from ${shop.table('spree_variants')} where sku = any($1::text[])`,
    [skus],
  )
  const known = new Set(rows.map(({ sku }) => sku))
  return skus.filter((sku) => !known.has(sku))
}

/**
 * Gives the pieces of a parcel to the lines; `line` is a place in `lines`.
 * @throws NotApplicable where other parcels hold them: it may well be one of those, told under another number. A part of one
 * would have to be split off first, which is an act of the shop and gives that part a number of its own.
 */
export function shareOut(
  lines: readonly FreeLine[],
  pieces: ReadonlyMap<string, number>,
): Readonly<{ line: number; quantity: number }>[] {
  return [...pieces].flatMap(([sku, quantity]) => {
    let wanted = quantity
    const items = lines.flatMap(({ variant, free }, line) => {
      const taken = variant.sku === sku ? Math.min(free, wanted) : 0
      wanted -= taken
      return taken > 0 ? [{ line, quantity: taken }] : []
    })
    if (wanted === 0) return items
    throw new NotApplicable(
      'pieces_held',
      `Of SKU ${sku} this parcel holds ${quantity}, and no more than ${quantity - wanted} of the order are in none of its parcels yet; what another holds is not moved out of it here. ` +
        'If this is that one, let it leave under its own number (update_shipment) and discard this; if it is a part of it, split that off in the shop first; else correct the message, then retry.',
    )
  })
}
