import { amountText } from '../../messages/amount.ts'
import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../store.ts'
import { lockOrderOfNumber, type PlacedOrder } from './find-order.ts'
import { findShipments } from './find-shipment.ts'
import { readFreeLines, shareOut, unknownSkus } from './free-pieces.ts'
import { addressRow, namesBeside } from './import-address.ts'
import { findShippingMethods } from './import-references.ts'
import { insertShipments } from './import-rows.ts'
import { placeShipments, takeStock } from './import-stock.ts'
import { importWords } from './import-words.ts'
import type { ImportedParcels } from './imported-order.ts'
import type { NewParcel } from './new-parcel.ts'
import { NotApplicable } from './not-applicable.ts'
import { refreshShipments } from './order-shipping.ts'
import { payOrder } from './pay-order.ts'
import { insertRow, NOW, utcNow } from './rows.ts'
import { type Shop, shopOf } from './shop.ts'
import { recordPaymentState } from './state-changes.ts'
import { findLocation } from './stock-place.ts'
import { takeTurns } from './take-turns.ts'
import { setTracking } from './tracking.ts'
import { refuseFamilyOf20 } from './written-family.ts'

export type Packed = Readonly<{
  /** There is a shipment of that number: nothing was changed. */
  already: boolean
  orderId: string
  /** In the family's own word. */
  state: string | null
  /** The order was paid, and is not with what this parcel costs. */
  owes: boolean
  /** What of the parcel the store has no place for. */
  left: readonly string[]
}>

/**
 * Adds a parcel to a placed order, of pieces that none of its parcels holds: they are taken from stock or owed, as at a
 * checkout; what the parcel costs is the order's to pay; its state is what the shop itself makes of that.
 * @throws NotApplicable for what the store does not know, pieces that others hold, or a cost that would be taxed.
 */
export async function packParcel(db: Db, store: Store, parcel: NewParcel): Promise<Packed> {
  refuseFamilyOf20(store.family)
  const { columns } = store
  const shop = shopOf(store)
  const words = importWords(store)
  const order = await lockOrderOfNumber(db, shop, parcel.orderNumber)
  await takeTurns(db, [`shipment ${parcel.number}`])
  if ((await findShipments(db, shop, parcel.number)).length > 0)
    return { already: true, orderId: order.id, state: null, owes: false, left: [] }
  if (order.state === 'canceled')
    throw new NotApplicable(
      'order_canceled',
      `Order ${order.number} is canceled: resume it in the shop, then retry.`,
    )

  const { id: addressId, left } = await addressOf(db, shop, order, parcel.address)
  await findLocation(db, shop, { name: parcel.stockLocation })
  const skus = [...parcel.pieces.keys()]
  const lines = await readFreeLines(db, shop, order, skus)
  const variants = lines.map(({ variant }) => variant)
  const { number, cost, stockLocation, shippingMethod } = parcel
  const parcels = (items: ImportedParcels['shipments'][number]['items']): ImportedParcels => ({
    number: order.number,
    shipments: [{ number, cost, stockLocation, shippingMethod, tracking: null, items }],
    namesShipments: true,
    taxes: [],
  })
  const refuse = (code: string) => (_subject: string, why: string) => {
    throw new NotApplicable(code, `Shipment ${number} cannot be added: ${why}.`)
  }
  const { storeId } = order
  const noMethod = refuse('unknown_method')
  const methods = await findShippingMethods(db, columns, words, storeId, parcels([]), noMethod)
  if (cost > 0n && methods.some(({ taxCategoryId }) => taxCategoryId !== null))
    throw new NotApplicable(
      'taxed_shipping',
      `What shipment ${number} costs is taxed by this shop: add it there, or send it without its cost, then retry.`,
    )
  await refuseForeign(db, shop, skus, variants)
  const written = parcels(shareOut(lines, parcel.pieces))
  const noPlace = refuse('unknown_location')
  const placement = await placeShipments(db, columns, words, storeId, written, variants, noPlace)
  const at = await utcNow(db)
  const shipmentIds = await insertShipments(db, columns, words, written, placement.shipments, {
    orderId: order.id,
    addressId,
    methodIds: methods.map(({ id }) => id),
    lineIds: lines.map(({ id }) => id),
    variants,
    states: [shop.family === 'spree-6.0' ? 'unfulfilled' : 'pending'],
    at,
  })
  await takeStock(db, store, words, placement, variants, { orderId: order.id, shipmentIds, at })
  const [id = ''] = shipmentIds
  const held = { id, number, state: null, tracking: null, locationId: null, order }
  await setTracking(db, shop, held, { tracking: parcel.tracking, trackingUrl: null, carrier: null })
  const owes = await charge(db, shop, order, parcel)
  await refreshShipments(db, shop, order.id, shipmentIds)
  return { already: false, orderId: order.id, state: await stateOf(db, shop, id), owes, left }
}

