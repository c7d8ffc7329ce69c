import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { onceInAWhile } from '../observe/once-in-a-while.ts'
import type { Circuit } from '../push/circuit.ts'
import type { Permit } from '../push/circuit-state.ts'
import type { PushClient } from '../push/client.ts'
import { withoutQuotation } from '../push/outcome.ts'
import type { QueuedMessage } from '../queue/message.ts'
import type { SenderOptions } from '../queue/session.ts'
import { decide, holdWhileRefusing } from './outcome-decision.ts'

export type DeliveryOptions = Readonly<{
  client: PushClient
  circuit: Circuit
  metrics: Metrics
  log: Log
  /** Told of each message that the hub has accepted. */
  onAccepted(): void
}>

/** From the queue to the hub: what the sender needs to push a message and to know what became of it. */
export function createDelivery({
  client,
  circuit,
  metrics,
  log,
  onAccepted,
}: DeliveryOptions): Pick<SenderOptions<Permit>, 'permit' | 'giveBack' | 'send'> {
  const quietly = onceInAWhile(log)
  return {
    permit: (signal) => circuit.permit(signal),

    giveBack: (permit) => circuit.report(permit, { signal: 'nothing', aggregate: '', text: '' }),

    async send(message, permit, signal) {
      const outcome = await client.push(message, signal)
      const { decision: first, report } = decide(outcome)
      // Added to what is new each time, and below spelt out: V8 takes a microsecond for a literal with a spread in it.
      circuit.report(permit, Object.assign(report, { aggregate: message.aggregate }))
      const decision = first.do === 'park' ? holdWhileRefusing(first, circuit.state()) : first
      metrics.pushedTotal.inc({ type: message.type, outcome: outcome.kind })
      if (decision.do === 'acknowledge') {
        onAccepted()
        metrics.collectToAcceptSeconds.observe((Date.now() - message.createdAt.getTime()) / 1_000)
        const { id, aggregate, type, key } = message
        log.debug('the hub accepted a message', { id, aggregate, type, key, hub_id: decision.answer })
      } else if (decision.do === 'park') {
        const fields = { ...named(message), reason: withoutQuotation(decision.reason) }
        quietly('parked', 'error', 'a message is parked: the hub refuses it for good', fields)
      } else if (decision.do === 'retry') {
        const fields = { ...named(message), reason: withoutQuotation(decision.reason) }
        quietly(outcome.kind, 'warn', 'a push failed and will be tried again', fields)
      }
      return decision
    },
  }
}

function named({ id, aggregate, type, key }: QueuedMessage) {
  return { id, aggregate, type, key }
}
