import { setTimeout as pause } from 'node:timers/promises'
import type { Behaviour } from '../support/hub-behaviour.ts'
import { passingTrouble } from '../support/hub-trouble.ts'
import { type LoopTrial, type LoopWays, openLoopTrial, type Role } from '../support/loop-trial.ts'
import { hasPgBouncer, type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts'
import { createRandom, type Random } from '../support/random.ts'
import type { StoreFamily } from '../support/stores.ts'
import { type Way, wireToDatabase, wireToServer } from '../support/ways.ts'
import type { Wire } from '../support/wire.ts'
import { roleWithLimit, setReadOnly } from './database.ts'
import { isCommitted, prefixed, troubleWire, untilLost } from './network.ts'
import { findUntried, nameOf, type Result } from './result.ts'
import { BOTH, HOUR_MS, LEASE_MS, type Scenario, type Server, skipped } from './scenario.ts'

export const LOOP: readonly Scenario[] = [
  {
    name: 'the whole loop: random kills of worker, hub and web, a consumer that fails, hangs and loses answers',
    families: BOTH,
    run: killInTheLoop,
  },
  {
    name: 'the whole loop: worker, hub and web are stopped past their leases, while others stand by',
    families: ['spree-4.10'],
    run: stopInTheLoop,
  },
  {
    name: 'the whole loop: hubs stand still in the midst of a transaction, and never come back',
    families: ['spree-4.10'],
    run: standStillInTheLoop,
  },
  {
    name: 'the whole loop: the answers to commits are lost at both databases, and answers between all programs',
    families: BOTH,
    run: (family, seed) => loseInTheLoop(family, seed, { times: 15, commits: 0.04, others: 0.05 }),
  },
  {
    name: 'the whole loop: the networks are cut, stall, half-open and crawl',
    families: ['spree-4.10'],
    run: troubleInTheLoop,
  },
  {
    name: 'the whole loop: both databases restart, are killed, are read-only, and let nobody in',
    families: ['spree-4.10'],
    run: databasesInTheLoop,
  },
  {
    name: 'the whole loop: both databases through PgBouncers that die, without a connection to LISTEN',
    families: ['spree-4.10'],
    run: poolersInTheLoop,
  },
  {
    name: 'the whole loop: the clocks of worker, hub and web jump ahead and back by two hours',
    families: ['spree-4.10'],
    run: clocksInTheLoop,
  },
]

const KILLS_OF_EACH = 10
const ROLES: readonly Role[] = ['hub', 'web', 'worker']
const ORDERLY = 1 / 8
/** The hub waits three minutes for the consumer's one silence, and backs off from what failed. */
const REST_WITHIN_MS = 300_000

type Running = Record<Role, ReturnType<LoopTrial['start']>>

/** Somebody dies every few seconds, wherever it is, or is stopped in good order; the consumer is in trouble all the time. */
function killInTheLoop(family: StoreFamily, seed: number): Promise<Result> {
  return inLoop(family, seed, [], async (trial, random, running, count) => {
    const decide = consumersTrouble(seed)
    trial.relays.toConsumer.misbehave(() => {
      const behaviour = decide()
      const name = nameOf(behaviour)
      if (name) count(`${name} of the consumer`)
      return behaviour
    })
    for (const role of random.shuffle(Array.from({ length: KILLS_OF_EACH }, () => ROLES).flat())) {
      await pause(random.between(300, 3000))
      const orderly = random.chance(ORDERLY)
      await (orderly ? running[role].terminate() : running[role].kill())
      if (!orderly) trial.killed(role)
      count(orderly ? `SIGTERM of the ${role}` : `kill -9 of the ${role} at a random moment`)
      running[role] = trial.start(role)
    }
  })
}

/** Each is stopped while another of its kind takes over, and then wakes with its connections open. */
function stopInTheLoop(family: StoreFamily, seed: number): Promise<Result> {
  return inLoop(family, seed, [], async (trial, random, running, count) => {
    for (const role of ROLES) await trial.ready(role, trial.start(role))
    for (const role of random.shuffle(ROLES)) {
      await pause(random.between(1000, 3000))
      const from = Date.now()
      running[role].pause()
      await pause(LEASE_MS + random.between(1000, 4000))
      running[role].resume()
      trial.killed(role, from)
      count(`SIGSTOP of the ${role} past the lease`)
      await pause(3000)
    }
  })
}

/** In the midst of a transaction, with its locks held. */
const HOLDING_LOCKS = ['push.key', 'push.insert', 'route.copies', 'route.order', 'conclude.settle'] as const
const STANDS_STILL_WITHIN_MS = 20_000

/**
 * To the database, a machine that stands still and one that is gone without a good-bye are the same: its connections are
 * there, its locks are held. The next hub must get through nevertheless.
 */
export function standStillInTheLoop(family: StoreFamily, seed: number): Promise<Result> {
  return inLoop(family, seed, [], async (trial, random, running, count) => {
    for (const step of random.shuffle(HOLDING_LOCKS).slice(0, 3)) {
      const heir = trial.start('hub')
      await trial.ready('hub', heir)
      const victim = running.hub
      const from = Date.now()
      await Promise.race([
        victim.stopAt(`${step}:after`, random.between(1, 3)),
        pause(STANDS_STILL_WITHIN_MS),
      ])
      victim.pause()
      trial.leaveOut(victim)
      running.hub = heir
      await pause(LEASE_MS + 3000)
      trial.killed('hub', from)
      count(`hub that stands still at ${step}`)
    }
  })
}

/** Of the answers on each wire, how many are lost at least, and which share of them. */
type Losses = Readonly<{ times: number; commits: number; others: number }>

/** Nothing is excused: what was committed counts, whether anybody heard of it or not. */
export function loseInTheLoop(
  family: StoreFamily,
  seed: number,
  { times, commits, others }: Losses,
): Promise<Result> {
  return inLoop(family, seed, WAYS, async (trial, random, _running, count, wires) => {
    const [atStore, atHub, ...between] = wires
    const loseCommit = (bytes: Buffer) => isCommitted(bytes) && random.chance(commits)
    atStore?.loseAnswers(loseCommit)
    atHub?.loseAnswers((bytes) => {
      const loses = loseCommit(bytes)
      if (loses) trial.hubCommitUnheard()
      return loses
    })
    for (const wire of between) wire.loseAnswers(() => random.chance(others))
    await Promise.all(wires.map((wire) => untilLost(wire, times)))
    for (const [index, wire] of wires.entries()) {
      wire.flow()
      count(`answers lost ${WAYS[index]?.where}`, wire.answersLost())
    }
  })
}

function troubleInTheLoop(family: StoreFamily, seed: number): Promise<Result> {
  return inLoop(family, seed, WAYS, async (trial, random, _running, count, wires) => {
    // All at once: a network that is in trouble seldom is so at one end only.
    const troubled = wires.map(async (wire, index) => {
      const { where, excuses } = WAYS[index] ?? { where: '', excuses: undefined }
      const own = createRandom(random.between(1, 1e6))
      const troubles = await troubleWire(wire, own, (_what, from) => excuses && trial.killed(excuses, from))
      for (const [what, times] of Object.entries(prefixed(where, troubles))) count(what, times)
    })
    await Promise.all(troubled)
  })
}

/** Nobody stands by: worker, hub and web each go on by themselves when their database is there again. */
function databasesInTheLoop(family: StoreFamily, seed: number, server: Server): Promise<Result> {
  const { asRole, setLimit, drop } = roleWithLimit(seed)
  const restart = (how: Parameters<Server['restart']>[0]) => ({
    what: how === 'kill' ? 'kill -9 of the postmaster' : `restarts of PostgreSQL (${how})`,
    meet: () => server.restart(how),
  })
  const passing = (what: string, begin: () => Promise<void>, lastsMs: number, end: () => Promise<void>) => ({
    what,
    meet: () =>
      begin()
        .then(() => pause(lastsMs))
        .finally(end),
  })
  const readOnly = (lastsMs: number) =>
    passing(
      'times read-only',
      () => setReadOnly('on'),
      lastsMs,
      () => setReadOnly('off'),
    )
  const limited = (connections: number, lastsMs: number) =>
    passing(
      `times with ${connections} connections`,
      () => setLimit(connections),
      lastsMs,
      () => setLimit(-1),
    )
  const faults = [
    ...(['fast', 'immediate', 'kill', 'kill'] as const).map(restart),
    ...[2000, LEASE_MS + 3000].map(readOnly),
    ...[limited(0, 3000), limited(0, LEASE_MS + 3000), limited(3, LEASE_MS)],
  ]
  return inLoop(
    family,
    seed,
    [],
    async (trial, random, _running, count) => {
      for (const { what, meet } of random.shuffle(faults)) {
        await pause(random.between(3000, 6000))
        const from = Date.now()
        await meet()
        for (const role of ROLES) trial.killed(role, from)
        count(what)
      }
    },
    { toStoreDatabase: asRole, toHubDatabase: asRole },
  ).finally(drop)
}

/** A hub has 22 connections, worker and web as many together: most of what they do waits for a session. */
const SESSIONS = 6

/** Worker and web share the sessions of one pooler, the hub has another's; each pooler dies, and one of each role. */
async function poolersInTheLoop(family: StoreFamily, seed: number): Promise<Result> {
  if (!hasPgBouncer) return skipped("there is no pgbouncer on this machine (Debian's package is enough)")
  const poolers: PgBouncer[] = []
  const pooled = async (url: string) => {
    const pooler = await startPgBouncer(url, SESSIONS)
    poolers.push(pooler)
    return pooler
  }
  return inLoop(
    family,
    seed,
    [],
    async (trial, random, running, count) => {
      const deaths = random.shuffle([...ROLES, ...poolers])
      for (const next of deaths) {
        await pause(random.between(3000, 6000))
        const from = Date.now()
        if (typeof next === 'string') {
          await running[next].kill()
          trial.killed(next, from)
          running[next] = trial.start(next)
          // Where it finds no database it ends, and nobody here would start it again.
          await trial.ready(next, running[next])
          count(`kill -9 of the ${next}`)
        } else {
          await next.restart()
          for (const role of ROLES) trial.killed(role, from)
          count('kill -9 of a pooler')
        }
      }
    },
    { toStoreDatabase: pooled, toHubDatabase: pooled },
    SPARSE,
  ).finally(() => Promise.all(poolers.map((pooler) => pooler.close())))
}

function clocksInTheLoop(family: StoreFamily, seed: number): Promise<Result> {
  return inLoop(family, seed, [], async (trial, random, running, count) => {
    for (const role of ROLES) await trial.ready(role, trial.start(role))
    const jumps = ROLES.flatMap((role) => [2, -4, 2].map((hours) => ({ role, hours })))
    for (const { role, hours } of random.shuffle(jumps)) {
      await pause(random.between(1000, 4000))
      const from = Date.now()
      running[role].shiftClock(hours * HOUR_MS)
      await pause(2000)
      trial.killed(role, from)
      count(`jumps of the clock of the ${role}`)
    }
  })
}

/** Where a wire may lie, and whose settling is in doubt while it loses bytes: that of whoever writes into the database. */
const WAYS: readonly Readonly<{ where: string; way: keyof LoopWays; excuses?: Role }>[] = [
  { where: 'to the database of the store', way: 'toStoreDatabase', excuses: 'worker' },
  { where: 'to the database of the hub', way: 'toHubDatabase', excuses: 'hub' },
  { where: 'to the hub', way: 'toHub' },
  { where: 'to the store', way: 'toStore' },
  { where: 'to the consumer', way: 'toConsumer' },
]

/** Between two acts of a writer of the shop, and two messages of a clerk of the ERP, at most. */
const BUSY = { shopMs: 200, erpMs: 250 }
/** For poolers: with more to do, a hub on a slow machine would wait for one of their sessions beyond its lease. */
const SPARSE = { shopMs: 600, erpMs: 750 }

async function inLoop(
  family: StoreFamily,
  seed: number,
  wired: typeof WAYS,
  inject: (
    trial: LoopTrial,
    random: Random,
    running: Running,
    count: (what: string, times?: number) => void,
    wires: readonly Wire[],
  ) => Promise<void>,
  between: LoopWays = {},
  { shopMs, erpMs }: typeof BUSY = BUSY,
): Promise<Result> {
  const injected: Record<string, number> = {}
  const count = (what: string, times = 1) => {
    injected[what] = (injected[what] ?? 0) + times
  }
  const ways = new Map<string, Way>()
  const lay = Object.fromEntries(
    wired.map(({ way }) => [
      way,
      async (url: string) => {
        const laid = await (way.endsWith('Database') ? wireToDatabase(url) : wireToServer(url))
        ways.set(way, laid)
        return laid
      },
    ]),
  )
  const trial = await openLoopTrial(family, { ...lay, ...between })
  try {
    const running = { hub: trial.hub, web: trial.start('web'), worker: trial.start('worker') }
    await Promise.all([trial.ready('web', running.web), trial.ready('worker', running.worker)])
    const workload = await trial.startWorkload({ seed, writers: 3, pauseMs: shopMs })
    const erp = trial.startErp(seed, erpMs)
    const wires = wired.flatMap(({ way }) => ways.get(way)?.wire ?? [])
    await inject(trial, createRandom(seed), running, count, wires)
    await Promise.all([trial.ready('hub', running.hub), trial.ready('web', running.web)])
    await pause(2000)
    await erp.stop()
    await workload.stop()
    trial.relays.toConsumer.misbehave()
    const unrest = await trial.comeToRest(REST_WITHIN_MS)
    const { outward, toConsumer } = await trial.evidence()
    return {
      injected,
      changes: outward.changes.length,
      messages: new Set(toConsumer.map(({ key }) => key)).size,
      requests: toConsumer.length,
      findings: [...findUntried(injected), ...unrest, ...(await trial.check())],
      complaints: trial.complaints(),
    }
  } finally {
    await trial.close()
    for (const { wire } of ways.values()) await wire.close()
  }
}

/** A hub waits three minutes for a consumer that hangs: there is one of them, and the run ends after it. */
function consumersTrouble(seed: number): () => Behaviour {
  const decide = passingTrouble(seed, 0.08)
  const hangsAt = createRandom(seed).between(5, 50)
  let requests = 0
  return () => (++requests === hangsAt ? { kind: 'hang' } : decide())
}
