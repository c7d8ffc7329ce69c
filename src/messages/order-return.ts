import type { RawPayload } from './message.ts'
import type { RawOrder } from './schemas/order-message.ts'
import type { CustomerReturnPayload, ReturnAuthorizationPayload } from './schemas/return-message.ts'
import type { ReturnSnapshot } from './snapshots/return-snapshot.ts'
import {
  addDecimals,
  wireDecimal,
  wireId,
  wireOptionalDecimal,
  wireOptionalId,
  wireOptionalTime,
} from './wire.ts'

type Item = ReturnSnapshot['items'][number]

/** A return as it is to be told, beside the order that it is of. */
export type OrderReturn = Readonly<{
  payload: ReturnAuthorizationPayload | CustomerReturnPayload
  /** What a digest is made of: without what belongs to the order or bears another's name. */
  content: RawPayload
}>

/** Protocol §6.7: as the connector has it, with the units and the whole order. */
export function orderReturn(snapshot: ReturnSnapshot, order: RawOrder): OrderReturn {
  const { reason, stockLocation } = snapshot
  const common = {
    id: wireId(snapshot.id),
    number: snapshot.number,
    order_id: wireId(snapshot.orderId),
    stock_location: stockLocation?.name ?? null,
    created_at: wireOptionalTime(snapshot.createdAt),
    updated_at: wireOptionalTime(snapshot.updatedAt),
    return_items: snapshot.items.map(rawReturnItem),
    inventory_units: unitsOf(snapshot, order),
    order,
  }
  const payload =
    snapshot.kind === 'customer_return'
      ? {
          ...common,
          reimbursements: snapshot.reimbursements.map((reimbursement) => ({
            id: wireId(reimbursement.id),
            number: reimbursement.number,
            reimbursement_status: reimbursement.status,
            total: wireOptionalDecimal(reimbursement.total),
          })),
        }
      : {
          ...common,
          state: snapshot.state,
          ...(snapshot.status !== null && { status: snapshot.status }),
          amount: Number(snapshot.items.map((item) => item.preTaxAmount).reduce(addDecimals, '0')),
          reason: reason?.name ?? null,
          memo: snapshot.memo,
        }
  return {
    payload,
    content: {
      ...payload,
      stock_location: stockLocation?.id,
      reason: reason?.id,
      inventory_units: undefined,
      order: undefined,
    },
  }
}

function rawReturnItem(item: Item): CustomerReturnPayload['return_items'][number] {
  const { stages, pieces } = item
  return {
    id: wireId(item.id),
    inventory_unit_id: wireOptionalId(item.inventoryUnitId),
    pre_tax_amount: wireDecimal(item.preTaxAmount),
    included_tax_total: wireDecimal(item.includedTaxTotal),
    additional_tax_total: wireDecimal(item.additionalTaxTotal),
    resellable: item.resellable,
    ...(stages && {
      return_authorization_id: wireOptionalId(stages.returnAuthorizationId),
      customer_return_id: wireOptionalId(stages.customerReturnId),
      reimbursement_id: wireOptionalId(stages.reimbursementId),
      reception_status: stages.receptionStatus,
      acceptance_status: stages.acceptanceStatus,
    }),
    ...(pieces && {
      line_item_id: wireOptionalId(pieces.lineItemId),
      variant_id: wireOptionalId(pieces.variantId),
      quantity: pieces.quantity,
      received_quantity: pieces.receivedQuantity,
    }),
  }
}

function unitsOf({ items }: ReturnSnapshot, order: RawOrder): CustomerReturnPayload['inventory_units'] {
  const concerned = new Set(items.map(({ inventoryUnitId }) => wireOptionalId(inventoryUnitId)))
  return order.shipments
    .flatMap((shipment) => shipment.inventory_units)
    .filter((unit) => concerned.has(unit.id))
    .map((unit) => ({
      ...unit,
      variant: order.line_items.find((line) => line.variant_id === unit.variant_id)?.variant ?? null,
    }))
}
