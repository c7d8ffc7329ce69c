import { rawOrder } from '../raw-order.ts'
import type { CustomerReturnObject } from '../schemas/object-messages.ts'
import type { OrderSnapshot, ReturnSnapshot } from '../snapshot.ts'
import type { OrderParts } from '../snapshots/object-parts.ts'
import { addDecimals, wireDecimal, wireId, wireOptionalDecimal, wireOptionalTime } from '../wire.ts'
import { objectPayment } from './order.ts'

type Item = ReturnSnapshot['items'][number]
type ReturnItem = CustomerReturnObject['return_items'][number]
type Reimbursement = CustomerReturnObject['reimbursements'][number]

/** A customer return of an order (protocol §9.5). One without a number has no id: undefined. */
export function customerReturnObject(
  customerReturn: ReturnSnapshot,
  order: OrderSnapshot,
  parts: OrderParts,
): CustomerReturnObject | undefined {
  const { number, items, reimbursements } = customerReturn
  if (number === null) return undefined
  const itemOf = (item: Item) => returnItem(item, order, parts)
  return {
    id: number,
    fully_reimbursed: isFullyReimbursed(customerReturn),
    stock_location: customerReturn.stockLocation?.name ?? null,
    channel: 'spree',
    resolution_path: `/admin/orders/${order.number}/customer_returns/${customerReturn.id}/edit`,
    return_items: items.map(itemOf),
    reimbursements: reimbursements.map((own): Reimbursement => {
      const known = parts.reimbursements.find(({ id }) => id === own.id)
      const refunds = order.refunds.filter(({ id }) => known?.refundIds.includes(id))
      const paid = refunds.map(({ amount }) => amount).reduce(addDecimals, known?.credits ?? '0')
      return {
        id: own.number,
        order_id: order.number,
        total: wireOptionalDecimal(own.total),
        paid_amount: wireDecimal(paid),
        reimbursement_status: own.status,
        return_items: items.filter(({ stages }) => stages?.reimbursementId === own.id).map(itemOf),
        refunds: refunds.map((refund) => refundOf(refund, order, parts)),
      }
    }),
  }
}

/** As Spree has it: every item is judged, and of those that are accepted the money went back. */
function isFullyReimbursed({ items, reimbursements }: ReturnSnapshot): boolean {
  const status = (item: Item) => item.stages?.acceptanceStatus
  if (items.some((item) => status(item) === 'pending' || status(item) === 'manual_intervention_required'))
    return false
  const reimbursed = new Set(reimbursements.filter((own) => own.status === 'reimbursed').map(({ id }) => id))
  return items
    .filter((item) => status(item) === 'accepted')
    .every(({ stages }) => reimbursed.has(stages?.reimbursementId ?? ''))
}

function returnItem(item: Item, order: OrderSnapshot, parts: OrderParts): ReturnItem {
  const { stages } = item
  const unit = order.shipments.flatMap(({ units }) => units).find(({ id }) => id === item.inventoryUnitId)
  const line = order.lineItems.find(({ variantId }) => variantId !== null && variantId === unit?.variantId)
  const known = parts.returnItems.find(({ id }) => id === item.id)
  const reimbursement = parts.reimbursements.find(({ id }) => id === stages?.reimbursementId)
  const authorization = order.returnAuthorizations?.find(({ id }) => id === stages?.returnAuthorizationId)
  return {
    id: wireId(item.id),
    return_authorization_id: authorization?.number ?? null,
    product_id: line?.variant?.sku ?? null,
    exchange_product_id: known?.exchangeSku ?? null,
    reception_status: stages?.receptionStatus ?? null,
    acceptance_status: stages?.acceptanceStatus ?? null,
    pre_tax_amount: wireDecimal(item.preTaxAmount),
    included_tax_total: wireDecimal(item.includedTaxTotal),
    additional_tax_total: wireDecimal(item.additionalTaxTotal),
    order_number: order.number,
    created_at: wireOptionalTime(known?.createdAt ?? null),
    reimbursed_at: wireOptionalTime(reimbursement?.createdAt ?? null),
    reimbursed: stages != null && stages.reimbursementId !== null,
    store: codeOf(order.extras['store']),
    resellable: item.resellable,
  }
}

function refundOf(
  { reason, amount, paymentId }: OrderSnapshot['refunds'][number],
  order: OrderSnapshot,
  parts: OrderParts,
): Reimbursement['refunds'][number] {
  const raw = rawOrder(order)
  const payment = raw.payments.find(({ id }) => id === Number(paymentId))
  return {
    reason,
    amount: wireDecimal(amount),
    description: payment?.payment_method?.name ?? null,
    payment: payment ? objectPayment(payment, raw, parts) : null,
  }
}

function codeOf(store: unknown): string | null {
  return typeof store === 'object' && store !== null && 'code' in store && typeof store.code === 'string'
    ? store.code
    : null
}
