import { type InventoryInbound, inventoryInboundSchema } from '../messages/schemas/wombat-inbound.ts'
import { applyStock } from './apply-stock.ts'
import type { Handler, Inbound, StockChange } from './handler.ts'
import { inOwnTexts } from './own-texts.ts'
import { summary } from './summary.ts'

/** The level of a SKU at a location is now `quantity`. */
export const setInventory: Handler<InventoryInbound> = {
  message: 'set_inventory',
  dialect: 'wombat',
  description: 'Sets the level of a SKU at a stock location.',
  schema: inventoryInboundSchema,
  apply(db, store, inbound) {
    const { location, product_id: sku } = inbound.payload.inventory
    const noSku = `Product with SKU ${sku} was not found`
    const texts = {
      unknown_location: `Stock location with name ${location} was not found`,
      unknown_sku: noSku,
      deleted_variant: noSku,
      not_kept_there: `Stock location '${location}' does not has any stock_items for ${sku}`,
    }
    return inOwnTexts(texts, () => applyStock(db, store, changeOf(inbound)))
  },
  stockChange: changeOf,
}

function changeOf({ message, payload: { inventory } }: Inbound<InventoryInbound>): StockChange {
  const { location: name, product_id: sku, quantity } = inventory
  return {
    move: { sku, location: { name }, quantity, absolute: true, onlyWhereKept: true, reason: message },
    told: ({ from, to }) => summary(message, `Set inventory for ${sku} at ${name} from ${from} to ${to}`),
  }
}
