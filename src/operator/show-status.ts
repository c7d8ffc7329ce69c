import { z } from 'zod'

import { type Backfill, listBackfills } from '../capture/backfill-table.ts'
import { readOpenGaps } from '../capture/gaps.ts'
import { listShadow, type ShadowReport } from '../capture/shadow.ts'
import { listUnmapped } from '../capture/unmapped.ts'
import { listWithheld, type WithheldCount } from '../capture/withheld.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { countMessages, type FailingMessage, findFailing, type MessageCount } from '../queue/look.ts'
import { BRIDGE_QUEUE } from '../queue/message.ts'
import { listPaused, type PausedType } from '../queue/pause.ts'
import { listAlarms, type OpenAlarm } from './alarms/alarm-table.ts'
import { TITLES } from './alarms/trouble.ts'

const heldReport = z.object({ held: z.record(z.string(), z.string()) })
/** Releases before do not report it. */
const acceptedReport = z.object({ acceptedPerMinute: z.number() })

/** A running worker as its last heartbeat told. */
export type WorkerStatus = Readonly<{
  id: string
  process: string
  host: string
  pid: number
  version: string
  startedAt: Date
  heartbeatAt: Date
  heartbeatAgeSeconds: number
  /** False where the lease has run out: the process is dead or stands still, and nobody has cleared it away yet. */
  alive: boolean
  lanes: number
  collects: boolean
  /** What the worker said of itself: circuit, last error. */
  report: unknown
}>

export type Status = Readonly<{
  workers: readonly WorkerStatus[]
  outboxRows: number
  /**
   * The oldest change not yet collected, and the oldest message not yet accepted, with their ages; null where none waits.
   * What is parked or of a paused type waits for a person and does not count.
   */
  oldestChangeAt: Date | null
  oldestChangeSeconds: number | null
  oldestMessageAt: Date | null
  oldestMessageSeconds: number | null
  messages: readonly MessageCount[]
  /** False where those that wait are too many to be counted in time: then none of them is among `messages`. */
  waitingCounted: boolean
  /** The message that has been failing longest, with its last error; null where none is. */
  failing: FailingMessage | null
  /**
   * In the last minute: changes collected, messages that the hub accepted as of the workers' last heartbeats, messages of the
   * hub that were applied.
   */
  perMinute: Readonly<{ collected: number; accepted: number; applied: number }>
  /** Types that a person has paused. */
  paused: readonly PausedType[]
  unmapped: readonly Readonly<{ aggregate: string; reason: string; at: Date }>[]
  /** Messages that the configuration keeps back, since it first did. */
  withheld: readonly WithheldCount[]
  /** What came of a configuration on trial, for each type of messages. */
  shadow: readonly ShadowReport[]
  gaps: readonly Readonly<{ kind: string; reason: string; table: string | null; openedAt: Date }>[]
  /** When the store was last compared with what was announced, and since when that is due; null: never, and not due. */
  reconcile: Readonly<{ dueAt: Date | null; startedAt: Date | null; finishedAt: Date | null }>
  /** Those that have not come to their end. */
  backfills: readonly Backfill[]
  alarms: readonly OpenAlarm[]
  /** Kinds whose silent seeding is under way, with the id it has come to. */
  seeding: readonly Readonly<{ kind: string; lastId: string }>[]
}>

/** Does anybody look after the bridge at present? */
export async function hasLiveWorker(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ lives: boolean }>(
    'select exists (select from bridge.worker where expires_at > clock_timestamp()) as lives',
  )
  return rows[0]?.lives ?? false
}

