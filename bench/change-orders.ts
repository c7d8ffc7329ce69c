import { randomUUID } from 'node:crypto'
import type { Pool } from '../src/postgres/pool.ts'
import { keepInFlight } from './loops/in-flight.ts'
import { FIRST_ID } from './scale-store.ts'

const WRITERS = 4

/** Changes the first `count` orders made here: one order, one transaction. The writers need not wait for the disk: they are not what is measured. */
export async function changeOrders(pool: Pool, count: number): Promise<void> {
  const note = randomUUID()
  const connections = await Promise.all(Array.from({ length: WRITERS }, () => pool.connect()))
  try {
    for (const connection of connections) await connection.query('set synchronous_commit = off')
    await keepInFlight(count, WRITERS, async (index, writer) => {
      await connections[writer]?.query('update spree_orders set special_instructions = $1 where id = $2', [
        note,
        FIRST_ID + 1 + index,
      ])
    })
  } finally {
    for (const connection of connections) connection.release()
  }
}
