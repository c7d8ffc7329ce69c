import { type InventoryInbound, inventoryInboundSchema } from '../messages/schemas/wombat-inbound.ts'
import { moveStock } from '../store/writes/move-stock.ts'
import type { Handler } from './handler.ts'
import { inOwnTexts } from './own-texts.ts'
import { summary } from './summary.ts'

/** The level of a SKU at a location is now `quantity`. */
export const setInventory: Handler<InventoryInbound> = {
  message: 'set_inventory',
  dialect: 'wombat',
  description: 'Sets the level of a SKU at a stock location.',
  schema: inventoryInboundSchema,
  async apply(db, store, { message, payload: { inventory } }) {
    const { location, product_id: sku, quantity } = inventory
    const noSku = `Product with SKU ${sku} was not found`
    const texts = {
      unknown_location: `Stock location with name ${location} was not found`,
      unknown_sku: noSku,
      deleted_variant: noSku,
      not_kept_there: `Stock location '${location}' does not has any stock_items for ${sku}`,
    }
    const move = { sku, location: { name: location }, quantity, absolute: true, onlyWhereKept: true }
    const { from, to } = await inOwnTexts(texts, () => moveStock(db, store, { ...move, reason: message }))
    return summary(message, `Set inventory for ${sku} at ${location} from ${from} to ${to}`)
  },
}
