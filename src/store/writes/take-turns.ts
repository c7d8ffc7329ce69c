import type { Db } from '../../postgres/pool.ts'

/**
 * Nothing in a store keeps SKUs unique, or e-mail addresses: two messages about one take their turns here. Locks of the
 * transaction, in one order, on names that only we use: `sku SHIRT`.
 */
export async function takeTurns(db: Db, names: readonly string[]): Promise<void> {
  await db.query(
    `select pg_advisory_xact_lock(key)
       from (select distinct hashtextextended('spree-bridge ' || name, 0) as key from unnest($1::text[]) name order by 1) keys`,
    [names],
  )
}

/**
 * What is found by a name that nothing keeps unique, made where it is missing. Only who makes something waits for others who
 * do: `turn` is what they take turns for.
 */
export async function findOrMake<T>(
  db: Db,
  turn: string,
  find: () => Promise<T | undefined>,
  make: () => Promise<T>,
): Promise<T> {
  const found = await find()
  if (found !== undefined) return found
  await takeTurns(db, [turn])
  return (await find()) ?? (await make())
}
