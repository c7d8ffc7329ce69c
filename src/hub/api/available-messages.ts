import { BUILT_IN_TYPES } from '../../messages/message-types.ts'
import type { Db } from '../../postgres/pool.ts'
import { messageType } from './pushed.ts'

/**
 * The types that a store can push, sorted: the hub's own, those that mappings want, and those that came by before (protocol
 * §2.4). What a consumer once called a message and nobody could push is left out.
 */
export async function listAvailable(db: Db, storeId: string): Promise<string[]> {
  const { rows } = await db.query<{ type: string }>(
    `select type from hub.seen_type where store_id = $1
     union
     select unnest(messages) from hub.mapping where store_id = $1`,
    [storeId],
  )
  const types = new Set<string>([...BUILT_IN_TYPES, ...rows.map(({ type }) => type)])
  return [...types].filter((type) => messageType.safeParse(type).success).sort()
}
