import { atStep } from '../observe/steps.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { queryPrepared } from '../postgres/prepared.ts'
import { inTransaction } from '../postgres/transaction.ts'
import type { Store } from '../store/store.ts'
import { makeMoves, type TakenMove, takeMoves } from '../store/writes/move-stock-together.ts'
import type { Answer } from './answer.ts'
import { type Delivery, readInbound } from './delivery.ts'
import { DIALECTS } from './dialects.ts'
import { type Handler, NotApplicable, type StockChange } from './handler.ts'
import { enterApplied, type InboxKey, readArrivals } from './inbox-row.ts'
import { originOfGroup } from './origin.ts'
import { PayloadFault } from './payload-fault.ts'

/** A message that comes down to a change of stock, on its way to be applied beside others. */
export type StockMessage = InboxKey & StockChange & Readonly<{ type: string; payload: string }>

/** What would wait is better off by itself, where it keeps nobody else waiting. */
const LIMITS = `
set local lock_timeout = '50ms';
set local statement_timeout = '5s'`

type Taken = Readonly<{ message: StockMessage; move: TakenMove }>

/**
 * Applies messages in one transaction, each as by itself, and returns the answers of those that it could take. What is known
 * already, what would wait and what cannot be applied has none: it goes by itself, and is answered there.
 *
 * The inbox rows are the last to be written, with the answers in them. A message that has come in elsewhere meanwhile makes
 * the whole transaction fail, and then all go by themselves: nothing is applied twice.
 */
export async function applyTogether(
  pool: Pool,
  store: Store,
  messages: readonly StockMessage[],
): Promise<ReadonlyMap<StockMessage, Answer>> {
  return inTransaction(
    pool,
    async (db) => {
      const [arrivals] = await atStep('apply.inbox', () =>
        Promise.all([readArrivals(db, messages), db.query(LIMITS)]),
      )
      const fresh = messages.filter((_, index) => arrivals[index]?.isKnown === false)
      const answers = await atStep('apply.write', () => write(db, store, fresh, arrivals[0]?.now))
      await atStep('apply.answer', () => enterApplied(db, answers))
      return answers
    },
    'read committed',
    (db) => atStep('apply.commit', () => db.query('commit')),
  )
}

async function write(
  db: Db,
  store: Store,
  messages: readonly StockMessage[],
  arrivedAt = new Date(),
): Promise<ReadonlyMap<StockMessage, Answer>> {
  const moves = await takeMoves(
    db,
    store,
    messages.map(({ move }) => move),
  )
  const taken = messages.flatMap((message, index): Taken[] => {
    const move = moves[index]
    return move ? [{ message, move }] : []
  })
  const origin = originOfGroup(
    taken.map(({ message }) => message.messageId),
    arrivedAt,
  )
  await Promise.all([
    queryPrepared(db, `select set_config('bridge.origin', $1, true)`, [origin]),
    makeMoves(
      db,
      store,
      taken.map(({ move }) => move),
    ),
  ])
  return new Map(
    taken.map(({ message, move }) => [
      message,
      DIALECTS[message.dialect].applied(message.messageId, message.told(move)),
    ]),
  )
}

/** What a delivery comes down to, where that is a change of stock and nothing is wrong with it. */
export function stockChangeOf(handler: Handler<unknown>, delivery: Delivery): StockChange | undefined {
  if (!handler.stockChange) return undefined
  try {
    return handler.stockChange(readInbound(handler, delivery))
  } catch (error) {
    if (error instanceof PayloadFault || error instanceof NotApplicable) return undefined
    throw error
  }
}
