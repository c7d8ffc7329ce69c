import { sqlState } from '../../postgres/errors.ts'
import type { Db, Pool } from '../../postgres/pool.ts'
import { inTransaction } from '../../postgres/transaction.ts'
import { newObjectId } from '../object-id.ts'
import { invalidObject, notFound, parseObject } from './api-error.ts'
import { type DataType, type NewParameter, type ParameterChange, valueSchema } from './parameter-input.ts'

export type Parameter = Readonly<{
  id: string
  name: string
  value: unknown
  store_id: string
  data_type: DataType
}>

const SHOWN = 'id, name, value, store_id, data_type'

export async function listParameters(db: Db, storeId: string): Promise<Parameter[]> {
  const { rows } = await db.query<Parameter>(
    `select ${SHOWN} from hub.parameter where store_id = $1 order by name`,
    [storeId],
  )
  return rows
}

/** @throws ApiError 404 */
export async function showParameter(db: Db, storeId: string, id: string): Promise<Parameter> {
  const { rows } = await db.query<Parameter>(
    `select ${SHOWN} from hub.parameter where store_id = $1 and id = $2`,
    [storeId, id],
  )
  const [parameter] = rows
  if (!parameter) throw notFound()
  return parameter
}

/** @throws ApiError 422 where the value is not of its type, or the store has one of this name */
export async function createParameter(db: Db, storeId: string, fields: NewParameter): Promise<Parameter> {
  const { value } = parseObject(valueSchema(fields.data_type), fields)
  const { rows } = await db.query<Parameter>(
    `insert into hub.parameter (id, store_id, name, value, data_type)
     values ($1, $2, $3, $4, $5)
     on conflict (store_id, name) do nothing
     returning ${SHOWN}`,
    [newObjectId(), storeId, fields.name, JSON.stringify(value), fields.data_type],
  )
  return rows[0] ?? nameIsTaken(fields.name)
}

/** What is not given stays; a new type has to fit the value. @throws ApiError 404, or 422 as `createParameter` */
export async function changeParameter(
  pool: Pool,
  storeId: string,
  id: string,
  change: ParameterChange,
): Promise<Parameter> {
  return inTransaction(pool, async (db) => {
    await db.query('select from hub.parameter where store_id = $1 and id = $2 for update', [storeId, id])
    const before = await showParameter(db, storeId, id)
    const name = change.name ?? before.name
    const dataType = change.data_type ?? before.data_type
    const { value } = parseObject(valueSchema(dataType), { value: change.value ?? before.value })
    try {
      await db.query(
        `update hub.parameter
            set name = $2, value = $3, data_type = $4, updated_at = clock_timestamp()
          where id = $1`,
        [id, name, JSON.stringify(value), dataType],
      )
    } catch (error) {
      if (sqlState(error) === UNIQUE_VIOLATION) nameIsTaken(name)
      throw error
    }
    return showParameter(db, storeId, id)
  })
}

const UNIQUE_VIOLATION = '23505'

/** Takes it away from the mappings that list it as well. @throws ApiError 404 */
export async function deleteParameter(db: Db, storeId: string, id: string): Promise<void> {
  const { rows } = await db.query<{ count: number }>(
    `with gone as (
       delete from hub.parameter where store_id = $1 and id = $2 returning id
     ), released as (
       update hub.mapping
          set parameters = array_remove(parameters, $2), updated_at = clock_timestamp()
        where store_id = $1 and $2 = any(parameters) and exists (select from gone)
     )
     select count(*)::integer as count from gone`,
    [storeId, id],
  )
  if (rows[0]?.count !== 1) throw notFound()
}

function nameIsTaken(name: string): never {
  throw invalidObject({ name: [`the store has a parameter ${name} already`] })
}
