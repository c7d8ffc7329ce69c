import { splitName } from './names.ts'
import { orderStates } from './order-states.ts'
import { rawAddress } from './raw-address.ts'
import { rawLineItem } from './raw-line-item.ts'
import { rawShipment } from './raw-shipment.ts'
import type { RawOrder } from './schemas/order-message.ts'
import type { OrderSnapshot } from './snapshot.ts'
import {
  addDecimals,
  wireDecimal,
  wireId,
  wireOptionalDecimal,
  wireOptionalId,
  wireOptionalTime,
} from './wire.ts'

type Returns = Pick<OrderSnapshot, 'returnAuthorizations' | 'returns'>

/**
 * Payload of `order:persist`: one picture of an order for all families, by the old key names of the protocol.
 * What has no source is null. The guest's token, the IP address and the cards' profiles at the gateway are withheld.
 */
export function rawOrder(order: OrderSnapshot): RawOrder {
  const states = orderStates(order)
  return {
    id: wireId(order.id),
    number: order.number,
    user_id: wireOptionalId(order.userId),
    email: order.email,
    currency: order.currency,
    channel: order.channel,
    token: null,
    last_ip_address: null,
    state: states.state,
    payment_state: states.paymentState,
    shipment_state: states.shipmentState,
    item_total: wireDecimal(order.itemTotal),
    adjustment_total: wireDecimal(order.adjustmentTotal),
    ship_total: wireDecimal(order.shipTotal),
    tax_total: wireDecimal(addDecimals(order.includedTaxTotal, order.additionalTaxTotal)),
    included_tax_total: wireDecimal(order.includedTaxTotal),
    additional_tax_total: wireDecimal(order.additionalTaxTotal),
    display_included_tax_total: null,
    display_additional_tax_total: null,
    total: wireDecimal(order.total),
    payment_total: wireDecimal(order.paymentTotal),
    created_at: wireOptionalTime(order.createdAt),
    updated_at: wireOptionalTime(order.updatedAt),
    completed_at: wireOptionalTime(order.completedAt),
    locked_at: wireOptionalTime(order.lockedAt),
    special_instructions: order.specialInstructions,
    promotion: null,
    campaign: null,
    bill_address: order.billAddress && rawAddress(order.billAddress),
    ship_address: order.shipAddress && rawAddress(order.shipAddress),
    line_items: order.lineItems.map(rawLineItem),
    payments: order.payments.map((payment) => ({
      id: wireId(payment.id),
      number: payment.number,
      amount: wireDecimal(payment.amount),
      state: payment.state,
      payment_method_id: wireOptionalId(payment.paymentMethodId),
      payment_method: payment.paymentMethod && {
        id: wireId(payment.paymentMethod.id),
        name: payment.paymentMethod.name,
        environment: payment.paymentMethod.environment,
      },
    })),
    shipments: order.shipments.map((shipment, index) =>
      rawShipment(shipment, states.shipments[index] ?? null, order.number),
    ),
    adjustments: order.adjustments.map((adjustment) => ({
      id: wireId(adjustment.id),
      amount: wireOptionalDecimal(adjustment.amount),
      label: adjustment.label,
      mandatory: adjustment.mandatory,
      eligible: adjustment.eligible,
      included: adjustment.included,
      originator_type: adjustment.originatorType,
      adjustable_type: adjustment.adjustableType,
    })),
    credit_cards: order.creditCards.map((card) => {
      const name = splitName(card.name)
      return {
        id: wireId(card.id),
        month: card.month,
        year: card.year,
        cc_type: card.ccType,
        last_digits: card.lastDigits,
        first_name: name.first,
        last_name: name.last,
        gateway_customer_profile_id: null,
        gateway_payment_profile_id: null,
      }
    }),
    refunds: rawRefunds(order.refunds),
    ...rawReturns(order),
    ...order.extras,
  }
}

export function rawRefunds(refunds: OrderSnapshot['refunds']): Record<string, unknown>[] {
  return refunds.map((refund) => ({
    id: wireId(refund.id),
    payment_id: wireOptionalId(refund.paymentId),
    amount: wireDecimal(refund.amount),
    transaction_id: refund.transactionId,
    reason: refund.reason,
    created_at: wireOptionalTime(refund.createdAt),
  }))
}

/** Returns have no old words of their own: they stand under the names of the family's tables. */
function rawReturns({ returnAuthorizations, returns }: Returns): Record<string, unknown> {
  return {
    ...(returnAuthorizations && {
      return_authorizations: returnAuthorizations.map((authorization) => ({
        id: wireId(authorization.id),
        number: authorization.number,
        state: authorization.state,
        return_items: authorization.items.map((item) => ({
          id: wireId(item.id),
          inventory_unit_id: wireOptionalId(item.inventoryUnitId),
          reception_status: item.receptionStatus,
          acceptance_status: item.acceptanceStatus,
        })),
      })),
    }),
    ...(returns && {
      returns: returns.map((customerReturn) => ({
        id: wireId(customerReturn.id),
        number: customerReturn.number,
        status: customerReturn.status,
        return_line_items: customerReturn.items.map((item) => ({
          id: wireId(item.id),
          line_item_id: wireOptionalId(item.lineItemId),
          variant_id: wireOptionalId(item.variantId),
          quantity: item.quantity,
          received_quantity: item.receivedQuantity,
        })),
      })),
    }),
  }
}
