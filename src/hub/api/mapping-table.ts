import type { Db, Pool } from '../../postgres/pool.ts'
import { inTransaction } from '../../postgres/transaction.ts'
import { newObjectId } from '../object-id.ts'
import { invalidObject, notFound } from './api-error.ts'
import type { MappingChange, NewMapping } from './mapping-input.ts'

/** A mapping as clients see it (protocol §2.6). */
export type Mapping = Readonly<Record<string, unknown>>

const SHOWN = `id, name, url, token, null as integration_id, messages, '{}'::json as identifiers, filters,
            filters as formatted_filters, parameters, options, enabled, required, 'Augury::Consumers::Remote' as consumer,
            store_id`

export async function listMappings(db: Db, storeId: string): Promise<Mapping[]> {
  const { rows } = await db.query<Mapping>(
    `select ${SHOWN} from hub.mapping where store_id = $1 order by created_at, id`,
    [storeId],
  )
  return rows
}

/** @throws ApiError 404 */
export async function showMapping(db: Db, storeId: string, id: string): Promise<Mapping> {
  const { rows } = await db.query<Mapping>(
    `select ${SHOWN} from hub.mapping where store_id = $1 and id = $2`,
    [storeId, id],
  )
  const [mapping] = rows
  if (!mapping) throw notFound()
  return mapping
}

/** @throws ApiError 422 where it lists a parameter that the store does not have */
export async function createMapping(db: Db, storeId: string, mapping: NewMapping): Promise<Mapping> {
  await refuseUnknownParameters(db, storeId, mapping.parameters ?? [])
  const { rows } = await db.query<Mapping>(
    `insert into hub.mapping (id, store_id, name, url, token, messages, enabled, options, parameters, filters)
     values ($1, $2, $3, $4, $5, $6, coalesce($7, true), coalesce($8, '{"retries_allowed": true}'::jsonb), coalesce($9, '{}'::text[]),
             coalesce($10, '[]'::jsonb))
     returning ${SHOWN}`,
    [newObjectId(), storeId, ...values(mapping)],
  )
  const [created] = rows
  if (!created) throw new Error('an insert returned no row')
  return created
}

/** What is not given stays. @throws ApiError 404, or 422 as `createMapping` */
export function changeMapping(
  pool: Pool,
  storeId: string,
  id: string,
  change: MappingChange,
): Promise<Mapping> {
  return inTransaction(pool, async (db) => {
    await refuseUnknownParameters(db, storeId, change.parameters ?? [])
    if (change.url !== undefined && (await hasAnyTarget(db)))
      await db.query(
        'update hub.mapping set any_target = false where store_id = $1 and id = $2 and url <> $3',
        [storeId, id, change.url],
      )
    return update(db, storeId, id, change)
  })
}

/** The column came with schema 2; this code works on schema 1 as well. Neither changes until the transaction ends. */
export async function hasAnyTarget(db: Db): Promise<boolean> {
  await db.query('lock table hub.mapping in row exclusive mode')
  const { rowCount } = await db.query(
    `select
       from pg_catalog.pg_attribute
      where attrelid = 'hub.mapping'::regclass and attname = 'any_target' and not attisdropped`,
  )
  return rowCount === 1
}

async function update(db: Db, storeId: string, id: string, change: MappingChange): Promise<Mapping> {
  const { rows } = await db.query<Mapping>(
    `update hub.mapping
        set name = coalesce($3, name),
            url = coalesce($4, url),
            token = coalesce($5, token),
            messages = coalesce($6, messages),
            enabled = coalesce($7, enabled),
            options = coalesce($8, options),
            parameters = coalesce($9, parameters),
            filters = coalesce($10, filters),
            updated_at = clock_timestamp()
      where store_id = $2 and id = $1
     returning ${SHOWN}`,
    [id, storeId, ...values(change)],
  )
  const [changed] = rows
  if (!changed) throw notFound()
  return changed
}

/** @throws ApiError 404, or 422 where it is one that a store cannot do without */
export async function deleteMapping(db: Db, storeId: string, id: string): Promise<void> {
  const { rowCount } = await db.query(
    'delete from hub.mapping where store_id = $1 and id = $2 and not required',
    [storeId, id],
  )
  if (rowCount === 1) return
  const { name } = await showMapping(db, storeId, id)
  throw invalidObject({
    required: [`mapping ${name} is one that the store needs and cannot be deleted: set enabled to false`],
  })
}

async function refuseUnknownParameters(db: Db, storeId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const { rows } = await db.query<{ id: string }>(
    'select id from hub.parameter where store_id = $1 and id = any($2::text[])',
    [storeId, ids],
  )
  const known = new Set(rows.map(({ id }) => id))
  const unknown = ids.filter((id) => !known.has(id))
  if (unknown.length > 0)
    throw invalidObject({ parameters: [`the store has no parameter ${unknown.join(', ')}`] })
}

function values({
  name,
  url,
  token,
  messages,
  enabled,
  options,
  parameters,
  filters,
}: MappingChange): unknown[] {
  return [
    name,
    url,
    token,
    messages,
    enabled,
    options && JSON.stringify(options),
    // A null takes them all away; only what is left out stays.
    parameters === null ? [] : parameters,
    filters === undefined ? undefined : JSON.stringify(filters ?? []),
  ].map((value) => value ?? null)
}
