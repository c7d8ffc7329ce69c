import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

import type { Shape } from '../messages/shaping/shape.ts'
import type { Log } from '../observe/log.ts'
import { onceInAWhile } from '../observe/once-in-a-while.ts'
import { atStep } from '../observe/steps.ts'
import { isStalePlan, isTransient, sqlState } from '../postgres/errors.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { untilCommit } from '../postgres/transaction.ts'
import type { Store } from '../store/store.ts'
import type { Answer } from './answer.ts'
import { applyTogether, type StockMessage, stockChangeOf } from './apply-together.ts'
import { type Delivery, readInbound } from './delivery.ts'
import { dialectOf } from './dialects.ts'
import { type Handler, NotApplicable } from './handler.ts'
import { inGroups } from './in-groups.ts'
import { enterInbox, type InboxKey, recordFailure, settleApplied } from './inbox-row.ts'
import { originOf, setOrigin } from './origin.ts'
import { PayloadFault } from './payload-fault.ts'

/** What became of a delivery: applied now, known already, kept as failed, or put off without a trace. */
export type Outcome = 'applied' | 'repeated' | 'failed' | 'unavailable'

export type Received = Readonly<{ outcome: Outcome; answer: Answer }>

export type Inbox = Readonly<{
  /** Applies one message, once however often it is delivered. Never rejects. */
  receive(handler: Handler<unknown>, delivery: Delivery): Promise<Received>
}>

export type InboxOptions = Readonly<{
  pool: Pool
  store: Store
  /** The store's id at the hub whose message ids these are; '' for that of the installation. */
  hub: string
  /** What the configuration makes of messages; undefined where it says nothing of them. */
  shape?: Shape | undefined
  log: Log
}>

const ATTEMPTS = 5
const LONGEST_PAUSE_MILLISECONDS = 50
/** Two groups of what the pool of a busy hub sends at a time; a larger one would keep its first ones waiting. */
const MOST_TOGETHER = 64
/** Of an inbox row: another delivery of the message was quicker. */
const KNOWN_ALREADY = '23505'
const MISSING_RIGHT = '42501'
/** What a message brings, or what comes of it with what is there, fits no column: a text, a number, a time. */
const TOO_LARGE: ReadonlyMap<string | undefined, string> = new Map([
  ['22001', 'A text of this message is longer than the store can hold: shorten it, then send it again.'],
  [
    '22003',
    'A number of this message, or what comes of it, is larger than the store can hold: correct it, or what is in the store, then retry.',
  ],
  ['22008', 'A time of this message lies beyond what the store can hold: correct it, then send it again.'],
])
const CONFLICTS: ReadonlySet<string | undefined> = new Set(['40001', '40P01'])

/** The store's own statements wait behind the rows that a message has changed, so no application may take long. */
const LIMITS = `
set local lock_timeout = '10s';
set local statement_timeout = '30s'`

const NO_DATABASE = "The store's database does not answer at the moment: send the message again later."

