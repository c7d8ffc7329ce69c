import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'

import type { Db, Pool } from '../../postgres/pool.ts'
import { inTransaction } from '../../postgres/transaction.ts'
import { newObjectId } from '../object-id.ts'
import { endpointToken, endpointUrl } from './endpoint-address.ts'
import { hasAnyTarget } from './mapping-table.ts'

/** The types that a store takes: what its own mapping subscribes to. */
export const STORE_MESSAGES = [
  'stock:change',
  'stock:actual',
  'product:new',
  'product:update',
  'order:import',
  'shipment:confirm',
  'order:ship',
  'order:capture',
  'hub:poll',
]

/** Body of `POST /api/stores`. */
export const newStore = z
  .object({
    name: z.string('has to be a string').trim().min(1, 'must not be empty').max(255, 'is too long'),
    webhook_url: endpointUrl.optional(),
    webhook_token: endpointToken.optional(),
  })
  .superRefine(({ webhook_url, webhook_token }, context) => {
    if ((webhook_url === undefined) === (webhook_token === undefined)) return
    const missing = webhook_url === undefined ? 'webhook_url' : 'webhook_token'
    context.addIssue({ code: 'custom', path: [missing], message: 'is needed where the other is given' })
  })

export type CreatedStore = Readonly<{ id: string; name: string; token: string }>

/** Makes a store, its token, which is told this once, and the mapping to its own webhook where it has one. */
export async function createStore(pool: Pool, store: z.output<typeof newStore>): Promise<CreatedStore> {
  const id = newObjectId()
  const token = randomBytes(24).toString('hex')
  await inTransaction(pool, async (db) => {
    await db.query('insert into hub.store (id, name) values ($1, $2)', [id, store.name])
    await db.query('insert into hub.token (digest, store_id) values ($1, $2)', [tokenDigest(token), id])
    if (store.webhook_url === undefined) return
    const mappingId = newObjectId()
    await db.query(
      `insert into hub.mapping (id, store_id, name, url, token, messages, required, is_store)
       values ($1, $2, 'spree.webhook', $3, $4, $5, true, true)`,
      [mappingId, id, store.webhook_url, store.webhook_token, STORE_MESSAGES],
    )
    if (await hasAnyTarget(db))
      await db.query('update hub.mapping set any_target = true where id = $1', [mappingId])
  })
  return { id, name: store.name, token }
}

/** The store that a token belongs to; undefined where nobody has such a token. */
export async function storeOfToken(db: Db, token: string): Promise<string | undefined> {
  const { rows } = await db.query<{ store_id: string }>('select store_id from hub.token where digest = $1', [
    tokenDigest(token),
  ])
  return rows[0]?.store_id
}

function tokenDigest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
