import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { joinWorkers } from '../../src/postgres/membership.ts'
import { applyMigrations, readMigrations } from '../../src/postgres/migrate.ts'
import { type Connection, createPool, type Pool } from '../../src/postgres/pool.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { countLanes, insertMessages } from '../../src/queue/enqueue.ts'
import { BRIDGE_QUEUE, type Decision, type NewMessage, type QueuedMessage } from '../../src/queue/message.ts'
import { startSender } from '../../src/queue/sender.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'

const migrations = path.resolve(import.meta.dirname, '../../migrations/bridge')

/** An empty queue in a database of its own. */
export async function createQueue(): Promise<TestDatabase & Readonly<{ laneCount: number }>> {
  const database = await createDatabase()
  await applyMigrations(database.pool, 'bridge', await readMigrations(migrations))
  return { ...database, laneCount: await countLanes(database.pool, BRIDGE_QUEUE) }
}

export function newMessage(aggregate: string, payload: string, over: Partial<NewMessage> = {}): NewMessage {
  return { aggregate, type: 'order:persist', payload, subject: null, changedAt: new Date(), ...over }
}

export async function enqueue(db: TestDatabase & { laneCount: number }, messages: readonly NewMessage[]) {
  await inTransaction(db.pool, (transaction) =>
    insertMessages(transaction, BRIDGE_QUEUE, db.laneCount, messages),
  )
}

/** Where a test waits for its end; all others keep theirs, however long this machine stands still. */
export const LEASE = 6_000
const USUAL_LEASE = 30_000

export type Answer = (message: QueuedMessage, signal: AbortSignal) => Decision | Promise<Decision>

/** A pool in whose way faults can be put. */
export type FaultyPool = Omit<Pool, 'connect'> & {
  /** A test may put another in its place. */
  connect: Pool['connect']
  /** 'fine'; 'hangs': as if the process or network stood still; 'fails': as if the server were away. */
  mode: 'fine' | 'hangs'
  /** True: the statement is not run, and fails. */
  failsBefore(text: string): boolean
  /** True: the statement is run, and its answer is lost. */
  failsAfter(text: string): boolean
  /** The answer of a statement that was run comes only when this resolves. */
  waitsAfter(text: string): Promise<void> | undefined
}

export function faultyPool(url: string, answerWithinMilliseconds = 10_000): FaultyPool {
  const pool = createPool(url, {
    applicationName: 'faulty',
    max: 10,
    answerWithinMilliseconds,
    onConnectionError: () => {},
  })
  const planted = () => Object.assign(new Error('planted'), { code: '57P01' })
  const guard = async (): Promise<void> => {
    while (faulty.mode === 'hangs') await pause(10)
  }
  const faulty: FaultyPool = {
    mode: 'fine',
    failsBefore: () => false,
    failsAfter: () => false,
    waitsAfter: () => undefined,
    query: async (text, values) => {
      await guard()
      const result = await pool.query<never>(text, values)
      await faulty.waitsAfter(text)
      return result
    },
    connect: async (): Promise<Connection> => {
      await guard()
      const connection = await pool.connect()
      return {
        query: async (text, values) => {
          await guard()
          if (faulty.failsBefore(text)) throw planted()
          const result = await connection.query<never>(text, values)
          await faulty.waitsAfter(text)
          if (faulty.failsAfter(text)) throw planted()
          return result
        },
        release: (error) => connection.release(error),
        openedAt: connection.openedAt,
      }
    },
    end: () => pool.end(),
  }
  return faulty
}

export type TestWorker = Readonly<{
  pool: FaultyPool
  sent: QueuedMessage[]
  errors: unknown[]
  superseded: QueuedMessage[]
  lanes(): number
  id(): string | undefined
  wake(): void
  stop(): Promise<void>
}>

export function startWorker(
  url: string,
  answer: Answer = () => ({ do: 'acknowledge', answer: 'm' }),
  options: { concurrency?: number; leaseMilliseconds?: number; answerWithinMilliseconds?: number } = {},
): TestWorker {
  const pool = faultyPool(url, options.answerWithinMilliseconds)
  const leaseMilliseconds = options.leaseMilliseconds ?? USUAL_LEASE
  const sent: QueuedMessage[] = []
  const errors: unknown[] = []
  const superseded: QueuedMessage[] = []
  const onError = (error: unknown) => void errors.push(error)
  const membership = joinWorkers({
    pool,
    ownConnection: pool,
    table: 'bridge.worker',
    process: 'test',
    version: '0',
    leaseMilliseconds,
    heartbeatMilliseconds: leaseMilliseconds / 4,
    status: () => '{}',
    watch: (work) => work(),
    onError,
  })
  const sender = startSender<true>({
    pool,
    tables: BRIDGE_QUEUE,
    membership,
    concurrency: options.concurrency ?? 8,
    rememberedTypes: ['product:new', 'product:update'],
    permit: async (signal) => (signal.aborted ? undefined : true),
    giveBack: () => {},
    send: async (message, _permit, signal) => {
      sent.push(message)
      return answer(message, signal)
    },
    onSuperseded: (message) => void superseded.push(message),
    onError,
  })
  return {
    pool,
    sent,
    errors,
    superseded,
    lanes: () => sender.lanesOwned(),
    id: () => membership.registration()?.id,
    wake: () => sender.wake(),
    async stop() {
      await sender.stop(500)
      await membership.leave()
      await pool.end()
    },
  }
}

/** Waits for a condition; says what was seen when it does not come. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  seen: () => unknown,
  milliseconds = 60_000,
): Promise<void> {
  const end = Date.now() + milliseconds
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${milliseconds} ms: ${JSON.stringify(seen())}`)
    await pause(20)
  }
}

export async function countRows(pool: Pool, table: string, where = 'true'): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    `select count(*)::integer as n from ${table} where ${where}`,
  )
  return rows[0]?.n ?? 0
}