export function createInbox({ pool, store, hub, shape, log }: InboxOptions): Inbox {
  const seldom = onceInAWhile(log)

  const keyOf = (handler: Handler<unknown>, { messageId }: Delivery): InboxKey => ({
    hub,
    dialect: dialectOf(handler).name,
    messageId,
  })

  const applyInGroup = inGroups<StockMessage, Answer>({
    work: (messages) => applyTogether(pool, store, messages),
    keyOf: ({ hub, dialect, messageId }) => JSON.stringify([hub, dialect, messageId]),
    most: MOST_TOGETHER,
    failed(error) {
      if (isTransient(error) || sqlState(error) === KNOWN_ALREADY) return
      seldom('together', 'warn', 'messages could not be applied together; each is applied by itself', {
        error,
      })
    },
  })

  /**
   * One transaction: the inbox row, the store's writes under the message's origin, and the answer. What needs no answer of its
   * own goes along with what comes behind it: where it fails, that fails as well, and a commit becomes a rollback.
   */
  function apply(handler: Handler<unknown>, delivery: Delivery, payload: string): Promise<Received> {
    const { messageId } = delivery
    const dialect = dialectOf(handler)
    const commit = (db: Db) => atStep('apply.commit', () => db.query('commit'))
    return untilCommit(pool, async (db) => {
      const [, row] = await Promise.all([
        db.query(LIMITS),
        atStep('apply.inbox', () => enterInbox(db, keyOf(handler, delivery), handler.message, payload)),
      ])
      if (row.state !== 'failed') {
        await commit(db)
        return { outcome: 'repeated', answer: row.answer }
      }
      const inbound = readInbound(handler, delivery)
      const [, applied] = await atStep('apply.write', () =>
        Promise.all([
          setOrigin(db, originOf(messageId, row.receivedAt)),
          handler.apply(db, store, inbound, shape),
        ]),
      )
      const answer = dialect.applied(messageId, applied)
      await Promise.all([atStep('apply.answer', () => settleApplied(db, row.id, answer)), commit(db)])
      return { outcome: 'applied', answer }
    })
  }

  async function applyThroughConflicts(
    handler: Handler<unknown>,
    delivery: Delivery,
    payload: string,
  ): Promise<Received> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await apply(handler, delivery, payload)
      } catch (error) {
        const mayPass = CONFLICTS.has(sqlState(error)) || isStalePlan(error)
        if (!mayPass || attempt >= ATTEMPTS) throw error
        await pause(Math.random() * LONGEST_PAUSE_MILLISECONDS * attempt)
      }
    }
  }

  /** What the sender is answered, and what is kept for the operator. */
  function judge(error: unknown, handler: Handler<unknown>, { messageId }: Delivery) {
    const { message } = handler
    const dialect = dialectOf(handler)
    if (error instanceof NotApplicable)
      return {
        answer: dialect.notApplicable(messageId, message, error.message, error.code),
        reason: error.message,
      }
    if (error instanceof PayloadFault)
      return { answer: dialect.fault(messageId, error.message), reason: error.message }
    if (sqlState(error) === MISSING_RIGHT) {
      const denied = error instanceof Error ? error.message : String(error)
      const why = `The bridge may not write this in the store's database (${denied}): its web names the missing GRANTs at its start.`
      return { answer: dialect.notApplicable(messageId, message, why), reason: why }
    }
    const tooLarge = TOO_LARGE.get(sqlState(error))
    if (tooLarge !== undefined)
      return { answer: dialect.notApplicable(messageId, message, tooLarge), reason: tooLarge }
    const errorId = randomUUID()
    log.error('A message could not be applied by a fault of ours.', {
      error_id: errorId,
      message_id: messageId,
      type: message,
      error,
    })
    const text = error instanceof Error ? error.message : String(error)
    return { answer: dialect.bug(messageId, errorId), reason: `${text} (${errorId} in the log)` }
  }

  function putOff(error: unknown, handler: Handler<unknown>, { messageId }: Delivery): Received {
    seldom('apply', 'warn', 'the database did not answer as usual; messages are put off', { error })
    return { outcome: 'unavailable', answer: dialectOf(handler).unavailable(messageId, NO_DATABASE) }
  }

  return {
    async receive(handler, delivery) {
      const payload = JSON.stringify(delivery.payload)
      const change = stockChangeOf(handler, delivery)
      if (change) {
        // Key by key: a copy made by `{ ...` outlives the quick collections of garbage, with all that hangs on it.
        const answer = await applyInGroup({
          hub,
          dialect: dialectOf(handler).name,
          messageId: delivery.messageId,
          type: handler.message,
          payload,
          move: change.move,
          told: change.told,
        })
        if (answer) return { outcome: 'applied', answer }
      }
      try {
        return await applyThroughConflicts(handler, delivery, payload)
      } catch (error) {
        if (isTransient(error)) return putOff(error, handler, delivery)
        const { answer, reason } = judge(error, handler, delivery)
        try {
          await atStep('apply.failure', () =>
            recordFailure(pool, keyOf(handler, delivery), handler.message, payload, answer, reason),
          )
        } catch (notKept) {
          // A database that does not even take the reason is away, or is not ours.
          return putOff(notKept, handler, delivery)
        }
        return { outcome: 'failed', answer }
      }
    },
  }
}
