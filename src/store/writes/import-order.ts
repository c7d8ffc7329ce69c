import { randomBytes } from 'node:crypto'

import { amountText } from '../../messages/amount.ts'
import { sqlState } from '../../postgres/errors.ts'
import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import type { Columns } from '../columns.ts'
import { quoteName } from '../json-sql.ts'
import type { Store } from '../store.ts'
import { addressRow } from './import-address.ts'
import {
  findCustomer,
  findPaymentMethods,
  findShippingMethods,
  findShop,
  findVariants,
  type Shop,
  type Warn,
} from './import-references.ts'
import { insertLines, insertPayments, insertShipments, insertStateChanges } from './import-rows.ts'
import { placeShipments, takeStock } from './import-stock.ts'
import { countTaxes } from './import-taxes.ts'
import { orderTotals, type Totals } from './import-totals.ts'
import { type ImportWords, importWords, type PlacedStates } from './import-words.ts'
import type { ImportedOrder } from './imported-order.ts'
import { insertRows } from './insert-rows.ts'
import { NotApplicable } from './not-applicable.ts'

/** Of an order in a store that keeps a row for each; its own code would write them one by one. */
const MOST_PIECES = 20_000

/**
 * Writes a placed order with all that hangs on it and takes its goods from stock, in the caller's transaction, as the
 * store's own code leaves them: recalculating changes nothing. No customer is made, no card charged; taxed is it only where
 * the store would do so itself at the next update (Solidus).
 * `warn` is told of each name that the store does not know and what was taken instead.
 * @returns the order's id.
 * @throws NotApplicable where the store cannot take it; the transaction must then be rolled back.
 */
export async function importOrder(db: Db, store: Store, order: ImportedOrder, warn: Warn): Promise<string> {
  try {
    return await writeOrder(db, store, order, warn)
  } catch (error) {
    const state = sqlState(error)
    if (state === '22003')
      throw new NotApplicable(
        'amount_too_large',
        `Order ${order.number} cannot be imported: one of its amounts, or their sum, is larger than this store's columns hold.`,
      )
    if (state === '22001')
      throw new NotApplicable(
        'text_too_long',
        `Order ${order.number} cannot be imported: this store keeps texts of 255 characters, and one of it is longer. Shorten it (the street by the parameter truncate_address_address1 of the mapping), then retry.`,
      )
    throw error
  }
}

async function writeOrder(db: Db, store: Store, told: ImportedOrder, warn: Warn): Promise<string> {
  const { columns } = store
  const words = importWords(store)
  const given = withoutShown(words, told)
  await refuseExisting(db, columns, words, given.number)
  refuseFinerAmounts(words, given)
  if (words.unitsArePieces) refuseTooManyPieces(given)
  const bySku = await findVariants(db, store, given)
  const variants = given.lines.flatMap(({ sku }) => bySku.get(sku) ?? [])
  const shop = await findShop(db, columns, given)
  const paymentMethods = await findPaymentMethods(db, columns, shop.storeId, given, warn)
  const billing = await addressRow(db, columns, given.billingAddress, warn)
  const shipping = await addressRow(db, columns, given.shippingAddress, warn)
  const customerId = await findCustomer(db, columns, given.email)
  const placement = await placeShipments(db, columns, words, shop.storeId, given, variants, warn)
  const placed = { ...given, shipments: placement.shipments }
  const methods = await findShippingMethods(db, columns, words, shop.storeId, placed, warn)
  const methodIds = methods.map(({ id }) => id)
  const order = words.retaxes
    ? await countTaxes(db, columns, placed, { shipping, variants, methods }, warn)
    : placed

  const { at } = shop
  const totals = orderTotals(order)
  const isShort = placement.shipments.map(({ units }) => units.some(({ state }) => state === 'backordered'))
  const states = words.states(order, totals, isShort)
  const [billId = '', shipId = ''] = await insertRows(db, columns, 'spree_addresses', at, [billing, shipping])
  const orderId = await insertOrder(db, columns, words, order, shop, totals, states, {
    customerId,
    billId,
    shipId,
  })
  const lineIds = await insertLines(db, columns, order, variants, words.discountsOn, { orderId, at })
  const shipmentIds = await insertShipments(db, columns, words, order, placement.shipments, {
    orderId,
    addressId: shipId,
    methodIds,
    lineIds,
    variants,
    states: states.shipments,
    at,
  })
  await words.insertAdjustments(db, columns, order, { orderId, lineIds, shipmentIds, methodIds, at })
  await insertPayments(db, columns, words, order, paymentMethods, { orderId, at })
  if (words.logsStates) await insertStateChanges(db, columns, states, { orderId, at, userId: customerId })
  await takeStock(db, store, words, placement, variants, { orderId, shipmentIds, at })
  return orderId
}

