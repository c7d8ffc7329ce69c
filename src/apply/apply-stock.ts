import type { StockInbound } from '../messages/schemas/stock-inbound.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { moveStock } from '../store/writes/move-stock.ts'
import type { NamedLocation } from '../store/writes/stock-place.ts'
import { type Applied, type Inbound, NotApplicable, type StockChange } from './handler.ts'
import { parameterOf } from './parameters.ts'

/** Both stock messages, which differ in whether the quantity is a difference; the answer is that of protocol §7.6. */
export function stockChangeOf(inbound: Inbound<StockInbound>, force: boolean): StockChange {
  const { sku, quantity } = inbound.payload
  return {
    move: { sku, location: locationOf(inbound), quantity, absolute: force, reason: inbound.message },
    told: ({ from, to }) => ({
      notifications: [
        {
          level: 'info',
          subject: inbound.message,
          description: `received ${quantity} for sku ${sku}, changed stock from ${from} to ${to} (force = ${force})`,
        },
      ],
      details: { sku, quantity, from, to },
    }),
  }
}

export async function applyStock(db: Db, store: Store, { move, told }: StockChange): Promise<Applied> {
  return told(await moveStock(db, store, move))
}

function locationOf({ payload, parameters }: Inbound<StockInbound>): NamedLocation {
  const id = parameterOf(parameters, 'stock_location_id')
  if (id !== undefined && id !== null && id !== '') {
    const text = String(id)
    if (/^\d{1,18}$/.test(text)) return { id: text }
    throw new NotApplicable(
      'unknown_location',
      'The parameter spree.stock_location_id is not an id: give the mapping the id of a stock location, then retry.',
    )
  }
  return payload.stock_location ? { name: payload.stock_location } : undefined
}
