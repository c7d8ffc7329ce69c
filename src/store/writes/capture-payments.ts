import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../store.ts'
import { lockOrderOfNumber, type PlacedOrder } from './find-order.ts'
import { NotApplicable } from './not-applicable.ts'
import { refreshShipments } from './order-shipping.ts'
import { payOrder } from './pay-order.ts'
import { insertRow, updateRow } from './rows.ts'
import { type Shop, shopOf } from './shop.ts'
import { recordPaymentState, recordState } from './state-changes.ts'
import { refuseFamilyOf20 } from './written-family.ts'

/** A row of `spree_payments`, in the words of the protocol; times are ISO 8601, UTC without zone. */
export type Payment = Readonly<{
  id: string
  amount: string
  state: string
  sourceType: string | null
  sourceId: string | null
  paymentMethodId: string | null
  responseCode: string | null
  avsResponse: string | null
  createdAt: string | null
  updatedAt: string | null
}>

export type Captured = Readonly<{
  orderNumber: string
  /** Now; none where what is asked for was captured before. */
  captured: readonly Payment[]
  /** What was captured before. */
  before: readonly Payment[]
}>

type Found = Readonly<{
  id: string
  state: string
  type: string | null
  method: string | null
  amount: string
}>

/** Whose `capture` asks nobody: it answers that the money is there (`PaymentMethod::Check`). */
const WITHOUT_GATEWAY = 'Spree::PaymentMethod::Check'
const OPEN: readonly string[] = ['checkout', 'pending']

/** As Spree logs it: what its method for checks answers to every capture. */
const RESPONSE = `--- !ruby/object:ActiveMerchant::Billing::Response
params: {}
message: ''
success: true
test: false
authorization:
fraud_review:
error_code:
emv_authorization:
network_transaction_id:
pending: false
avs_result:
  code:
  message:
  street_match:
  postal_match:
cvv_result:
  code:
  message:
`
/** From 5.4 on, which has an answer of its own: the pages of the shop read no other unless they have that gem besides. */
const RESPONSE_OF_54 = `--- !ruby/object:Spree::PaymentResponse
success: true
message: ''
params: !ruby/hash:ActiveSupport::HashWithIndifferentAccess {}
test: false
authorization:
avs_result:
  code:
cvv_result:
  code:
  message:
`

/**
 * Captures what an order has yet to pay by check, the oldest payment first, until the total is covered, as the shop itself
 * does (`Payment#capture!`, in 6.x `Payments::Capture`). Cards and store credit are left to it: the former are taken by a
 * gateway, the latter out of an account of its own.
 * @param paymentId one payment alone.
 * @throws NotApplicable where it is not there, canceled, or not to be captured by us.
 */
export async function capturePayments(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  number: string,
  paymentId: string | null,
): Promise<Captured> {
  refuseFamilyOf20(store.family)
  const shop = shopOf(store)
  const order = await lockOrderOfNumber(db, shop, number)
  const payments = (await lockPayments(db, shop, order.id)).filter(
    ({ id }) => paymentId === null || id === paymentId,
  )
  const open = payments.filter(({ state }) => OPEN.includes(state))
  const done = payments.filter(({ state }) => state === 'completed')
  if (done.length > 0 && (open.length === 0 || order.paid)) {
    const before = await readPayments(db, shop, done)
    return { orderNumber: number, captured: [], before }
  }
  await refuseUncapturable(db, shop, order, payments, open)
  const captured: Found[] = []
  for (const payment of open) {
    if (captured.length > 0 && (await payOrder(db, shop, order.id)).paid) break
    await capture(db, shop, order, payment)
    captured.push(payment)
  }
  const { paymentState } = await payOrder(db, shop, order.id)
  await recordPaymentState(db, shop, order, paymentState)
  await refreshShipments(db, shop, order.id, [])
  return { orderNumber: number, captured: await readPayments(db, shop, captured), before: [] }
}

