import { purgeSchema, removeCapture } from '../capture/triggers.ts'
import { DatabaseError } from '../postgres/errors.ts'
import { hasSchema, ownerOf } from '../postgres/migrate.ts'
import type { Pool } from '../postgres/pool.ts'

const ATTEMPTS = 80

/** What `uninstall` took away. */
export type Uninstalled = Readonly<{ tables: readonly string[]; purged: boolean }>

/**
 * Takes every trigger from the store again, and with `purge` the schema `bridge` with all that waits in it.
 * Workers that still run see the mark and stop instead of putting the triggers back.
 * @throws DatabaseError `foreign` where `purge` would drop a schema that is none of ours.
 */
export async function uninstallStore(pool: Pool, purge: boolean): Promise<Uninstalled> {
  const isOurs = (await ownerOf(pool, 'bridge')) === 'ours'
  if (purge && !isOurs && (await hasSchema(pool, 'bridge')))
    throw new DatabaseError(
      'foreign',
      "Schema bridge of this database does not hold spree-bridge's tables, so it is not ours to drop: nothing was done.",
    )
  const tables = isOurs ? await removeCapture(pool, ATTEMPTS) : []
  const purged = purge && isOurs
  if (purged) await purgeSchema(pool, ATTEMPTS)
  return { tables, purged }
}
