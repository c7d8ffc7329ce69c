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
  const { location: name, product_id: sku, quantity, as_of } = inventory
  const asOf = as_of ?? undefined
  return {
    move: { sku, location: { name }, quantity, absolute: true, onlyWhereKept: true, reason: message },
    asOf,
    told({ from, to, since, newer }) {
      if (newer !== undefined) {
        const why = `${quantity} is as of ${asOf}, and a level as of ${newer} was applied already`
        return summary(message, `Inventory for ${sku} at ${name} stays ${from}: ${why}`)
      }
      const moved = since === undefined ? '' : `: ${quantity} as of ${asOf}, and ${since} since`
      return summary(message, `Set inventory for ${sku} at ${name} from ${from} to ${to}${moved}`)
    },
  }
}
