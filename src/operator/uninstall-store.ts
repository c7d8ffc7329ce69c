import { purgeSchema, removeCapture } from '../capture/triggers.ts'
import { hasSchema, hasTable } from '../postgres/migrate.ts'
import type { Pool } from '../postgres/pool.ts'

const ATTEMPTS = 80

/** What `uninstall` took away. */
export type Uninstalled = Readonly<{ tables: readonly string[]; purged: boolean }>

/**
 * Takes every trigger from the store again, and with `purge` the schema `bridge` with all that waits in it.
 * Workers that still run see the mark and stop instead of putting the triggers back.
 */
export async function uninstallStore(pool: Pool, purge: boolean): Promise<Uninstalled> {
  const tables = (await hasTable(pool, 'bridge', 'installation')) ? await removeCapture(pool, ATTEMPTS) : []
  const purged = purge && (await hasSchema(pool, 'bridge'))
  if (purged) await purgeSchema(pool, ATTEMPTS)
  return { tables, purged }
}
