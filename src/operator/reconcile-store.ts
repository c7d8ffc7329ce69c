import type { Drift } from '../capture/compare.ts'
import { type Comparison, compareStore, driftOf } from '../capture/compare-store.ts'
import { closeGaps, type JudgedGap, judgeGaps, takeUpGaps } from '../capture/gaps.ts'
import { listUnmapped } from '../capture/unmapped.ts'
import { KINDS, type Kind } from '../messages/aggregate.ts'
import type { Pool } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { formatProof, type Proof, readProof } from './proof.ts'

export type ReconcileOptions = Readonly<{
  pool: Pool
  store: Store
  stockMessages: 'change' | 'actual'
  stockBy?: 'variant' | 'location'
  fix: boolean
  /** Left out: the proof takes the time that it takes. */
  proofWithinMilliseconds?: number
  signal: AbortSignal
  rest(milliseconds: number): Promise<unknown>
  onProgress(comparison: Comparison): void
}>

export type Reconciliation = Readonly<{
  fix: boolean
  kinds: Comparison['kinds']
  /** The first differences of each kind. */
  drift: readonly Drift[]
  /** Gaps that were open when the pass began, and what became of them. */
  gaps: readonly Readonly<{
    kind: Kind
    reason: string
    table: string | null
    openedAt: Date
    closed: boolean
    keptOpen: string | null
  }>[]
  unmapped: readonly Readonly<{ aggregate: string; reason: string }>[]
  /** Null: it took too long. */
  proof: Proof | null
  /** All was compared, and nothing is left that is not at least on its way. */
  clean: boolean
}>

/** For transactions that were open when the pass was to begin. */
const GAP_WAIT_MILLISECONDS = 1_000

/**
 * The net under all promises: compares the store with what was announced. With `fix` the collector is asked to tell what
 * differs, and gaps of a kind are closed when all of the kind was compared.
 */
export async function reconcileStore(options: ReconcileOptions): Promise<Reconciliation> {
  const { pool, store, fix } = options
  if (fix) {
    await pool.query('update bridge.reconciliation set started_at = clock_timestamp()')
    await takeUpGaps(pool)
  }
  const gaps = await judgeGaps(pool, store, GAP_WAIT_MILLISECONDS)
  const { kinds, listed } = await compareStore(pool, store, options)
  const judged = gaps.map((gap) => ({ ...gap, keptOpen: gap.keptOpen ?? keptOpen(gap, fix, kinds) }))
  const closed = judged.filter((gap) => gap.keptOpen === null)
  if (fix) await closeGaps(pool, closed)
  const found = KINDS.some((kind) => driftOf(kinds[kind].drift) > 0)
  const unfinished = KINDS.some((kind) => kinds[kind].unfinished !== null)
  // Before what merely counts: that may take long, and the store is compared.
  const endedEarly = KINDS.some((kind) => kinds[kind].unfinished !== null && !kinds[kind].unreadable)
  if (fix) await noteReconciliation(pool, kinds, endedEarly)
  const proof = await readProof(pool, options.proofWithinMilliseconds)
  return {
    fix,
    kinds,
    drift: listed,
    gaps: judged.map(({ id: _, ...gap }) => ({ ...gap, closed: gap.keptOpen === null })),
    unmapped: (await listUnmapped(pool)).map(({ aggregate, reason }) => ({ aggregate, reason })),
    proof,
    clean:
      (fix || !found) && !unfinished && closed.length === gaps.length && (proof?.broken ?? []).length === 0,
  }
}

function keptOpen({ kind }: JudgedGap, fix: boolean, kinds: Comparison['kinds']): string | null {
  if (!fix) return 'reconcile --fix closes it'
  const { unfinished } = kinds[kind]
  return unfinished === null ? null : `the ${kind} kind was not compared to the end: ${unfinished}`
}

/** What is due is done, unless it ended early for a reason that may pass by itself, or became due meanwhile. */
async function noteReconciliation(
  pool: Pool,
  kinds: Comparison['kinds'],
  endedEarly: boolean,
): Promise<void> {
  await pool.query(
    `update bridge.reconciliation
        set finished_at = clock_timestamp(), report = $1,
            due_at = case when due_at > started_at or $2 then due_at end`,
    [JSON.stringify({ kinds }), endedEarly],
  )
}

/** The reconciliation as lines for a terminal. */
export function formatReconciliation({ fix, kinds, drift, gaps, unmapped, proof }: Reconciliation): string {
  const count = KINDS.reduce((sum, kind) => sum + driftOf(kinds[kind].drift), 0)
  return [
    ...KINDS.map((kind) => formatKind(kind, kinds[kind])),
    ...drift.map(formatDrift),
    ...(count > drift.length ? [`  … and ${count - drift.length} more`] : []),
    ...gaps.map(
      ({ kind, reason, table, openedAt, closed, keptOpen }) =>
        `gap       ${kind} (${reason}${table ? ` on ${table}` : ''}) since ${openedAt.toISOString()}: ${closed ? 'closed' : `open, ${keptOpen}`}`,
    ),
    ...unmapped.map(({ aggregate, reason }) => `parked    ${aggregate}: ${reason}`),
    ...formatProof(proof),
    count === 0
      ? 'The store is as it was announced, but for what is under way.'
      : fix
        ? `${count} ${count === 1 ? 'difference is' : 'differences are'} on the way to be announced.`
        : `${count} ${count === 1 ? 'difference was' : 'differences were'} found: \`reconcile --fix\` announces ${count === 1 ? 'it' : 'them'}.`,
  ].join('\n')
}

function formatKind(
  kind: Kind,
  { compared, drift, underWay, unfinished }: Comparison['kinds'][Kind],
): string {
  const counts = Object.entries(drift).flatMap(([outcome, count]) =>
    count > 0 ? [`${count} ${outcome}`] : [],
  )
  return (
    `${kind.padEnd(14)} ${compared} compared, ${counts.length > 0 ? counts.join(', ') : 'none differs'}, ${underWay} under way` +
    (unfinished ? `; not to the end: ${unfinished}` : '')
  )
}

const OUTCOMES = {
  changed: 'is not as it was announced',
  untold: 'was never announced',
  gone: 'is gone, and that was not announced',
  unmappable: 'cannot be made into a message',
} as const

function formatDrift({ about, outcome, name, missed }: Drift): string {
  const named = name ? ` (${name})` : ''
  if (about.kind !== 'stock') return `  ${about.kind}:${about.id}${named} ${OUTCOMES[outcome]}`
  return missed === 0
    ? `  stock of variant ${about.variantId}${named}: nothing is noted of what was announced`
    : `  stock of variant ${about.variantId}${named} ${Number(missed) > 0 ? 'rose' : 'fell'} by ${Math.abs(Number(missed))} without a word`
}