/** @throws NotApplicable for SKUs that no variant has, or no line of the order. */
async function refuseForeign(
  db: Db,
  shop: Shop,
  skus: readonly string[],
  variants: readonly Readonly<{ sku: string }>[],
): Promise<void> {
  const foreign = skus.filter((sku) => !variants.some((variant) => variant.sku === sku))
  const unknown = await unknownSkus(db, shop, foreign)
  if (unknown.length > 0)
    throw new NotApplicable(
      'unknown_skus',
      `Can't find variants with the following skus: ${unknown.join(', ')}`,
    )
  if (foreign.length > 0)
    throw new NotApplicable(
      'no_line',
      `Can't find line_items with the following skus: ${foreign.join(', ')} in the order.`,
    )
}

/** The order's own address where it is that; else one of the parcel's own, for which Solidus has no place. */
async function addressOf(
  db: Db,
  shop: Shop,
  { shipAddressId }: PlacedOrder,
  address: NewParcel['address'],
): Promise<Readonly<{ id: string; left: readonly string[] }>> {
  // A state that is not known is kept as text.
  const names = await namesBeside(db, shop.columns, shipAddressId, address)
  const row = await addressRow(db, shop.columns, { ...address, ...names }, () => {})
  const given = Object.entries(row).filter(([name]) => shop.columns.has('spree_addresses', name))
  const same = given.map(([name], index) => `coalesce(${name}::text, '') = coalesce($${index + 2}::text, '')`)
  const { rows } = await db.query(
    `select from ${shop.table('spree_addresses')} where id = $1::bigint and ${same.join(' and ')}`,
    [shipAddressId, ...given.map(([, value]) => value)],
  )
  if (rows.length > 0 && shipAddressId !== null) return { id: shipAddressId, left: [] }
  if (!shop.columns.has(shop.shipments, 'address_id'))
    return { id: shipAddressId ?? '', left: ['shipping_address'] }
  return { id: await insertRow(db, shop, 'spree_addresses', row), left: [] }
}

/** What it costs is the order's to pay: whether it owes it now. */
async function charge(db: Db, shop: Shop, order: PlacedOrder, { cost }: NewParcel): Promise<boolean> {
  if (cost === 0n) return false
  const column = shop.family === 'spree-6.0' ? 'delivery_total' : 'shipment_total'
  await db.query(
    `update ${shop.table('spree_orders')}
        set ${column} = ${column} + $2::numeric, total = total + $2::numeric, updated_at = ${NOW}
      where id = $1::bigint`,
    [order.id, amountText(cost)],
  )
  const { paid, paymentState } = await payOrder(db, shop, order.id)
  await recordPaymentState(db, shop, order, paymentState)
  return order.paid && !paid
}

async function stateOf(db: Db, shop: Shop, id: string): Promise<string | null> {
  const { rows } = await db.query<{ state: string | null }>(
    `select ${shop.state} as state from ${shop.table(shop.shipments)} where id = $1::bigint`,
    [id],
  )
  return rows[0]?.state ?? null
}
