import { Counter, Gauge, Histogram, Registry } from 'prom-client'

const LATENCY_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1800, 7200]

export type Metrics = ReturnType<typeof createMetrics>

/** The bridge's metrics in a registry of their own, so that two instances in one process do not meet. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  const measures: (() => void)[] = []
  const named = (name: string, help: string) => ({ name: `spree_bridge_${name}`, help, registers })

  const latency = (name: string, help: string) =>
    new Histogram({ ...named(name, help), buckets: LATENCY_BUCKETS })
  const count = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter<Label>({ ...named(name, help), labelNames })
  const level = (name: string, help: string) => {
    const gauge = new Gauge(named(name, help))
    // Born as 0; until it is measured it must not claim so.
    gauge.remove()
    return gauge
  }

  const handles = {
    commitToCollectSeconds: latency(
      'commit_to_collect_seconds',
      'From the change in the store to the message in the queue.',
    ),
    collectToAcceptSeconds: latency(
      'collect_to_accept_seconds',
      "From the message in the queue to the hub's acceptance.",
    ),
    acceptToApplySeconds: latency(
      'accept_to_apply_seconds',
      'From the arrival of an inbound message to the commit of what it changed in the store.',
    ),
    oldestWaitingSeconds: level(
      'oldest_waiting_seconds',
      'Age of the oldest message that is not yet accepted.',
    ),
    messages: new Gauge({
      ...named('messages', 'Messages in the queue.'),
      labelNames: ['state', 'type'],
    }),
    paused: new Gauge({
      ...named('paused', '1 for each message type that a person has paused.'),
      labelNames: ['type'],
    }),
    outboxRows: level('outbox_rows', 'Captured changes that are not yet collected.'),
    lanesOwned: level('lanes_owned', 'Lanes of the queue that this worker owns.'),
    circuitOpen: level(
      'circuit_open',
      '1 while this worker does not push because the hub is down or refuses us.',
    ),
    workerHeartbeatAgeSeconds: level(
      'worker_heartbeat_age_seconds',
      "Time since the worker's last heartbeat.",
    ),
    pushedTotal: count('pushed_total', 'Pushes by their outcome.', ['type', 'outcome']),
    appliedTotal: count('applied_total', 'Inbound messages by what became of them.', ['type', 'outcome']),
    repeatedTotal: count('repeated_total', 'Inbound messages that had come before and got the first answer.'),
    echoSilencedTotal: count(
      'echo_silenced_total',
      'Changes not announced because the hub itself made them.',
    ),
    supersededTotal: count('superseded_total', 'Messages closed unsent because a newer one tells the state.'),
    gapsTotal: count('gaps_total', 'Times at which changes may have gone unseen; reconcile is due.', [
      'kind',
    ]),
    driftTotal: count(
      'drift_total',
      'Differences that reconcile found between the store and what was announced.',
      ['kind', 'outcome'],
    ),
    withheldTotal: count('withheld_total', 'Messages that the configuration keeps back, by its rule.', [
      'type',
      'rule',
    ]),
    stockWithoutSkuTotal: count('stock_without_sku_total', 'Stock changes not announced for want of a SKU.'),
    unmappableTotal: count(
      'unmappable_total',
      'Aggregates parked because no message could be made of them.',
      ['kind'],
    ),
  }

  return {
    ...handles,
    contentType: registry.contentType,
    /** The Prometheus text of everything measured so far. */
    render() {
      for (const measure of measures) measure()
      return registry.metrics()
    },
    /** For what changes while nothing happens, or just because nothing does: it is measured when somebody asks. */
    whenAsked(measure: () => void) {
      measures.push(measure)
    },
  }
}
