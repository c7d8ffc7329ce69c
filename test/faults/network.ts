import { setTimeout as pause } from 'node:timers/promises'
import { slowAnswers } from '../support/hub-trouble.ts'
import { createRandom, type Random } from '../support/random.ts'
import type { StoreFamily } from '../support/stores.ts'
import type { Trial } from '../support/trial.ts'
import { type Way, wireToDatabase, wireToServer } from '../support/ways.ts'
import type { Wire } from '../support/wire.ts'
import type { Result } from './result.ts'
import { BOTH, expectThat, inTrial, LEASE_MS, type Scenario, startWorkers } from './scenario.ts'

export const NETWORK: readonly Scenario[] = [
  {
    name: 'the answers to commits are lost between worker and database',
    families: BOTH,
    run: (family, seed) => loseCommits(family, seed, 40, 0.06),
  },
  {
    name: 'the networks to database and hub half-open at once, and then nothing comes through past the lease',
    families: BOTH,
    run: silenceBoth,
  },
  {
    name: 'the network to the database is cut, stalls, half-opens and crawls',
    families: ['spree-4.10'],
    run: (family, seed) =>
      inWiredTrial(family, async (trial, { database }) => {
        await startWorkers(trial, 2)
        // So that much is on its way at any moment.
        trial.hub.misbehave(slowAnswers(seed, 0, 400))
        const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 100 })
        const troubles = await troubleWire(database, createRandom(seed), (what, from) =>
          trial.disturbed(what, from),
        )
        await workload.stop()
        return prefixed('to the database', troubles)
      }),
  },
  {
    name: 'the network to the hub is cut, stalls, half-opens, crawls and loses answers',
    families: ['spree-4.10'],
    run: (family, seed) =>
      inWiredTrial(family, async (trial, { hub }) => {
        const random = createRandom(seed)
        await startWorkers(trial, 2)
        // So that much is on its way at any moment.
        trial.hub.misbehave(slowAnswers(seed, 0, 400))
        const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 100 })
        // No disturbance: the wire knows whose answers it lost, and the checker excuses no other repeat.
        const troubles = await troubleWire(hub, random, () => {})
        hub.loseAnswers(() => random.chance(0.2))
        await pause(5000)
        hub.flow()
        await workload.stop()
        return { ...prefixed('to the hub', troubles), 'answers of the hub lost': hub.answersLost() }
      }),
  },
]

/** Nothing is excused: what was committed is settled, whether the sender heard of it or not. */
export function loseCommits(
  family: StoreFamily,
  seed: number,
  times: number,
  share: number,
): Promise<Result> {
  return inWiredTrial(family, async (trial, { database }) => {
    const random = createRandom(seed)
    await startWorkers(trial, 1)
    const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 100 })
    database.loseAnswers((bytes) => isCommitted(bytes) && random.chance(share))
    await untilLost(database, times)
    database.flow()
    await workload.stop()
    return { 'commits whose answer was lost': database.answersLost() }
  })
}

export function silenceBoth(family: StoreFamily, seed: number): Promise<Result> {
  return inWiredTrial(family, async (trial, { database, hub }) => {
    const random = createRandom(seed)
    await startWorkers(trial, 2)
    trial.hub.misbehave(slowAnswers(seed, 0, 400))
    const workload = await trial.startWorkload({ seed, writers: 3, pauseMs: 200 })
    await pause(random.between(2000, 3000))
    const from = Date.now()
    for (const wire of [database, hub]) wire.freeze()
    await pause(random.between(1000, 3000))
    for (const wire of [database, hub]) wire.stall()
    await pause(LEASE_MS + 500)
    for (const wire of [database, hub]) wire.flow()
    trial.disturbed('the database was out of reach', from)
    await pause(2000)
    await workload.stop()
    return { 'half-open at both ends': 1, 'stalls past the lease at both ends': 1 }
  })
}

/** At least `times` answers: how many there are in a second depends on the machine. */
export async function untilLost(wire: Wire, times: number): Promise<void> {
  const deadline = Date.now() + LOST_WITHIN_MS
  while (wire.answersLost() < times && Date.now() < deadline) await pause(100)
  expectThat(wire.answersLost() >= times, `${times} answers are lost, not ${wire.answersLost()}`)
}

const LOST_WITHIN_MS = 90_000

/** The end of an answer of the server to `commit`. */
export function isCommitted(bytes: Buffer): boolean {
  return bytes.includes('COMMIT\0')
}

/** Longer than any timeout of ours and than the lease. */
const LONG_MS = LEASE_MS + 3000
const CRAWL_BYTES_PER_SECOND = 40_000

/** Each trouble that passes, in an order of the seed's; `over` is told what there was, and since when. */
export async function troubleWire(
  wire: Wire,
  random: Random,
  over: (what: string, from: number) => void,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  const trouble = async (what: string, begin: () => void, lastsMs: number) => {
    const from = Date.now()
    begin()
    await pause(lastsMs)
    wire.flow()
    over(what, from)
    counts[what] = (counts[what] ?? 0) + 1
    await pause(random.between(1500, 3000))
  }
  const all = [
    () => trouble('cut', () => wire.cut(), 0),
    () => trouble('cut', () => wire.cut(), 0),
    () => trouble('cut', () => wire.cut(), 0),
    () => trouble('cut for a while', () => wire.cut(3000), 3000),
    () => trouble('half-open', () => wire.freeze(), LONG_MS),
    () => trouble('half-open', () => wire.freeze(), LONG_MS),
    () => trouble('short stall', () => wire.stall(), random.between(1000, 4000)),
    () => trouble('stall past the lease', () => wire.stall(), LONG_MS),
    () => trouble('crawl', () => wire.slow(CRAWL_BYTES_PER_SECOND), LONG_MS),
  ]
  await pause(2000)
  for (const next of random.shuffle(all)) await next()
  return counts
}

export function prefixed(where: string, counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([what, count]) => [`${what} ${where}`, count]))
}

async function inWiredTrial(
  family: StoreFamily,
  inject: (trial: Trial, wires: Readonly<{ database: Wire; hub: Wire }>) => Promise<Record<string, number>>,
): Promise<Result> {
  const ways: Way[] = []
  const keep = async (way: Promise<Way>) => {
    ways.push(await way)
    return way
  }
  try {
    return await inTrial(
      family,
      (trial) => {
        const [database, hub] = ways
        if (!database || !hub) throw new Error('The wires were not laid.')
        return inject(trial, { database: database.wire, hub: hub.wire })
      },
      { toDatabase: (url) => keep(wireToDatabase(url)), toHub: (url) => keep(wireToServer(url)) },
    )
  } finally {
    for (const { wire } of ways) await wire.close()
  }
}
