import { type StockInbound, stockInboundSchema } from '../messages/schemas/stock-inbound.ts'
import { applyStock, stockChangeOf } from './apply-stock.ts'
import type { Handler, Inbound } from './handler.ts'

/** The stock of a SKU is now `quantity` pieces. */
export const stockActual: Handler<StockInbound> = {
  message: 'stock:actual',
  description: 'Sets the stock of a SKU to a quantity.',
  schema: stockInboundSchema,
  apply: (db, store, inbound) => applyStock(db, store, changeOf(inbound)),
  stockChange: changeOf,
}

function changeOf(inbound: Inbound<StockInbound>) {
  return stockChangeOf(inbound, true)
}
