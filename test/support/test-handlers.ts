import { z } from 'zod'
import { type Handler, NotApplicable } from '../../src/apply/handler.ts'

/** The simplest that writes into a real store: a level of the first location, no movement. */
export const stockChange: Handler<Readonly<{ sku: string; quantity: number }>> = {
  message: 'stock:change',
  description: 'Changes the level of a SKU.',
  schema: z.object({ sku: z.string().min(1), quantity: z.int32() }),
  async apply(db, _store, { message, payload: { sku, quantity }, parameters }) {
    const { rows } = await db.query<{ id: string; level: number }>(
      `select i.id, i.count_on_hand as level
         from spree_stock_items i
         join spree_variants v on v.id = i.variant_id
        where v.sku = $1
        order by i.id
        limit 1
          for update of i`,
      [sku],
    )
    const item = rows[0]
    if (!item) throw new NotApplicable('unknown_sku', `There is no variant with the SKU ${sku}.`)
    const to = parameters.get('spree.force_quantity') === true ? quantity : item.level + quantity
    if (Math.abs(to) > 1_000_000)
      throw new NotApplicable('out_of_range', `A level of ${to} is more than this store can hold.`)
    await db.query('update spree_stock_items set count_on_hand = $2, updated_at = now() where id = $1', [
      item.id,
      to,
    ])
    const description = `${sku}: from ${item.level} to ${to}`
    return {
      notifications: [{ level: 'info', subject: message, description }],
      details: { sku, quantity, from: item.level, to },
    }
  },
}

/** Runs a statement after it has written into the store: whatever can happen in a database happens then. */
export const statement: Handler<Readonly<{ sql: string }>> = {
  message: 'test:statement',
  description: 'Renames a product and runs a statement.',
  schema: z.object({ sql: z.string() }),
  async apply(db, _store, { payload: { sql } }) {
    await db.query(`update spree_products set name = 'Touched' where id = 11`)
    const { rows } = await db.query(sql)
    return { notifications: [], details: { rows } }
  },
}

export const TEST_HANDLERS = [stockChange, statement]
