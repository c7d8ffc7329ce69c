import type { Db } from '../postgres/pool.ts'
import { queryPrepared } from '../postgres/prepared.ts'

/** What was last announced of one part of an aggregate: `catalogue`, `order`, or `stock:<variant id>`. */
export type Baseline = Readonly<{
  aggregate: string
  part: string
  digest: string | null
  level: string | null
  /** JSON text of the keys by which the hub knows it: needed when the row is gone. */
  naturalKey: string | null
  shape: number
  /** The text of the raw order that was last announced, where order messages tell of a past. */
  told?: string | null
  /** When the shop itself changed it, where that is what is written down. */
  changedAt?: Date | undefined
}>

export type BaselineKey = Readonly<{ aggregate: string; part: string }>

type BaselineRow = {
  aggregate: string
  part: string
  digest: string | null
  level: string | null
  natural_key: string | null
  shape: number
  told: string | null
}

/** The baselines of some aggregates, by aggregate and part; what is kept of orders only where it is asked for. */
export async function readBaselines(
  db: Db,
  aggregates: readonly string[],
  withTold = false,
): Promise<ReadonlyMap<string, ReadonlyMap<string, Baseline>>> {
  const { rows } = await queryPrepared<BaselineRow>(
    db,
    `select aggregate, part, digest, level, natural_key, shape, case when $2 then told end as told
       from bridge.baseline
      where aggregate = any($1::text[])`,
    [aggregates, withTold],
  )
  const found = new Map<string, Map<string, Baseline>>()
  for (const row of rows) {
    const parts = found.get(row.aggregate) ?? new Map<string, Baseline>()
    parts.set(row.part, {
      aggregate: row.aggregate,
      part: row.part,
      digest: row.digest,
      level: row.level,
      naturalKey: row.natural_key,
      shape: row.shape,
      told: row.told,
    })
    found.set(row.aggregate, parts)
  }
  return found
}

/** Writes baselines, the later one winning. */
export function writeBaselines(db: Db, baselines: readonly Baseline[]): Promise<void> {
  return insertBaselines(
    db,
    baselines,
    `update
        set digest = excluded.digest,
            level = excluded.level,
            natural_key = excluded.natural_key,
            shape = excluded.shape,
            told = excluded.told,
            changed_at = coalesce(excluded.changed_at, b.changed_at),
            updated_at = clock_timestamp()`,
  )
}

/** Seeding: baselines of what nobody has announced yet; one that exists knows better. */
export function seedBaselines(db: Db, baselines: readonly Baseline[]): Promise<void> {
  return insertBaselines(db, baselines, 'nothing')
}

/** A parameter per column: one per value costs twice the CPU where the texts are as short as these. */
async function insertBaselines(db: Db, baselines: readonly Baseline[], onConflict: string): Promise<void> {
  if (baselines.length === 0) return
  await queryPrepared(
    db,
    `insert into bridge.baseline as b (aggregate, part, digest, level, natural_key, shape, told, changed_at)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::text[], $6::integer[], $7::text[], $8::timestamptz[])
         on conflict (aggregate, part) do ${onConflict}`,
    [
      baselines.map((b) => b.aggregate),
      baselines.map((b) => b.part),
      baselines.map((b) => b.digest),
      baselines.map((b) => b.level),
      baselines.map((b) => b.naturalKey),
      baselines.map((b) => b.shape),
      baselines.map((b) => b.told ?? null),
      baselines.map((b) => b.changedAt ?? null),
    ],
  )
}

export async function deleteBaselines(db: Db, keys: readonly BaselineKey[]): Promise<void> {
  if (keys.length === 0) return
  await queryPrepared(
    db,
    `delete from bridge.baseline b
      using unnest($1::text[], $2::text[]) gone (aggregate, part)
      where b.aggregate = gone.aggregate and b.part = gone.part`,
    [keys.map((key) => key.aggregate), keys.map((key) => key.part)],
  )
}
