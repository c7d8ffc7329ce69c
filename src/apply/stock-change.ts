import { type StockInbound, stockInboundSchema } from '../messages/schemas/stock-inbound.ts'
import { applyStock } from './apply-stock.ts'
import type { Handler } from './handler.ts'
import { saysInstead } from './origin.ts'
import { isYes, parameterOf } from './parameters.ts'

/** `quantity` more or fewer pieces of a SKU; the parameter `force_quantity` makes it the level instead. */
export const stockChange: Handler<StockInbound> = {
  message: 'stock:change',
  description: 'Changes the stock of a SKU by a quantity.',
  schema: stockInboundSchema,
  async apply(db, store, inbound) {
    const force = isYes(parameterOf(inbound.parameters, 'force_quantity'))
    if (force) await saysInstead(db, '=')
    return applyStock(db, store, inbound, force)
  },
}
