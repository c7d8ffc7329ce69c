import type { WithheldBy } from '../messages/shaping/shape.ts'
import type { Db } from '../postgres/pool.ts'
import type { Withheld } from './shape-messages.ts'

export type WithheldFrom = Withheld & Readonly<{ aggregate: string }>

/** How many messages of a type one of the configuration's rules has kept back, and of what the last one was. */
export type WithheldCount = Readonly<{
  type: string
  by: WithheldBy
  count: number
  since: Date
  lastAt: Date
  lastAggregate: string
}>

/** Part of the collector's transaction; nobody else writes here. */
export async function countWithheld(db: Db, withheld: readonly WithheldFrom[]): Promise<void> {
  if (withheld.length === 0) return
  await db.query(
    `insert into bridge.withheld as w (type, withheld_by, count, last_aggregate)
     select kept.type, kept.by, count(*), (array_agg(kept.aggregate order by kept.place desc))[1]
       from unnest($1::text[], $2::text[], $3::text[]) with ordinality kept (type, by, aggregate, place)
      group by kept.type, kept.by
         on conflict (type, withheld_by) do update
        set count = w.count + excluded.count,
            last_at = excluded.last_at,
            last_aggregate = excluded.last_aggregate`,
    [
      withheld.map(({ type }) => type),
      withheld.map(({ by }) => by),
      withheld.map(({ aggregate }) => aggregate),
    ],
  )
}

export async function listWithheld(db: Db): Promise<WithheldCount[]> {
  const { rows } = await db.query<WithheldCount>(
    `select type, withheld_by as by, count::float8, since, last_at as "lastAt", last_aggregate as "lastAggregate"
       from bridge.withheld
      order by type, withheld_by`,
  )
  return rows
}
