import { MappingError } from '../messages/mapping-error.ts'
import type { Shape } from '../messages/shaping/shape.ts'
import { wholeOrder } from '../messages/wombat/as-objects.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import type { Applied, Notification } from './handler.ts'
import { shaped } from './shaped.ts'

/**
 * The answer with the order as it stands now and all its shipments, as those handlers give it that change one (protocol
 * §9.4). Only where the store is told as objects: elsewhere no rule of the operator's says what may go out in them.
 */
export async function answerWithOrder(
  db: Db,
  store: Store,
  orderId: string,
  shape: Shape | undefined,
  { notifications, details }: Applied,
): Promise<Applied> {
  if (!store.inObjects) return { notifications, details }
  const order = (await store.orders(db, [orderId])).get(orderId)
  const objects = new Map<string, unknown[]>()
  const untold: Notification[] = []
  const notTold = ({ message: why }: Error) =>
    untold.push({ level: 'warn', subject: 'order', description: `Not told: ${why}` })
  if (order instanceof MappingError) notTold(order)
  else if (order)
    for (const { type, payload } of wholeOrder(order)) {
      const told = await shaped(db, type, payload, shape)
      if (told instanceof Error) notTold(told)
      else if (told) objects.set(type, [...(objects.get(type) ?? []), told])
    }
  return {
    notifications: [...notifications, ...untold],
    details: { ...details, ...Object.fromEntries(objects) },
  }
}
