import type { StockInbound } from '../messages/schemas/stock-inbound.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { moveStock } from '../store/writes/move-stock.ts'
import type { NamedLocation } from '../store/writes/stock-place.ts'
import { type Applied, type Inbound, NotApplicable, type Notification } from './handler.ts'
import { parameterOf } from './parameters.ts'
import { type LevelSet, setLevel } from './set-level.ts'

/** Both stock messages, which differ in whether the quantity is a difference; the answer is that of protocol §7.6. */
export async function applyStock(
  db: Db,
  store: Store,
  inbound: Inbound<StockInbound>,
  force: boolean,
): Promise<Applied> {
  const { message, payload } = inbound
  const { sku, quantity, as_of: asOf } = payload
  const move = { sku, location: locationOf(inbound), quantity, reason: message }
  const { from, to, since, newer }: LevelSet = force
    ? await setLevel(db, store, move, asOf)
    : await moveStock(db, store, { ...move, absolute: false })
  const details = { sku, quantity, from, to }
  if (newer !== undefined) {
    const description = `left stock for sku ${sku} at ${from}: ${quantity} is as of ${asOf}, and a level as of ${newer} was applied already`
    return { notifications: [{ level: 'warn', subject: message, description }], details }
  }
  const received: Notification = {
    level: 'info',
    subject: message,
    description: `received ${quantity} for sku ${sku}, changed stock from ${from} to ${to} (force = ${force})`,
  }
  if (since === undefined) return { notifications: [received], details }
  const description = `of sku ${sku} ${since} moved since ${asOf}, when the level was ${quantity}`
  return {
    notifications: [received, { level: 'info', subject: message, description }],
    details: { ...details, as_of: asOf, since },
  }
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
