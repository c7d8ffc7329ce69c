import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from '../src/postgres/pool.ts'

const POLL_MILLISECONDS = 20
const PATIENCE_MINUTES = 20

/** Waits until a condition, as SQL, holds in the database. */
export async function until(pool: Pool, condition: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MINUTES * 60_000
  for (;;) {
    const { rows } = await pool.query<{ holds: boolean }>(`select ${condition} as holds`)
    if (rows[0]?.holds) return
    if (performance.now() > deadline)
      throw new Error(`Still not true after ${PATIENCE_MINUTES} minutes: ${condition}`)
    await pause(POLL_MILLISECONDS)
  }
}
