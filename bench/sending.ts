import type { Prepared } from './experiment.ts'
import type { Figure, Measurement } from './frame.ts'
import { createGraphileDatabase, fillGraphile, requireNoJobs } from './graphile-database.ts'
import type { Ground } from './ground.ts'
import { bodyOf } from './loops/undici.ts'
import { readOrderPayloads } from './order-payloads.ts'
import { createQueueDatabase, fillQueue, requireEmptyQueue } from './queue-database.ts'
import { type SenderWay, startSender } from './start-sender.ts'

export const RATE = 'messages/s'
export const CPU = 'ms CPU/1000'

export const DRAIN = 'drain'
export const CLIENT = 'bare client'
export const UNDICI = 'raw undici'
export const GRAPHILE = 'graphile-worker'

export const AGGREGATES = 1_000
export const IN_FLIGHT = 32

/** Messages of 4.7 KB to be sent, whatever sends them. */
export type Work = Readonly<{
  count: number
  aggregates: number
  /** How long the hub takes for each. */
  delayMs: number
}>

/** 20,000 messages of 1,000 aggregates to a hub that takes no time. */
export function drainWork({ scale }: Ground): Work {
  return { count: 20_000 * scale, aggregates: AGGREGATES, delayMs: 0 }
}

/** What fills a way's database with the work, and looks whether all of it was done. */
type Supply = Readonly<{ url: string; fill(): Promise<void>; verify(): Promise<void>; drop(): Promise<void> }>

const FROM_MEMORY: Supply = {
  url: '',
  fill: async () => {},
  verify: async () => {},
  drop: async () => {},
}

type WayName = typeof DRAIN | typeof CLIENT | typeof UNDICI | typeof GRAPHILE

/**
 * Ways to send the same messages: what waits in our queue or in graphile-worker's, and from memory by our client or by
 * undici alone. Those from memory keep as many in flight as the order of the aggregates allows.
 */
export async function prepareSending(
  ground: Ground,
  work: Work,
  names: readonly WayName[],
): Promise<Prepared> {
  const { sink } = ground
  const payloads = await readOrderPayloads(ground, work.aggregates)
  const fromMemory = Math.min(IN_FLIGHT, work.aggregates)
  const ways: Readonly<Record<WayName, { way: SenderWay; inFlight: number; supply(): Promise<Supply> }>> = {
    [UNDICI]: { way: 'undici', inFlight: fromMemory, supply: async () => FROM_MEMORY },
    [CLIENT]: { way: 'client', inFlight: fromMemory, supply: async () => FROM_MEMORY },
    [DRAIN]: { way: 'queue', inFlight: IN_FLIGHT, supply: () => supplyQueue(ground, payloads, work) },
    [GRAPHILE]: {
      way: 'graphile',
      inFlight: IN_FLIGHT,
      supply: () => supplyGraphile(ground, payloads, work),
    },
  }
  const prepare = async (name: WayName) => {
    const { way, inFlight, supply: makeSupply } = ways[name]
    const supply = await makeSupply()
    const sender = startSender(way)
    const run = async (): Promise<Measurement> => {
      await supply.fill()
      await sink.reset(work.delayMs)
      const before = ground.postgresCpuSeconds()
      const { seconds, cpuSeconds } = await sender.send({
        hubUrl: sink.hubUrl,
        databaseUrl: supply.url,
        payloads,
        count: work.count,
        inFlight,
      })
      const postgres = ground.postgresCpuSeconds() - before
      await sink.arrived(work.count)
      await supply.verify()
      return rateAndCpu(work.count, seconds, cpuSeconds, postgres)
    }
    const close = async () => {
      await sender.stop()
      await supply.drop()
    }
    return { name, run, close }
  }
  const prepared = await Promise.all(names.map(prepare))
  return {
    variants: prepared,
    close: async () => {
      for (const { close } of prepared) await close()
    },
  }
}

/** What one process and PostgreSQL needed for `count` messages. */
export function rateAndCpu(
  count: number,
  seconds: number,
  cpuSeconds: number,
  postgresSeconds: number,
): Measurement {
  return {
    [RATE]: count / seconds,
    [CPU]: ((cpuSeconds + postgresSeconds) * 1e6) / count,
    'of it PostgreSQL': (postgresSeconds * 1e6) / count,
  }
}

/** A figure: the rate of one way as a share of another's. */
export function rateAgainst(
  variant: string,
  reference: string,
): Pick<Figure, 'unit' | 'measured' | 'reference' | 'compare' | 'better'> {
  return {
    unit: '×',
    measured: { variant, metric: RATE },
    reference: { variant: reference, metric: RATE },
    compare: 'ratio',
    better: 'higher',
  }
}

async function supplyQueue(ground: Ground, payloads: readonly string[], { count }: Work): Promise<Supply> {
  const { url, pool, drop } = await createQueueDatabase(ground)
  return { url, fill: () => fillQueue(pool, payloads, count), verify: () => requireEmptyQueue(pool), drop }
}

async function supplyGraphile(ground: Ground, payloads: readonly string[], { count }: Work): Promise<Supply> {
  const database = await createGraphileDatabase(ground)
  const bodies = payloads.map((payload) => bodyOf('order:persist', payload))
  return {
    url: database.url,
    fill: () => fillGraphile(database, bodies, count),
    verify: () => requireNoJobs(database),
    drop: database.drop,
  }
}
