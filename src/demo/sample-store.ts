import { readFile } from 'node:fs/promises'

import { hasTable } from '../postgres/migrate.ts'
import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'

/** Found from `src/` and from `dist/` alike. */
const SAMPLE_STORE = new URL('../../src/demo/sample-store.sql', import.meta.url)

/** Fills an empty database with the sample shop, whole or not at all; one that holds it already stays as it is. */
export async function loadSampleStore(pool: Pool): Promise<void> {
  if (await hasTable(pool, 'public', 'spree_products')) return
  const sql = await readFile(SAMPLE_STORE, 'utf8')
  await inTransaction(pool, (db) => db.query(sql))
}
