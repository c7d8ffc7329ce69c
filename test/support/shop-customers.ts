import { type Act, nextVersion, UTC } from './shop.ts'

/** A customer under another name; what a login leaves behind, in a commit of its own, is told nobody. */
export const renameCustomer: Act = async (db, shop, random) => {
  const customers = shop.family === 'spree-4.10' ? 'spree_users' : 'spree_customers'
  const id = random.pick(['1', '2'])
  await db.query(
    `update ${customers} set last_name = ${nextVersion('last_name')}, updated_at = ${UTC} where id = $1`,
    [id],
  )
  await db.query(`update ${customers} set failed_attempts = 0, updated_at = ${UTC} where id = $1`, [id])
}
