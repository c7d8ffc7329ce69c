import { setTimeout as pause } from 'node:timers/promises'
import type { TestDatabase } from './postgres.ts'

const LOOK_EVERY_MS = 5

/** By what their statements are about, the first that fits. */
const KINDS = [
  ['for the same message', /bridge\.inbox/],
  ['for a level of stock', /spree_stock_(items|levels)/],
  ['for an order', /spree_(orders|number_sequences)/],
  ['for a variant or product', /spree_(variants|products)/],
  ['for another row', /./],
] as const

/**
 * Counts the statements of webs that were seen to wait for somebody else's lock, and the deadlocks: the races that truly took
 * place, or rather those that were seen.
 */
export function watchWaits({ pool }: TestDatabase) {
  const seen = new Map<string, string>()
  let watching = true
  const looking = (async () => {
    while (watching) {
      const { rows } = await pool.query<{ statement: string; query: string }>(
        `select concat_ws(' ', pid, query_start) as statement, query
           from pg_stat_activity
          where application_name = 'spree-bridge web' and datname = current_database() and wait_event_type = 'Lock'`,
      )
      for (const { statement, query } of rows) seen.set(statement, query)
      await pause(LOOK_EVERY_MS)
    }
  })()
  looking.catch(() => {}) // whoever stops it hears of it
  return {
    async stop(): Promise<Record<string, number>> {
      watching = false
      await looking
      const { rows } = await pool.query<{ deadlocks: number }>(
        'select deadlocks::integer from pg_stat_database where datname = current_database()',
      )
      const deadlocks = rows[0]?.deadlocks ?? 0
      const counts: Record<string, number> = deadlocks > 0 ? { deadlocks } : {}
      for (const query of seen.values()) {
        const kind = KINDS.find(([, pattern]) => pattern.test(query))?.[0] ?? 'for another row'
        counts[`waits ${kind}`] = (counts[`waits ${kind}`] ?? 0) + 1
      }
      return counts
    },
  }
}
