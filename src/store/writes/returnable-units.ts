import type { Db } from '../../postgres/pool.ts'
import { NotApplicable } from './not-applicable.ts'
import { piecesBySku } from './pieces-by-sku.ts'
import type { ReturnedGoods, ReturnedItem } from './returned-goods.ts'
import type { Shop } from './shop.ts'

/** A unit of an order that has left, or has come back, with its return item. */
export type ReturnUnit = Readonly<{
  id: string
  shipmentId: string
  lineId: string
  sku: string
  variantId: string
  productId: string
  tracked: boolean
  state: string
  /** Pieces. */
  quantity: number
  itemId: string | null
  reception: string | null
  acceptance: string | null
  resellable: boolean
  rmaId: string | null
  rma: string | null
  /** The number of the customer return with which it came. */
  receivedBy: string | null
}>

/** Pieces of a unit that come back: all that are left of it, or a part. */
export type Chosen = Readonly<{ unit: ReturnUnit; quantity: number; isRest: boolean; resellable: boolean }>

/** On their way, or not sent yet. */
const AWAITED: ReadonlySet<string | null> = new Set(['awaiting', 'in_transit'])

/**
 * Up to 5.x and in Solidus: the units of an order of these SKUs, locked; those that are authorized before the others, of
 * them the RMA's own first, then the newest.
 */
export async function lockReturnUnits(
  db: Db,
  shop: Shop,
  orderId: string,
  { rma, items }: ReturnedGoods,
): Promise<ReturnUnit[]> {
  const quantity = shop.columns.has(shop.units, 'quantity') ? 'coalesce(u.quantity, 1)' : '1'
  const resellable = shop.columns.has('spree_return_items', 'resellable')
    ? 'coalesce(i.resellable, true)'
    : 'true'
  const { rows } = await db.query<ReturnUnit>(
    `select u.id::text, s.id::text as "shipmentId", u.line_item_id::text as "lineId", v.sku, v.id::text as "variantId",
            v.product_id::text as "productId", coalesce(v.track_inventory, true) as tracked, u.state,
            ${quantity} as quantity, i.id::text as "itemId", i.reception_status as reception,
            i.acceptance_status as acceptance, ${resellable} as resellable, a.id::text as "rmaId", a.number as rma,
            c.number as "receivedBy"
       from ${shop.table('spree_shipments')} s
       join ${shop.table('spree_inventory_units')} u on u.shipment_id = s.id
       join ${shop.table('spree_variants')} v on v.id = u.variant_id
       left join lateral (
              select *
                from ${shop.table('spree_return_items')}
               where inventory_unit_id = u.id
                 and reception_status is distinct from 'cancelled'
               order by id desc
               limit 1) i on true
       left join ${shop.table('spree_return_authorizations')} a on a.id = i.return_authorization_id
       left join ${shop.table('spree_customer_returns')} c on c.id = i.customer_return_id
      where s.order_id = $1::bigint
        and v.sku = any($2::text[])
      order by i.id is null, a.number is distinct from $3, i.created_at desc, u.id
        for no key update of u`,
    [orderId, items.map(({ sku }) => sku), rma],
  )
  return rows
}

export function isReceived({ reception }: ReturnUnit): boolean {
  return reception === 'received'
}

function isReturnable({ state, itemId, reception }: ReturnUnit): boolean {
  return state === 'shipped' && (itemId === null || AWAITED.has(reception))
}

/** The number of the return with which just these goods came, where nothing else of them can come; else null. */
export function processedBy(units: readonly ReturnUnit[], items: readonly ReturnedItem[]): string | null {
  const wanted = piecesBySku(items)
  if (units.some(isReturnable) || wanted.size === 0) return null
  const received = piecesBySku(units.filter(isReceived))
  const isAll = [...wanted].every(([sku, quantity]) => quantity > 0 && quantity <= (received.get(sku) ?? 0))
  return isAll ? (units.find(isReceived)?.receivedBy ?? null) : null
}

/** The number of the return with which what the RMA authorizes has come already, so that other goods would be taken; else null. */
export function rmaReceivedBy(units: readonly ReturnUnit[], { rma, items }: ReturnedGoods): string | null {
  const ofRma = units.filter((unit) => rma !== null && unit.rma === rma)
  if (ofRma.some(isReturnable)) return null
  const received = piecesBySku(ofRma.filter(isReceived))
  const isAll = [...piecesBySku(items)].every(([sku, quantity]) => quantity <= (received.get(sku) ?? 0))
  return isAll ? (ofRma.find(isReceived)?.receivedBy ?? null) : null
}

/**
 * The units that come back, in their order. One that is authorized comes whole, as its return item is about all of it; of
 * others of several pieces a part may come. @throws NotApplicable where there are too few.
 */
export function chooseUnits(units: readonly ReturnUnit[], items: readonly ReturnedItem[]): Chosen[] {
  const left = new Map(units.filter(isReturnable).map((unit) => [unit, unit.quantity]))
  return items.flatMap(({ sku, quantity, resellable }) => {
    const chosen: Chosen[] = []
    let wanted = quantity
    for (const [unit, pieces] of left) {
      const isWhole = unit.itemId !== null
      if (wanted === 0 || pieces === 0 || unit.sku !== sku || (isWhole && pieces > wanted)) continue
      const taken = Math.min(pieces, wanted)
      chosen.push({
        unit,
        quantity: taken,
        isRest: taken === pieces,
        resellable: resellable && unit.resellable,
      })
      left.set(unit, pieces - taken)
      wanted -= taken
    }
    if (wanted > 0 || quantity === 0) throw tooFew()
    return chosen
  })
}

export function tooFew(): NotApplicable {
  return new NotApplicable(
    'too_few',
    'The shipped pieces of the order that are not back yet are fewer, or are authorized in other quantities.',
  )
}
