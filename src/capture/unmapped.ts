import type { Db } from '../postgres/pool.ts'

/** An aggregate whose state could not be made into a message; it stays listed until it can. */
export type Unmapped = Readonly<{ aggregate: string; reason: string }>

export async function listUnmapped(db: Db): Promise<(Unmapped & Readonly<{ at: Date }>)[]> {
  const { rows } = await db.query<{ aggregate: string; reason: string; at: Date }>(
    'select aggregate, reason, at from bridge.unmapped order by at',
  )
  return rows
}

/** The aggregates of all entries. */
export async function readUnmapped(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ aggregate: string }>('select aggregate from bridge.unmapped')
  return rows.map(({ aggregate }) => aggregate)
}

export async function parkUnmapped(db: Db, entries: readonly Unmapped[]): Promise<void> {
  for (const { aggregate, reason } of entries) {
    await db.query(
      `insert into bridge.unmapped (aggregate, reason) values ($1, $2)
       on conflict (aggregate) do update set reason = excluded.reason, at = clock_timestamp()`,
      [aggregate, reason.slice(0, 2_000)],
    )
  }
}

export async function clearUnmapped(db: Db, aggregates: readonly string[]): Promise<void> {
  if (aggregates.length === 0) return
  await db.query('delete from bridge.unmapped where aggregate = any($1::text[])', [aggregates])
}