/** What the bridge can say of itself from its tables alone: true even where no worker lives. */
export async function readStatus(
  db: Pool,
  leaseSeconds: number,
  countWithinMilliseconds?: number,
): Promise<Status> {
  const { counts, waitingCounted } = await countMessages<Omit<MessageCount, 'count'>>(
    db,
    BRIDGE_QUEUE,
    ['state', 'type'],
    countWithinMilliseconds,
  )
  const workers = await db.query<{
    id: string
    process: string
    host: string
    pid: number
    version: string
    started_at: Date
    heartbeat_at: Date
    heartbeat_age: number
    alive: boolean
    lanes: number
    collects: boolean
    status: string
  }>(
    `select w.id, w.process, w.host, w.pid, w.version, w.started_at, w.status,
            w.expires_at > clock_timestamp() as alive,
            w.expires_at - make_interval(secs => $1) as heartbeat_at,
            greatest(0, $1 - extract(epoch from w.expires_at - clock_timestamp()))::float8 as heartbeat_age,
            (select count(*)::integer from bridge.lane l where l.owner = w.id) as lanes,
            exists (select from bridge.lease l where l.owner = w.id and l.name = 'collector') as collects
       from bridge.worker w
      order by w.started_at`,
    [leaseSeconds],
  )
  const outbox = await db.query<{ rows: number; oldest_at: Date | null; oldest: number | null }>(
    `select count(*)::integer as rows, min(at) as oldest_at,
            extract(epoch from clock_timestamp() - min(at))::float8 as oldest
       from bridge.outbox`,
  )
  const oldest = await db.query<{ at: Date | null; seconds: number | null }>(
    // By id, which is found at once, and not by the earliest time, for which every message would be read.
    `select created_at as at, extract(epoch from clock_timestamp() - created_at)::float8 as seconds
       from bridge.message
      where state <> 'parked' and type not in (select type from bridge.paused)
      order by id
      limit 1`,
  )
  const gaps = await readOpenGaps(db)
  const reconcile = await db.query<{ dueAt: Date | null; startedAt: Date | null; finishedAt: Date | null }>(
    `select least(due_at, $1) as "dueAt", started_at as "startedAt", finished_at as "finishedAt"
       from bridge.reconciliation`,
    [gaps[0]?.openedAt ?? null],
  )
  const rates = await db.query<{ collected: number; applied: number }>(
    `select (select coalesce(sum(changes), 0)::float8
               from bridge.tally
              where at > clock_timestamp() - interval '1 minute') as collected,
            (select count(*)::float8
               from bridge.inbox
              where changed_at > clock_timestamp() - interval '1 minute' and state = 'applied') as applied`,
  )
  const seeding = await db.query<{ kind: string; last_id: string }>(
    'select kind, last_id from bridge.seeding where finished_at is null order by kind',
  )
  return {
    workers: workers.rows.map((row) => ({
      id: row.id,
      process: row.process,
      host: row.host,
      pid: row.pid,
      version: row.version,
      startedAt: row.started_at,
      heartbeatAt: row.heartbeat_at,
      heartbeatAgeSeconds: Math.round(row.heartbeat_age * 10) / 10,
      alive: row.alive,
      lanes: row.lanes,
      collects: row.collects,
      report: JSON.parse(row.status),
    })),
    outboxRows: outbox.rows[0]?.rows ?? 0,
    oldestChangeAt: outbox.rows[0]?.oldest_at ?? null,
    oldestChangeSeconds: outbox.rows[0]?.oldest ?? null,
    oldestMessageAt: oldest.rows[0]?.at ?? null,
    oldestMessageSeconds: oldest.rows[0]?.seconds ?? null,
    messages: counts,
    waitingCounted,
    failing: await findFailing(db, BRIDGE_QUEUE),
    perMinute: {
      collected: rates.rows[0]?.collected ?? 0,
      accepted: workers.rows.reduce(
        (sum, row) => sum + (row.alive ? acceptedOf(JSON.parse(row.status)) : 0),
        0,
      ),
      applied: rates.rows[0]?.applied ?? 0,
    },
    paused: await listPaused(db, BRIDGE_QUEUE),
    unmapped: await listUnmapped(db),
    withheld: await listWithheld(db),
    shadow: await listShadow(db),
    gaps: gaps.map(({ id: _, ...gap }) => gap),
    reconcile: reconcile.rows[0] ?? { dueAt: null, startedAt: null, finishedAt: null },
    backfills: await listBackfills(db),
    alarms: await listAlarms(db, 'bridge.alarm'),
    seeding: seeding.rows.map((row) => ({ kind: row.kind, lastId: row.last_id })),
  }
}

