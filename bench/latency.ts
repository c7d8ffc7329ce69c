import type { Experiment } from './experiment.ts'
import type { Figure } from './frame.ts'
import {
  GRAPHILE_JOBS,
  LISTEN,
  prepareGraphileJobs,
  prepareQueueAlone,
  prepareStock,
  QUEUE,
  STOCK,
} from './latency-subjects.ts'
import { P50, P99 } from './measure-latency.ts'

/** From the answer to a commit until the hub has the whole message: 50 a second, of as many aggregates. */
export const latency: Experiment = {
  name: 'latency',
  rounds: { full: 5, quick: 2 },
  warmsUp: false,
  figures: [
    { ...latencyAgainst(QUEUE, LISTEN, P50), must: 2, aim: 1.3 },
    { ...latencyAgainst(STOCK, GRAPHILE_JOBS, P50), must: 1.5, aim: 0.7 },
    { ...latencyAgainst(STOCK, GRAPHILE_JOBS, P99), must: 1.5, aim: 1 },
  ],
  prepare: async (ground) => {
    const prepared = [
      await prepareQueueAlone(ground),
      await prepareGraphileJobs(ground),
      await prepareStock(ground),
    ]
    return {
      variants: prepared.flatMap(({ variants }) => variants),
      close: async () => {
        for (const { close } of prepared) await close()
      },
    }
  },
}

function latencyAgainst(variant: string, reference: string, metric: string): Omit<Figure, 'must' | 'aim'> {
  return {
    name: `${variant} against ${reference}, ${metric}`,
    unit: '×',
    measured: { variant, metric },
    reference: { variant: reference, metric },
    compare: 'ratio',
    better: 'lower',
  }
}
