import { type InventoryInbound, inventoryInboundSchema } from '../messages/schemas/wombat-inbound.ts'
import type { Handler } from './handler.ts'
import { inOwnTexts } from './own-texts.ts'
import { setLevel } from './set-level.ts'
import { summary } from './summary.ts'

/** The level of a SKU at a location is now `quantity`. */
export const setInventory: Handler<InventoryInbound> = {
  message: 'set_inventory',
  dialect: 'wombat',
  description: 'Sets the level of a SKU at a stock location.',
  schema: inventoryInboundSchema,
  async apply(db, store, { message, payload: { inventory } }) {
    const { location, product_id: sku, quantity, as_of: asOf } = inventory
    const noSku = `Product with SKU ${sku} was not found`
    const texts = {
      unknown_location: `Stock location with name ${location} was not found`,
      unknown_sku: noSku,
      deleted_variant: noSku,
      not_kept_there: `Stock location '${location}' does not has any stock_items for ${sku}`,
    }
    const move = { sku, location: { name: location }, quantity, onlyWhereKept: true, reason: message }
    const { from, to, since, newer } = await inOwnTexts(texts, () => setLevel(db, store, move, asOf))
    if (newer !== undefined)
      return summary(
        message,
        `Inventory for ${sku} at ${location} stays ${from}: ${quantity} is as of ${asOf}, and a level as of ${newer} was applied already`,
      )
    const moved = since === undefined ? '' : `: ${quantity} as of ${asOf}, and ${since} since`
    return summary(message, `Set inventory for ${sku} at ${location} from ${from} to ${to}${moved}`)
  },
}
