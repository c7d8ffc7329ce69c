import type { Answer } from '../apply/answer.ts'
import type { Delivery } from '../apply/delivery.ts'
import { dialectOf } from '../apply/dialects.ts'
import type { Handler } from '../apply/handler.ts'
import type { Inbox } from '../apply/inbox.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'

export type Delivering = Readonly<{
  inbox: Inbox
  metrics: Metrics
  log: Log
  /** Default: `ANSWER_WITHIN_MILLISECONDS`. */
  answerWithinMilliseconds?: number
}>

/** A hub waits for 180 s (protocol §3.2). Each statement has its limit; what has many of them may take longer. */
const ANSWER_WITHIN_MILLISECONDS = 170_000
const TAKES_LONG =
  'This takes longer than a sender waits, and goes on: send the message again later, to hear what became of it.'

const WORDS = {
  applied: 'applied',
  repeated: 'repeated',
  failed: 'not applied; `spree-bridge inbox` tells why',
  unavailable: 'put off',
} as const

/**
 * Gives the inbox what has come in, and puts the sender off where that takes too long: a repeat gets the answer that comes
 * of it. `from` is when it came, by `performance`.
 */
export async function deliver(
  handler: Handler<unknown>,
  delivery: Delivery,
  from: number,
  delivering: Delivering,
): Promise<Answer> {
  const { answerWithinMilliseconds = ANSWER_WITHIN_MILLISECONDS } = delivering
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Answer>((resolve) => {
    timer = setTimeout(
      () => resolve(dialectOf(handler).unavailable(delivery.messageId, TAKES_LONG)),
      answerWithinMilliseconds,
    )
  })
  try {
    return await Promise.race([receive(handler, delivery, from, delivering), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Counts what became of it, and tells the log. */
async function receive(
  handler: Handler<unknown>,
  delivery: Delivery,
  from: number,
  { inbox, metrics, log }: Delivering,
): Promise<Answer> {
  const type = handler.message
  const { outcome, answer } = await inbox.receive(handler, delivery)
  if (outcome === 'repeated') metrics.repeatedTotal.inc()
  else metrics.appliedTotal.inc({ type, outcome })
  if (outcome === 'applied') metrics.acceptToApplySeconds.observe((performance.now() - from) / 1_000)
  log[outcome === 'failed' ? 'warn' : 'debug'](`a message was ${WORDS[outcome]}`, {
    message_id: delivery.messageId,
    type,
    status: answer.status,
  })
  return answer
}
