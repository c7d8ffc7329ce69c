import type { VariantStockSnapshot } from '../messages/snapshot.ts'
import type { Db } from '../postgres/pool.ts'
import type { Baseline } from './baseline.ts'

/** A variant's stock as it stands, against what was told of it: of one snapshot. */
export type StockAccount = Readonly<{
  /** The level by all that was told to the hub, or came from it. */
  known: number
  /** Changes that wait in the outbox; those that a collector is about to take among them. */
  waitingRows: number
  /** True where one of them asks the collector to tell what is missing. */
  asked: boolean
  /** Pieces that are in the level and in no change told or waiting: how many the hub was never told of. */
  missed: number
}>

/** Of a variant younger than this the ledger, which is kept for thirty days, has every delta. */
const LEDGER_IS_WHOLE_MILLISECONDS = 29 * 86_400_000

export function stockPart(variantId: string): string {
  return `stock:${variantId}`
}

/** The variant that a message with this subject is about, of a place or of all. */
export function variantOfSubject(subject: string | null): string | undefined {
  return /^stock:(\d+)(@|$)/.exec(subject ?? '')?.[1]
}

type BaselineOf = (variant: VariantStockSnapshot) => Baseline | undefined

/**
 * The accounts of some variants. `level = known + waiting + missed` holds in every snapshot, however busy the store is,
 * because a trigger writes the delta with the change, and the collector moves it from the outbox to the baseline.
 */
export async function readStockAccounts(
  db: Db,
  variants: readonly VariantStockSnapshot[],
  baselineOf: BaselineOf,
): Promise<ReadonlyMap<string, StockAccount>> {
  const waiting = await readWaiting(db, variants)
  const known = await readKnown(db, variants, baselineOf, async () => waiting)
  return new Map(
    variants.map(({ variantId, level }) => {
      const { rows, delta, asked } = waiting.get(variantId) ?? NOTHING_WAITS
      const told = known.get(variantId) ?? level - delta
      return [variantId, { known: told, waitingRows: rows, asked, missed: level - told - delta }]
    }),
  )
}

/** Only what is known, of variants that have no baseline: cheap for new ones, however much waits in the outbox. */
export function readKnownLevels(
  db: Db,
  variants: readonly VariantStockSnapshot[],
): Promise<ReadonlyMap<string, number>> {
  return readKnown(
    db,
    variants,
    () => undefined,
    (older) => readWaiting(db, older),
  )
}

/**
 * Without a baseline: of a variant that is new since the seeding the ledger knows what was told. An older one is taken to
 * be known, since announcing all its pieces once more would double them.
 */
async function readKnown(
  db: Db,
  variants: readonly VariantStockSnapshot[],
  baselineOf: BaselineOf,
  waitingOf: (variants: readonly VariantStockSnapshot[]) => Promise<ReadonlyMap<string, Waiting>>,
): Promise<ReadonlyMap<string, number>> {
  const known = new Map<string, number>()
  const unnoted: VariantStockSnapshot[] = []
  for (const variant of variants) {
    const level = baselineOf(variant)?.level ?? null
    if (level === null) unnoted.push(variant)
    else known.set(variant.variantId, Number(level))
  }
  if (unnoted.length === 0) return known
  for (const [id, told] of await readLedger(db, unnoted.filter(isYoung))) known.set(id, told)
  const older = unnoted.filter(({ variantId }) => !known.has(variantId))
  if (older.length === 0) return known
  const waiting = await waitingOf(older)
  for (const { variantId, level } of older)
    known.set(variantId, level - (waiting.get(variantId) ?? NOTHING_WAITS).delta)
  return known
}

type Waiting = Readonly<{ rows: number; delta: number; asked: boolean }>

const NOTHING_WAITS: Waiting = { rows: 0, delta: 0, asked: false }

async function readWaiting(
  db: Db,
  variants: readonly VariantStockSnapshot[],
): Promise<ReadonlyMap<string, Waiting>> {
  if (variants.length === 0) return new Map()
  const { rows } = await db.query<Waiting & { variant_id: string }>(
    `select coalesce(parent, parent_old) as variant_id, count(*)::integer as rows,
            coalesce(sum(delta), 0)::float8 as delta, bool_or(op = 'compare') as asked
       from bridge.outbox
      where kind = 'stock'
        and coalesce(parent, parent_old) = any($1::text[])
      group by 1`,
    [variants.map(({ variantId }) => variantId)],
  )
  return new Map(rows.map(({ variant_id, ...waiting }) => [variant_id, waiting]))
}

/** What the ledger has of those variants that were not there yet when the seeding ended. */
async function readLedger(
  db: Db,
  variants: readonly VariantStockSnapshot[],
): Promise<ReadonlyMap<string, number>> {
  if (variants.length === 0) return new Map()
  const { rows } = await db.query<{ id: string; told: number }>(
    `select v.id, coalesce(sum(l.delta), 0)::float8 as told
       from unnest($1::text[], $2::timestamptz[]) v (id, since)
       left join bridge.stock_ledger l on l.variant_id = v.id and l.at >= v.since
      where v.id::bigint > (select last_variant::bigint from bridge.seeding where kind = 'product' and finished_at is not null)
      group by v.id`,
    // A day's grace: the shop writes its times without a zone.
    [
      variants.map(({ variantId }) => variantId),
      variants.map(({ createdAt }) => new Date((createdAt?.getTime() ?? 0) - 86_400_000)),
    ],
  )
  return new Map(rows.map(({ id, told }) => [id, told]))
}

function isYoung({ createdAt }: VariantStockSnapshot): boolean {
  return createdAt !== null && createdAt.getTime() > Date.now() - LEDGER_IS_WHOLE_MILLISECONDS
}
