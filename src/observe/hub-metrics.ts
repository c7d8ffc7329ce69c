import { Counter, Gauge, Histogram, Registry } from 'prom-client'

const LATENCY_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1800, 7200]

/** The hub's metrics in a registry of their own. */
export function createHubMetrics() {
  const registry = new Registry()
  const registers = [registry]
  const measures: (() => void)[] = []
  const named = (name: string, help: string) => ({ name: `spree_hub_${name}`, help, registers })
  const handles = {
    acceptToDeliverSeconds: new Histogram({
      ...named('accept_to_deliver_seconds', "From a message's receipt to the consumer's answer."),
      buckets: LATENCY_BUCKETS,
    }),
    messages: new Gauge({
      ...named('messages', 'Messages that wait in the queues.'),
      labelNames: ['queue', 'state'],
    }),
    oldestWaitingSeconds: new Gauge(
      named('oldest_waiting_seconds', 'Age of the oldest message that is neither routed nor delivered.'),
    ),
    lanesOwned: new Gauge({
      ...named('lanes_owned', 'Lanes of the queues that this hub owns.'),
      labelNames: ['queue'],
    }),
    workerHeartbeatAgeSeconds: new Gauge(
      named('worker_heartbeat_age_seconds', "Time since this hub's last heartbeat."),
    ),
    routedTotal: new Counter({
      ...named(
        'routed_total',
        'Messages routed, and copies made of them; types that the hub does not know are other.',
      ),
      labelNames: ['type', 'what'],
    }),
    deliveredTotal: new Counter({
      ...named('delivered_total', 'Deliveries by their outcome; types that the hub does not know are other.'),
      labelNames: ['type', 'outcome'],
    }),
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
