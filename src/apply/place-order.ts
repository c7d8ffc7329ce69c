import type { OrderToImport } from '../messages/schemas/order-import.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { importOrder } from '../store/writes/import-order.ts'
import type { Notification } from './handler.ts'
import { importedOrder } from './order-import-content.ts'

/** What was placed, by its id in the store, and of what in it a person should know. */
export type Placed = Readonly<{ id: string; notifications: readonly Notification[] }>

/**
 * Makes a generic order a placed one. `told` is what a person should know of it already.
 * @throws NotApplicable where it is there already, or the store cannot take it.
 */
export async function placeOrder(
  db: Db,
  store: Store,
  given: OrderToImport,
  told: readonly Notification[] = [],
): Promise<Placed> {
  const { order, notifications } = importedOrder(given)
  const id = await importOrder(db, store, order, (subject, description) => {
    notifications.push({ level: 'warn', subject, description: `order ${order.number}: ${description}` })
  })
  return { id, notifications: distinct([...told, ...notifications]) }
}

/** The same of both addresses is told once. */
function distinct(notifications: readonly Notification[]): Notification[] {
  const key = ({ level, subject, description }: Notification) => JSON.stringify([level, subject, description])
  return [...new Map(notifications.map((notification) => [key(notification), notification])).values()]
}