async function refuseUncapturable(
  db: Db,
  shop: Shop,
  order: PlacedOrder,
  payments: readonly Found[],
  open: readonly Found[],
): Promise<void> {
  const refuse = (code: string, why: string) =>
    new NotApplicable(code, `Order ${order.number} cannot be captured: ${why}`)
  if (order.state === 'canceled')
    throw refuse('order_canceled', 'it is canceled. Resume it in the shop, then retry.')
  if (open.length === 0)
    throw refuse(
      'no_open_payment',
      payments.length === 0
        ? 'it has no such payment. Add one in the shop, then retry.'
        : `its payments are ${payments.map(({ state }) => state).join(', ')}. Add another in the shop, then retry.`,
    )
  const foreign = open.filter(({ type }) => type !== WITHOUT_GATEWAY)
  if (foreign.length > 0)
    throw refuse(
      'needs_gateway',
      `payment ${foreign.map(({ id, method, type }) => `${id} by ${method ?? 'a method that is gone'} (${type})`).join(', ')} is taken ` +
        'by a gateway or out of an account, which no row in the database does. Capture it in the shop.',
    )
  if (shop.family !== 'spree-6.0' && (await isReimbursed(db, shop, order.id)))
    throw refuse(
      'reimbursed',
      'some of it was reimbursed, and what is owed is for the shop to tell. Capture it there.',
    )
}

/** What was paid out for returns counts besides payments and refunds. */
async function isReimbursed(db: Db, shop: Shop, orderId: string): Promise<boolean> {
  if (!shop.columns.has('spree_reimbursements')) return false
  const { rows } = await db.query(
    `select from ${shop.table('spree_reimbursements')} where order_id = $1::bigint and reimbursement_status = 'reimbursed' limit 1`,
    [orderId],
  )
  return rows.length > 0
}

async function lockPayments(db: Db, shop: Shop, orderId: string): Promise<Found[]> {
  const { rows } = await db.query<Found>(
    `select p.id::text, p.${shop.state} as state, m.type, m.name as method, p.amount::text
       from ${shop.table('spree_payments')} p
       left join ${shop.table('spree_payment_methods')} m on m.id = p.payment_method_id
      where p.order_id = $1::bigint
      order by p.id
        for no key update of p`,
    [orderId],
  )
  return rows
}

/** With the steps between, where the shop keeps them. */
async function capture(db: Db, shop: Shop, order: PlacedOrder, { id, state, amount }: Found): Promise<void> {
  await updateRow(db, shop, 'spree_payments', id, { [shop.state]: 'completed' })
  await insertRow(db, shop, 'spree_payment_capture_events', { payment_id: id, amount })
  if (shop.family === 'spree-6.0') return
  await insertRow(db, shop, 'spree_log_entries', {
    source_type: 'Spree::Payment',
    source_id: id,
    details: shop.columns.has('spree_orders', 'market_id') ? RESPONSE_OF_54 : RESPONSE,
  })
  const userId = shop.family === 'solidus' ? order.userId : null
  const steps = [state, 'processing', 'completed']
  for (const [index, to] of steps.entries())
    if (index > 0)
      await recordState(db, shop, {
        of: 'Spree::Payment',
        id,
        name: 'payment',
        from: steps[index - 1] ?? null,
        to,
        userId,
      })
}

async function readPayments(db: Db, shop: Shop, found: readonly Found[]): Promise<Payment[]> {
  const { rows } = await db.query<Payment>(
    `select p.id::text, p.amount::text, p.${shop.state} as state,
            p.source_type as "sourceType", p.source_id::text as "sourceId",
            p.payment_method_id::text as "paymentMethodId",
            p.response_code as "responseCode", p.avs_response as "avsResponse",
            to_jsonb(p.created_at) #>> '{}' as "createdAt", to_jsonb(p.updated_at) #>> '{}' as "updatedAt"
       from ${shop.table('spree_payments')} p
      where p.id = any($1::bigint[])
      order by p.id`,
    [found.map(({ id }) => id)],
  )
  return rows
}
