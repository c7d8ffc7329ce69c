import { MappingError } from '../src/messages/mapping-error.ts'
import { rawOrder } from '../src/messages/raw-order.ts'
import { openStore } from '../src/store/store.ts'
import type { Ground } from './ground.ts'
import { FIRST_ID } from './scale-store.ts'

/** Payload texts of `order:persist`, made of the store's own orders. */
export async function readOrderPayloads(ground: Ground, count: number): Promise<string[]> {
  const database = await ground.createDatabase('store_to_read', await ground.storeTemplate())
  try {
    const store = await openStore(database.pool)
    const ids = await store.roots(database.pool, 'order', String(FIRST_ID), count)
    const orders = await store.orders(database.pool, ids)
    return [...orders.values()].map((order) => {
      if (order instanceof MappingError) throw order
      return JSON.stringify(rawOrder(order))
    })
  } finally {
    await database.drop()
  }
}
