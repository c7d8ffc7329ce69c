import type { Experiment } from './experiment.ts'
import { DRAIN, drainWork, GRAPHILE, prepareSending, rateAgainst } from './sending.ts'

/** The drain's work by the field's best known queue: one of its queues per aggregate, in its best settings. */
export const graphile: Experiment = {
  name: 'graphile',
  rounds: { full: 5, quick: 3 },
  warmsUp: true,
  figures: [{ name: 'drain against graphile-worker', ...rateAgainst(DRAIN, GRAPHILE), must: 1.3, aim: 2 }],
  prepare: (ground) => prepareSending(ground, drainWork(ground), [GRAPHILE, DRAIN]),
}
