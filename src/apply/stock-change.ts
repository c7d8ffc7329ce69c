import { type StockInbound, stockInboundSchema } from '../messages/schemas/stock-inbound.ts'
import { applyStock, stockChangeOf } from './apply-stock.ts'
import type { Handler, Inbound } from './handler.ts'
import { isYes, parameterOf } from './parameters.ts'

/** `quantity` more or fewer pieces of a SKU; the parameter `force_quantity` makes it the level instead. */
export const stockChange: Handler<StockInbound> = {
  message: 'stock:change',
  description: 'Changes the stock of a SKU by a quantity.',
  schema: stockInboundSchema,
  apply: (db, store, inbound) => applyStock(db, store, changeOf(inbound)),
  stockChange: changeOf,
}

function changeOf(inbound: Inbound<StockInbound>) {
  return stockChangeOf(inbound, isYes(parameterOf(inbound.parameters, 'force_quantity')))
}
