import type { Experiment } from './experiment.ts'
import { AGGREGATES, CLIENT, DRAIN, prepareSending, rateAgainst } from './sending.ts'

const DELAY_MILLISECONDS = 20
const MESSAGES = 12_000

/** Whether the queue keeps 32 requests in flight while the hub takes its time. */
export const slowHub: Experiment = {
  name: 'slow-hub',
  rounds: { full: 5, quick: 3 },
  warmsUp: true,
  figures: [{ name: 'drain to a hub taking 20 ms', ...rateAgainst(DRAIN, CLIENT), must: 0.93, aim: 0.98 }],
  prepare: (ground) =>
    prepareSending(
      ground,
      { count: MESSAGES * ground.scale, aggregates: AGGREGATES, delayMs: DELAY_MILLISECONDS },
      [CLIENT, DRAIN],
    ),
}
