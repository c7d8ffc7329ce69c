import type { Experiment } from './experiment.ts'
import { CLIENT, DRAIN, prepareSending, rateAgainst } from './sending.ts'

const DELAY_MILLISECONDS = 20
const HOT_AGGREGATES = 10
const MESSAGES = 4_000

/** Ten aggregates in which everything happens: the next of each must leave as soon as the hub has answered the last. */
export const hotAggregates: Experiment = {
  name: 'hot-aggregates',
  rounds: { full: 5, quick: 3 },
  warmsUp: true,
  figures: [
    { name: '10 hot aggregates, hub taking 20 ms', ...rateAgainst(DRAIN, CLIENT), must: 0.9, aim: 0.98 },
  ],
  prepare: (ground) =>
    prepareSending(
      ground,
      { count: MESSAGES * ground.scale, aggregates: HOT_AGGREGATES, delayMs: DELAY_MILLISECONDS },
      [CLIENT, DRAIN],
    ),
}
