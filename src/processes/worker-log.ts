import type { Pass } from '../capture/collect.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { onceInAWhile, type Seldom } from '../observe/once-in-a-while.ts'
import { isTransient } from '../postgres/errors.ts'
import type { CircuitView } from '../push/circuit.ts'
import { withoutQuotation } from '../push/outcome.ts'
import type { Unreadable } from '../store/store.ts'

/** One line a second per cause at most: a database that is away for an hour is one story, not a million. */
export function complaints(log: Log): (where: string) => (error: unknown) => void {
  const quietly = onceInAWhile(log)
  return (where) => (error) =>
    isTransient(error)
      ? quietly(where, 'warn', `${where}: the database did not answer as usual; trying again`, { error })
      : quietly(where, 'error', `${where} failed; trying again`, { error })
}

/** The circuit's state, in the log and in the metrics: of a hub that takes every other message, a line a second. */
export function tellCircuit(view: CircuitView, quietly: Seldom, metrics: Metrics): void {
  metrics.circuitOpen.set(view.state === 'closed' ? 0 : 1)
  if (view.state === 'closed') quietly('circuit closed', 'info', 'the hub takes messages again')
  else if (view.state === 'open') {
    const mend = view.cause === 'refusedUs' ? ' Check HUB_URL, HUB_STORE_ID and HUB_TOKEN.' : ''
    quietly('circuit open', 'error', `nothing is pushed for now: ${withoutQuotation(view.text)}${mend}`, {
      cause: view.cause,
      next_probe_at: view.nextProbeAt.toISOString(),
    })
  }
}

/** Which kinds wait, and why; undefined where none does. */
export function describeHeld(held: Unreadable): string | undefined {
  if (held.size === 0) return undefined
  return [...held].map(([kind, reason]) => `changes of ${kind} wait: ${reason}`).join('; ')
}

/** A kind that cannot be read, or can again, in the log. */
export function tellHeld(held: Unreadable, before: Unreadable, log: Log): void {
  for (const [kind, reason] of held)
    if (before.get(kind) !== reason)
      log.error(
        'changes of a kind wait in the outbox: the tables of the store are not as they were. Put back what is missing, or restart with a release that knows the new tables.',
        { kind, reason },
      )
  for (const kind of before.keys())
    if (!held.has(kind)) log.info('changes of a kind are told again', { kind })
}

/** What one pass of the collector brought, in the log and in the metrics. */
export function tellPass(pass: Pass, log: Log, quietly: Seldom, metrics: Metrics): void {
  const now = Date.now()
  for (const { changedAt } of pass.messages) {
    metrics.commitToCollectSeconds.observe(Math.max(0, now - changedAt.getTime()) / 1_000)
  }
  metrics.echoSilencedTotal.inc(pass.silenced)
  metrics.stockWithoutSkuTotal.inc(pass.withoutSku)
  for (const { type, by } of pass.withheld) metrics.withheldTotal.inc({ type, rule: by })
  for (const { aggregate, reason } of pass.unmapped) {
    metrics.unmappableTotal.inc({ kind: aggregate.split(':')[0] ?? '' })
    quietly(
      'unmapped',
      'error',
      'no message can be made of an aggregate: it is parked until it changes or is retried',
      { aggregate, reason },
    )
  }
  if (pass.aggregates > 0) {
    log.debug('collected', {
      rows: pass.rowsRead.length,
      aggregates: pass.aggregates,
      messages: pass.messages.length,
      withheld: pass.withheld.length,
    })
  }
}
