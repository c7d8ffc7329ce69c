import { setTimeout as pause } from 'node:timers/promises'
import { WEB_STEPS } from '../../src/observe/steps.ts'
import { findMiscounts } from '../checker/counted.ts'
import { countGrouped, countRows, readMovements, readOrders } from '../checker/counted-rows.ts'
import { planDeliveries } from '../support/deliveries.ts'
import { watchWaits } from '../support/lock-waits.ts'
import { type BridgeProcess, createProcesses } from '../support/processes.ts'
import { createRandom } from '../support/random.ts'
import { deliverAll, type Met } from '../support/senders.ts'
import { putUpShelves, readShelves, startClerk } from '../support/shelves.ts'
import { createStore, type StoreFamily } from '../support/stores.ts'
import { migrate, WEBHOOK_TOKEN } from '../support/web.ts'
import { findUntried, type Result } from './result.ts'
import { BOTH, type Scenario } from './scenario.ts'

export const DELIVERIES: readonly Scenario[] = [
  {
    name: 'two thousand deliveries at two webs that die: repeats, races for SKUs, orders and parcels, rollbacks',
    families: BOTH,
    run: (family, seed) => deliverToDyingWebs(family, seed, 2000),
  },
]

const KILLS = 14
const BOUTS_AT_ONCE = 24
/** Two connections on which a web is at work. */
const CUT = `
  select pg_terminate_backend(pid)
    from (select pid from pg_stat_activity
           where application_name = 'spree-bridge web' and datname = current_database() and state <> 'idle'
           limit 2) busy`
/** So long a web that is to die at a step is waited for, before it dies where it is. */
const REACHED_WITHIN_MS = 3000

async function deliverToDyingWebs(family: StoreFamily, seed: number, deliveries: number): Promise<Result> {
  const random = createRandom(seed)
  const processes = createProcesses()
  const store = await createStore(family, 'fixture')
  try {
    await putUpShelves(store, family)
    await migrate(store)
    const plan = planDeliveries(random, deliveries)
    const total = plan.bouts.flat(2).reduce((sum, { copies }) => sum + copies, 0)
    const before = { shelves: await readShelves(store, family), rows: await countRows(store, family) }
    const met: Met = { answered: 0, requests: 0, unanswered: 0, putOff: 0 }
    const injected: Record<string, number> = {}
    const count = (fault: string, times = 1) => {
      injected[fault] = (injected[fault] ?? 0) + times
    }

    const complaints: string[] = []
    const doors = new Map<BridgeProcess, string>()
    const open = async () => {
      const web = processes.start(['web'], { env: environment(store.url) })
      const { url } = JSON.parse(await web.line((line) => line.includes('"listening"'))) as { url: string }
      doors.set(web, url)
    }
    const close = (web: BridgeProcess) => {
      doors.delete(web)
      complaints.push(...web.lines.filter(isComplaint))
    }
    await Promise.all([open(), open()])
    const waits = watchWaits(store)
    const clerk = startClerk(store, family, createRandom(seed + 1))
    let over = false
    const delivered = deliverAll(plan.bouts, () => [...doors.values()], random, BOUTS_AT_ONCE, met).finally(
      () => {
        over = true
      },
    )
    const killing = (async () => {
      for (let kills = 1; kills <= KILLS; kills++) {
        while (met.answered < (total * kills) / (KILLS + 1) && !over) await pause(10)
        if (over) return
        const victim = random.pick([...doors.keys()])
        const step = random.chance(0.7)
          ? `${random.pick(WEB_STEPS)}:${random.pick(['before', 'after'])}`
          : undefined
        count(await die(victim, step))
        close(victim)
        await open()
        const { rowCount } = await store.pool.query(CUT)
        count('connections of a web cut', rowCount ?? 0)
      }
    })()
    await Promise.all([delivered, killing])
    const { done, rolledBack } = await clerk.stop()
    await Promise.all([...doors.keys()].map((web) => web.terminate()))
    for (const web of doors.keys()) close(web)
    for (const [what, times] of Object.entries(await waits.stop())) count(what, times)
    count("the shop's own movements", done.length)
    count("the shop's own rollbacks", rolledBack)
    count('requests without an answer', met.unanswered)
    count('requests put off', met.putOff)
    count(
      'messages that were rolled back',
      plan.bouts.flat(2).filter(({ answers: [one] }) => one?.status !== 200).length,
    )

    count('changes of stock that shared a transaction', await countGrouped(store, family))

    const movements = await readMovements(store, family)
    const after = {
      shelves: await readShelves(store, family),
      rows: await countRows(store, family),
      movements,
      orders: await readOrders(store, family),
    }
    return {
      injected,
      changes: movements.length + after.orders.length,
      messages: plan.bouts.flat(2).length,
      requests: met.requests,
      findings: [...findUntried(injected), ...findMiscounts({ family, plan, clerk: done, before, after })],
      complaints,
    }
  } finally {
    await processes.killAll()
    await store.drop()
  }
}

/** As by `kill -9`: at a step that it is about to pass, or wherever it is. Returns what is to be counted. */
async function die(web: BridgeProcess, step: string | undefined): Promise<string> {
  const there = step === undefined ? undefined : `kill -9 of a web at ${step}`
  if (step !== undefined) web.dieAt(step, 1)
  const reached = await Promise.race([web.ended, pause(step === undefined ? 0 : REACHED_WITHIN_MS)])
  await web.kill()
  return (reached && there) ?? 'kill -9 of a web at a random moment'
}

/** That a message was not applied is what some of them are for. */
const isComplaint = (line: string) => !/"level":"(info|debug)"|was not applied/.test(line)

const environment = (url: string) => ({
  DATABASE_URL: url,
  HUB_STORE_ID: '5281a1584a8169f7a0000001',
  WEBHOOK_TOKEN,
  HOST: '127.0.0.1',
  PORT: '0',
  LOG_FORMAT: 'json',
})