/** The status as lines for a terminal. */
export function formatStatus(status: Status): string {
  const lines = [
    ...(status.workers.every(({ alive }) => !alive)
      ? ['No worker is running: nothing is collected or pushed.']
      : []),
    ...status.workers.map(
      (worker) =>
        `worker ${worker.host}:${worker.pid}${worker.alive ? '' : '  DEAD'}  heartbeat ${worker.heartbeatAgeSeconds} s ago  ${worker.lanes} lanes` +
        `${worker.collects ? '  collector' : ''}  ${describeReport(worker.report)}`,
    ),
    ...status.workers.flatMap(({ report }) =>
      heldOf(report).map(([kind, reason]) => `held    changes of ${kind} wait in the outbox: ${reason}`),
    ),
    `outbox  ${status.outboxRows} rows${age(status.oldestChangeSeconds)}`,
    ...(status.messages.length === 0 && status.waitingCounted ? ['queue   empty'] : []),
    ...status.messages.map(
      ({ state, type, count }) => `queue   ${state.padEnd(8)} ${type.padEnd(16)} ${count}`,
    ),
    ...(status.waitingCounted ? [] : ['queue   waiting  too many to be counted in time']),
    ...formatFailing(status.failing),
    `rates   in the last minute ${status.perMinute.collected} changes collected, ${status.perMinute.accepted} messages accepted by the hub, ${status.perMinute.applied} of its own applied`,
    ...status.paused.map(
      ({ type, since }) =>
        `paused  ${type} since ${since.toISOString()}: \`messages resume ${type}\` lets it go on`,
    ),
    ...(status.oldestMessageSeconds === null
      ? []
      : [`oldest message waits ${Math.round(status.oldestMessageSeconds)} s`]),
    ...status.unmapped.map(({ aggregate, reason }) => `parked  ${aggregate}: ${reason}`),
    ...status.withheld.map(
      ({ type, by, count, since, lastAggregate }) =>
        `kept    ${count} ${type} not sent by ${by === 'dialect' ? "the hub's dialect" : `${by} of the configuration`} since ${since.toISOString()}, the last of ${lastAggregate}`,
    ),
    ...status.shadow.flatMap(formatShadow),
    ...status.gaps.map(
      ({ kind, reason, table, openedAt }) =>
        `gap     ${kind} (${reason}${table ? ` on ${table}` : ''}) since ${openedAt.toISOString()}: changes went unseen`,
    ),
    ...formatReconcile(status.reconcile),
    ...status.backfills.map(
      ({ entity, asked, expected, running }) =>
        `backfill of ${entity}: ${asked} of ${expected} asked for, ${running ? 'running' : 'stopped: the same command goes on with it'}`,
    ),
    ...status.alarms.map(
      ({ cause, text, raisedAt, lastError }) =>
        `alarm   ${TITLES[cause]} since ${raisedAt.toISOString()}: ${text}${lastError ? ` Not told: ${lastError}` : ''}`,
    ),
    ...status.seeding.map(({ kind, lastId }) => `seeding ${kind} baselines, come to id ${lastId}`),
  ]
  return lines.join('\n')
}

function formatFailing(failing: Status['failing']): string[] {
  if (!failing) return []
  const { id, type, aggregate, attempts, lastError } = failing
  return [
    `failing ${type} ${id} of ${aggregate}, the oldest that fails, after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${lastError ?? 'no error was kept'}`,
  ]
}

/** Of the most frequent differences as many as a screen bears; `--json` has all. */
const DIFFERENCES_SHOWN = 10

function formatShadow({ type, compared, differing, since, differences }: ShadowReport): string[] {
  return [
    `shadow  ${type} compared ${compared} since ${since.toISOString()}, ${differing} differ`,
    ...differences
      .slice(0, DIFFERENCES_SHOWN)
      .map(
        ({ path, count, live, shadow, lastAggregate }) =>
          `        ${path} ${count}, the last of ${lastAggregate}: ${live} → ${shadow}`,
      ),
  ]
}

function formatReconcile({ dueAt, startedAt, finishedAt }: Status['reconcile']): string[] {
  const isRunning = startedAt !== null && (finishedAt === null || finishedAt < startedAt)
  if (isRunning) return [`reconcile began at ${startedAt.toISOString()} and has not ended`]
  return [
    ...(dueAt ? [`reconcile is due since ${dueAt.toISOString()}`] : []),
    ...(finishedAt ? [`reconcile was last done at ${finishedAt.toISOString()}`] : []),
  ]
}

function age(seconds: number | null): string {
  return seconds === null ? '' : `, oldest ${Math.round(seconds)} s`
}

function describeReport(report: unknown): string {
  if (typeof report !== 'object' || report === null || !('circuit' in report)) return ''
  return `circuit ${String(report.circuit)}${'lastError' in report && report.lastError ? `: ${String(report.lastError)}` : ''}`
}

/** What a worker reports that the hub has accepted of it within a minute. */
function acceptedOf(report: unknown): number {
  const told = acceptedReport.safeParse(report)
  return told.success ? told.data.acceptedPerMinute : 0
}

/** What a worker reports that it cannot read. */
export function heldOf(report: unknown): [kind: string, reason: string][] {
  const told = heldReport.safeParse(report)
  return told.success ? Object.entries(told.data.held) : []
}
