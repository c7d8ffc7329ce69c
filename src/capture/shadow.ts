import type { Db } from '../postgres/pool.ts'
import type { Compared } from './shape-messages.ts'

/** Where a shadow differed from the live configuration, and how, the last time: what kind of value, never which. */
export type ShadowDifference = Readonly<{
  path: string
  count: number
  live: string
  shadow: string
  lastAt: Date
  lastAggregate: string
}>

/** What came of a trial for the messages of one type. */
export type ShadowReport = Readonly<{
  type: string
  compared: number
  differing: number
  since: Date
  /** The most frequent first. */
  differences: readonly ShadowDifference[]
}>

/** Part of the collector's transaction. What another trial has counted goes. */
export async function countCompared(
  db: Db,
  trial: string | undefined,
  compared: readonly (Compared & Readonly<{ aggregate: string }>)[],
): Promise<void> {
  if (trial === undefined || compared.length === 0) return
  await forgetOtherTrials(db, trial)
  await db.query(
    `insert into bridge.shadow as s (type, trial, compared, differing)
     select m.type, $3, count(*), count(*) filter (where m.differs)
       from unnest($1::text[], $2::boolean[]) m (type, differs)
      group by m.type
         on conflict (type) do update
        set compared = s.compared + excluded.compared,
            differing = s.differing + excluded.differing`,
    [compared.map(({ type }) => type), compared.map(({ differences }) => differences.length > 0), trial],
  )
  const found = compared.flatMap(({ type, aggregate, differences }) =>
    differences.map((difference) => ({ type, aggregate, ...difference })),
  )
  if (found.length === 0) return
  await db.query(
    `insert into bridge.shadow_difference as s (type, path, count, live, shadow, last_aggregate)
     select distinct on (d.type, d.path)
            d.type, d.path, count(*) over (partition by d.type, d.path), d.live, d.shadow, d.aggregate
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
            with ordinality d (type, path, live, shadow, aggregate, place)
      order by d.type, d.path, d.place desc
         on conflict (type, path) do update
        set count = s.count + excluded.count,
            live = excluded.live,
            shadow = excluded.shadow,
            last_at = excluded.last_at,
            last_aggregate = excluded.last_aggregate`,
    [
      found.map(({ type }) => type),
      found.map(({ path }) => path),
      found.map(({ live }) => live),
      found.map(({ shadow }) => shadow),
      found.map(({ aggregate }) => aggregate),
    ],
  )
}

export async function listShadow(db: Db): Promise<ShadowReport[]> {
  const { rows: types } = await db.query<Omit<ShadowReport, 'differences'>>(
    `select type, compared::float8, differing::float8, since from bridge.shadow order by type`,
  )
  if (types.length === 0) return []
  const { rows } = await db.query<ShadowDifference & { type: string }>(
    `select type, path, count::float8, live, shadow, last_at as "lastAt", last_aggregate as "lastAggregate"
       from bridge.shadow_difference
      order by type, count desc, path`,
  )
  return types.map((report) => ({
    ...report,
    differences: rows
      .filter(({ type }) => type === report.type)
      .map(({ type: _, ...difference }) => difference),
  }))
}

/** Undefined: there is none any more. */
export async function forgetOtherTrials(db: Db, trial: string | undefined): Promise<void> {
  await db.query('delete from bridge.shadow where trial is distinct from $1::text', [trial ?? null])
}
