import { type ReturnInbound, returnInboundSchema } from '../messages/schemas/return-inbound.ts'
import type { Db } from '../postgres/pool.ts'

type Return = NonNullable<ReturnInbound['customer_return']>

/** An applied message of the inbox. */
export type AppliedBefore = Readonly<{ id: string; messageId: string; changedAt: Date; payload: string }>

/** The handler whose messages are looked through. */
export const RETURN_TYPE = 'add_customer_return'

/**
 * The first return applied under another message's id that says the same: RMA, order, and pieces by SKU. Nobody but a person
 * can tell whether such a one has been sent twice, or has happened twice.
 */
export async function findSameReturn(db: Db, payload: unknown): Promise<AppliedBefore | undefined> {
  const given = returnOf(payload)
  const number = given?.items[0]?.order_number
  if (!given || number === undefined) return undefined
  const { rows } = await db.query<AppliedBefore>(
    `select id::text, message_id as "messageId", changed_at as "changedAt", payload
       from bridge.inbox
      where type = '${RETURN_TYPE}'
        and state = 'applied'
        and strpos(payload, $1) > 0
      order by id`,
    [JSON.stringify(number).slice(1, -1)],
  )
  const key = keyOf(given)
  return rows.find((row) => {
    const other = returnOf(JSON.parse(row.payload))
    return other !== undefined && keyOf(other) === key
  })
}

function returnOf(payload: unknown): Return | undefined {
  return returnInboundSchema.safeParse(payload).data?.customer_return ?? undefined
}

/** Of any order of the items, and however they are split. */
function keyOf({ rma, items }: Return): string {
  const pieces = new Map<string, number>()
  for (const { order_number: order, sku, quantity } of items) {
    const goods = JSON.stringify([order, sku])
    pieces.set(goods, (pieces.get(goods) ?? 0) + quantity)
  }
  return JSON.stringify([rma, [...pieces].sort(([one], [other]) => (one < other ? -1 : 1))])
}
