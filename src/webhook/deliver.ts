import type { Answer } from '../apply/answer.ts'
import type { Delivery } from '../apply/delivery.ts'
import type { Handler } from '../apply/handler.ts'
import type { Inbox } from '../apply/inbox.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'

export type Delivering = Readonly<{ inbox: Inbox; metrics: Metrics; log: Log }>

const WORDS = {
  applied: 'applied',
  repeated: 'repeated',
  failed: 'not applied; `spree-bridge inbox` tells why',
  unavailable: 'put off',
} as const

/** Gives the inbox what has come in, counts what became of it and tells the log. `from` is when it came, by `performance`. */
export async function deliver(
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
