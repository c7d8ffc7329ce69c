import type { Experiment } from './experiment.ts'
import { CLIENT, CPU, DRAIN, drainWork, prepareSending, rateAgainst, UNDICI } from './sending.ts'

/** What the queue costs: 20,000 ready messages of 1,000 aggregates, in order, 32 in flight. */
export const drain: Experiment = {
  name: 'drain',
  rounds: { full: 5, quick: 3 },
  warmsUp: true,
  figures: [
    { name: 'drain against the bare client', ...rateAgainst(DRAIN, CLIENT), must: 0.8, aim: 0.95 },
    { name: 'drain against raw undici', ...rateAgainst(DRAIN, UNDICI), must: 0.35, aim: 0.5 },
    {
      name: 'drain, CPU above the bare client',
      unit: 'ms CPU/1000',
      measured: { variant: DRAIN, metric: CPU },
      reference: { variant: CLIENT, metric: CPU },
      compare: 'difference',
      must: 60,
      aim: 35,
      better: 'lower',
    },
  ],
  prepare: (ground) => prepareSending(ground, drainWork(ground), [UNDICI, CLIENT, DRAIN]),
}
