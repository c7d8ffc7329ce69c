import { purgeSchema, removeCapture } from '../capture/triggers.ts'
import { schemaState } from '../postgres/migrate.ts'
import type { Pool } from '../postgres/pool.ts'

/**
 * Takes every trigger from the store again, and with `purge` the schema `bridge` with all that waits in it.
 * Workers that still run see the mark and stop instead of putting the triggers back. Returns the tables freed.
 */
export async function uninstallStore(pool: Pool, purge: boolean): Promise<string[]> {
  if ((await schemaState(pool, 'bridge')) === undefined) return []
  await pool.query('update bridge.installation set installed = false')
  const tables = await removeCapture(pool)
  if (purge) await purgeSchema(pool)
  return tables
}
