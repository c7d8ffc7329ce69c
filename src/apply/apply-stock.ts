import type { StockInbound } from '../messages/schemas/stock-inbound.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { moveStock } from '../store/writes/move-stock.ts'
import type { NamedLocation } from '../store/writes/stock-place.ts'
import { type Applied, type Inbound, NotApplicable, type Notification, type StockChange } from './handler.ts'
import { sayOfStock } from './origin.ts'
import { parameterOf } from './parameters.ts'
import { noteFoundRight, setLevel } from './set-level.ts'

/** Both stock messages, which differ in whether the quantity is a difference; the answer is that of protocol §7.6. */
export function stockChangeOf(inbound: Inbound<StockInbound>, force: boolean): StockChange {
  const { message: subject, payload } = inbound
  const { sku, quantity, as_of } = payload
  const asOf = (force && as_of) || undefined
  const tell = (level: Notification['level'], description: string) => ({ level, subject, description })
  return {
    move: { sku, location: locationOf(inbound), quantity, absolute: force, reason: subject },
    asOf,
    told({ from, to, since, newer }) {
      const details = { sku, quantity, from, to }
      if (newer !== undefined) {
        const why = `${quantity} is as of ${asOf}, and a level as of ${newer} was applied already`
        return { notifications: [tell('warn', `left stock for sku ${sku} at ${from}: ${why}`)], details }
      }
      const received = tell(
        'info',
        `received ${quantity} for sku ${sku}, changed stock from ${from} to ${to} (force = ${force})`,
      )
      if (since === undefined) return { notifications: [received], details }
      return {
        notifications: [
          received,
          tell('info', `of sku ${sku} ${since} moved since ${asOf}, when the level was ${quantity}`),
        ],
        details: { ...details, as_of: asOf, since },
      }
    },
  }
}

/** One message by itself. */
export async function applyStock(db: Db, store: Store, { move, asOf, told }: StockChange): Promise<Applied> {
  if (asOf !== undefined) return told(await setLevel(db, store, move, asOf))
  await sayOfStock(db, move.absolute ? '=' : '+')
  const moved = await moveStock(db, store, move)
  if (move.absolute) await noteFoundRight(db, [moved])
  return told(moved)
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
