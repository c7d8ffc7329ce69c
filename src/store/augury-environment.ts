import { z } from 'zod'

import type { Db } from '../postgres/pool.ts'
import { quoteName } from './json-sql.ts'

/** Where and as whom the connector of the hub's own time pushed (protocol §2.1): noted in the shop's database. */
export type AuguryEnvironment = Readonly<{ url: string; storeId: string; token: string }>

const row = z.object({ url: z.string().min(1), store_id: z.string().min(1), token: z.string().min(1) })

/** The newest row of the table that the connector left; undefined without table, row, or one of the three. */
export async function readAuguryEnvironment(db: Db): Promise<AuguryEnvironment | undefined> {
  const { rows: tables } = await db.query<{ schema: string }>(
    `select n.nspname as schema
       from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.relname = 'augury_environments'
        and c.relkind = 'r'
        and n.nspname = any (current_schemas(false))
      order by array_position(current_schemas(false), n.nspname)
      limit 1`,
  )
  const [table] = tables
  if (!table) return undefined
  const { rows } = await db.query(
    `select url, store_id, token from ${quoteName(table.schema)}.augury_environments order by id desc limit 1`,
  )
  const { success, data } = row.safeParse(rows[0])
  return success ? { url: data.url, storeId: data.store_id, token: data.token } : undefined
}
