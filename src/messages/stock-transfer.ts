import { rawCountry, rawState } from './raw-address.ts'
import { mentionedVariant } from './raw-variant.ts'
import type { StockTransferPayload } from './schemas/stock-transfer-message.ts'
import { parseSnapshot } from './snapshot.ts'
import {
  type StockTransferSnapshot,
  stockTransferSnapshotSchema,
} from './snapshots/stock-transfer-snapshot.ts'
import type { StateKind } from './state-kind.ts'
import { wireId, wireOptionalId, wireOptionalTime } from './wire.ts'

type Movement = StockTransferSnapshot['sourceMovements'][number]

/** The protocol has one message for a store to push, the raw transfer; of one that is gone it has no word. */
export const stockTransferKind: StateKind = {
  kind: 'stock_transfer',
  types: { first: 'stock_transfer:persist', later: 'stock_transfer:persist' },
  read(id, json) {
    const transfer = parseSnapshot(stockTransferSnapshotSchema, 'stock_transfer', id, json)
    if (transfer instanceof Error) return transfer
    const payload = stockTransferPayload(transfer)
    return {
      payload,
      content: {
        ...payload,
        source_location: transfer.sourceLocation?.id,
        destination_location: transfer.destinationLocation?.id,
        source_movements: transfer.sourceMovements.map(ownMovement),
        destination_movements: transfer.destinationMovements.map(ownMovement),
      },
      naturalKey: JSON.stringify({ id, name: transfer.number }),
      deleted: transfer.progress !== null && transfer.progress.deletedAt !== null,
      formerKeys: () => ({}),
    }
  },
}

function stockTransferPayload(transfer: StockTransferSnapshot): StockTransferPayload {
  const { progress } = transfer
  return {
    id: wireId(transfer.id),
    number: transfer.number,
    reference_number: transfer.referenceNumber,
    created_at: wireOptionalTime(transfer.createdAt),
    updated_at: wireOptionalTime(transfer.updatedAt),
    source_location: rawLocation(transfer.sourceLocation),
    source_movements: transfer.sourceMovements.map(rawMovement),
    destination_location: rawLocation(transfer.destinationLocation),
    destination_movements: transfer.destinationMovements.map(rawMovement),
    ...(progress && {
      status: progress.status,
      notes: progress.notes,
      shipped_at: wireOptionalTime(progress.shippedAt),
      received_at: wireOptionalTime(progress.receivedAt),
      closed_short_at: wireOptionalTime(progress.closedShortAt),
      deleted_at: wireOptionalTime(progress.deletedAt),
      stock_transfer_items: progress.items.map((item) => ({
        id: wireId(item.id),
        variant_id: wireOptionalId(item.variantId),
        quantity_shipped: item.quantityShipped,
        quantity_received: item.quantityReceived,
        quantity_rejected: item.quantityRejected,
      })),
    }),
  }
}

function rawLocation(
  location: StockTransferSnapshot['sourceLocation'],
): StockTransferPayload['source_location'] {
  return (
    location && {
      id: wireId(location.id),
      name: location.name,
      address1: location.address1,
      address2: location.address2,
      city: location.city,
      zipcode: location.zipcode,
      phone: location.phone,
      country_id: wireOptionalId(location.countryId),
      state_id: wireOptionalId(location.stateId),
      state_name: location.stateName,
      country: rawCountry(location.country),
      state: rawState(location.state),
    }
  )
}

function rawMovement({
  id,
  quantity,
  stockItem,
}: Movement): StockTransferPayload['source_movements'][number] {
  return {
    id: wireId(id),
    quantity,
    stock_item_id: wireId(stockItem.id),
    stock_item: {
      id: wireId(stockItem.id),
      count_on_hand: stockItem.countOnHand,
      backorderable: stockItem.backorderable,
      stock_location_id: wireOptionalId(stockItem.stockLocationId),
      variant_id: wireOptionalId(stockItem.variantId),
      variant: stockItem.variant && mentionedVariant(stockItem.variant),
    },
  }
}

/** What was moved, not what is there now. */
function ownMovement({ id, quantity, stockItem }: Movement): unknown {
  return { id, quantity, stockItem: stockItem.id, variant: stockItem.variantId }
}