/** A number that the store would show anyway is not written down, as in an order that 6.x told. */
function withoutShown(words: ImportWords, order: ImportedOrder): ImportedOrder {
  if (words.shipmentNumber() !== null) return order
  const shipments = order.shipments.map((shipment, index) =>
    shipment.number === `${order.number}-F${index + 1}` ? { ...shipment, number: null } : shipment,
  )
  return { ...order, shipments }
}

async function refuseExisting(db: Db, columns: Columns, words: ImportWords, number: string): Promise<void> {
  // Of two at the same time the second waits here, and then finds the first.
  if (!words.numbersAreUnique)
    await queryPrepared(db, 'select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `spree-bridge order ${number}`,
    ])
  const { rows } = await queryPrepared(
    db,
    `select from ${quoteName(columns.schema)}.spree_orders where number = $1 limit 1`,
    [number],
  )
  if (rows.length > 0) throw alreadyThere(number)
}

function alreadyThere(number: string): NotApplicable {
  return new NotApplicable(
    'order_exists',
    `Order ${number} is in this store already: an order is imported once, and this message changed nothing of it.`,
  )
}

function refuseFinerAmounts(words: ImportWords, order: ImportedOrder): void {
  const amounts = [
    ...order.lines.map(({ price }) => price),
    ...[...order.taxes, ...order.discounts, ...order.fees].map(({ amount }) => amount),
    ...order.shipments.map(({ cost }) => cost),
    ...order.payments.map(({ amount }) => amount),
  ]
  const finer = amounts.find((amount) => amount % words.finestAmount !== 0n)
  if (finer === undefined) return
  throw new NotApplicable(
    'amount_too_fine',
    `Order ${order.number} cannot be imported: this store keeps amounts to two decimals, and ${amountText(finer)} has more.`,
  )
}

function refuseTooManyPieces({ number, lines }: ImportedOrder): void {
  const pieces = lines.reduce((sum, { quantity }) => sum + quantity, 0)
  if (pieces <= MOST_PIECES) return
  throw new NotApplicable(
    'too_many_pieces',
    `Order ${number} cannot be imported: this store keeps a row for each of its ${pieces} pieces, and more than ${MOST_PIECES} are not written at once. Split it into several.`,
  )
}

async function insertOrder(
  db: Db,
  columns: Columns,
  words: ImportWords,
  order: ImportedOrder,
  shop: Shop,
  totals: Totals,
  states: PlacedStates,
  ids: Readonly<{ customerId: string | null; billId: string; shipId: string }>,
): Promise<string> {
  const quantity = order.lines.reduce((sum, line) => sum + line.quantity, 0)
  const hasToken = columns.has('spree_orders', 'token') || columns.has('spree_orders', 'guest_token')
  const token = randomBytes(24).toString('base64url')
  const row = {
    number: order.number,
    email: order.email,
    currency: order.currency,
    channel: order.channel,
    token,
    guest_token: token,
    store_id: shop.storeId,
    market_id: shop.marketId,
    channel_id: shop.channelId,
    locale: shop.locale,
    user_id: ids.customerId,
    customer_id: ids.customerId,
    bill_address_id: ids.billId,
    ship_address_id: ids.shipId,
    state: states.order,
    status: 'placed',
    completed_at: order.placedAt,
    payment_state: states.payment,
    payment_status: states.payment,
    shipment_state: states.shipment,
    fulfillment_status: states.shipment,
    item_total: amountText(totals.item),
    item_count: quantity,
    total_quantity: quantity,
    shipment_total: amountText(totals.shipping),
    delivery_total: amountText(totals.shipping),
    included_tax_total: amountText(totals.includedTax),
    additional_tax_total: amountText(totals.additionalTax),
    adjustment_total: amountText(words.adjustmentTotal(totals)),
    promo_total: '0',
    discount_total: amountText(totals.discount),
    fee_total: amountText(totals.fee),
    total: amountText(totals.order),
    payment_total: amountText(totals.payment),
    applied_tax_exemptions: '[]',
  }
  try {
    const [id = ''] = await insertRows(db, columns, 'spree_orders', shop.at, [row])
    // Before 2.3 the token by which a guest sees the order is a row of its own.
    if (!hasToken && columns.has('spree_tokenized_permissions')) {
      const permission = { permissable_type: 'Spree::Order', permissable_id: id, token }
      await insertRows(db, columns, 'spree_tokenized_permissions', shop.at, [permission])
    }
    return id
  } catch (error) {
    // Another import of the same number was first.
    if (sqlState(error) === '23505') throw alreadyThere(order.number)
    throw error
  }
}
