import { atStep } from '../observe/steps.ts'
import type { Pool } from '../postgres/pool.ts'
import { untilCommit } from '../postgres/transaction.ts'
import type { Store } from '../store/store.ts'
import { makeMoves, placeMoves, type TakenMove, takeMoves } from '../store/writes/move-stock-together.ts'
import type { Answer } from './answer.ts'
import { type Delivery, readInbound } from './delivery.ts'
import { DIALECTS } from './dialects.ts'
import { type Handler, NotApplicable, type StockChange } from './handler.ts'
import { enterApplied, type InboxKey, readArrivals } from './inbox-row.ts'
import { originOfGroup, setOrigin } from './origin.ts'
import { PayloadFault } from './payload-fault.ts'
import { noteFoundRight } from './set-level.ts'

/** A message that comes down to a change of stock, on its way to be applied beside others. */
export type StockMessage = InboxKey & StockChange & Readonly<{ type: string; payload: string }>

/**
 * What would wait is better off by itself, where it keeps nobody else waiting. Lists of ids are always short: planned anew
 * for each, which PostgreSQL takes for cheaper, a statement costs three times as much. And a plan that is kept must not
 * have been made for a table that was still small.
 */
const SETTINGS = `
set local lock_timeout = '50ms';
set local statement_timeout = '5s';
set local plan_cache_mode = force_generic_plan;
set local enable_seqscan = off;
set local jit = off`

/**
 * Applies messages in one transaction, each as by itself, and returns the answers of those that it could take. What is known
 * already, what would wait and what cannot be applied has none: it goes by itself, and is answered there.
 *
 * The inbox rows are the last to be written, with the answers in them. A message that has come in elsewhere meanwhile makes
 * the whole transaction fail, and then all go by themselves: nothing is applied twice. All that is written goes to the
 * server in one piece, with the commit, so that others wait for these rows no longer than the server takes.
 */
export async function applyTogether(
  pool: Pool,
  store: Store,
  messages: readonly StockMessage[],
): Promise<ReadonlyMap<StockMessage, Answer>> {
  return untilCommit(pool, async (db) => {
    const moves = messages.map(({ move }) => move)
    const [, arrivals, placed] = await atStep('apply.inbox', () =>
      Promise.all([db.query(SETTINGS), readArrivals(db, messages), placeMoves(db, store, moves)]),
    )
    const isNew = (index: number) => arrivals[index]?.isKnown === false
    const taken = await takeMoves(
      db,
      store,
      placed.map((move, index) => (isNew(index) ? move : undefined)),
    )
    const answers = new Map<StockMessage, Answer>()
    for (const [index, message] of messages.entries()) {
      const move = taken[index]
      if (move) answers.set(message, DIALECTS[message.dialect].applied(message.messageId, message.told(move)))
    }
    const arrivedAt = arrivals[0]?.now ?? new Date()
    // A level says more of its row than what comes to it or goes: rows that got one have an origin of their own.
    const levels = taken.filter((move) => move !== undefined).filter(({ absolute }) => absolute)
    const set = new Set(levels.map(({ rowId }) => rowId))
    const write = (says: '+' | '=') => {
      const isMeant = (move: TakenMove) => set.has(move.rowId) === (says === '=')
      const some = taken.flatMap((move, index) => (move && isMeant(move) ? [{ move, index }] : []))
      if (some.length === 0) return []
      const ids = some.flatMap(({ index }) => messages[index]?.messageId ?? [])
      return [
        atStep('apply.write', () => setOrigin(db, originOfGroup(ids, arrivedAt, says))),
        makeMoves(
          db,
          store,
          some.map(({ move }) => move),
        ),
      ]
    }
    await Promise.all([
      ...write('+'),
      ...write('='),
      atStep('apply.write', () => noteFoundRight(db, levels)),
      atStep('apply.answer', () => enterApplied(db, answers)),
      atStep('apply.commit', () => db.query('commit')),
    ])
    return answers
  })
}

/** What a delivery comes down to, where that is a change of stock as of now and nothing is wrong with it. */
export function stockChangeOf(handler: Handler<unknown>, delivery: Delivery): StockChange | undefined {
  if (!handler.stockChange) return undefined
  try {
    const change = handler.stockChange(readInbound(handler, delivery))
    return change.asOf === undefined ? change : undefined
  } catch (error) {
    if (error instanceof PayloadFault || error instanceof NotApplicable) return undefined
    throw error
  }
}
