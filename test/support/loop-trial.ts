import { setTimeout as pause } from 'node:timers/promises'
import { type Disturbance, type Finding, gatherEvidence } from '../checker/evidence.ts'
import { checkLoop } from '../checker/loop.ts'
import type { LoopEvidence } from '../checker/loop-evidence.ts'
import { startAudit } from './audit.ts'
import { type Erp, startErp } from './erp.ts'
import { fillShelves, isUnderWay, readInbox, readLeft, tellWaiting } from './loop-tables.ts'
import { createDatabase, type TestDatabase } from './postgres.ts'
import { type BridgeProcess, createProcesses } from './processes.ts'
import { type Answerer, acknowledge, processAt, type Relay, startRelay } from './relay.ts'
import { createStore, type StoreFamily } from './stores.ts'
import { asHeard, type Way } from './ways.ts'
import { startWorkload, type Workload, type WorkloadOptions } from './workload.ts'

export type Role = 'worker' | 'hub' | 'web'

/** Store, bridge, hub, a consumer of all types and an ERP, each a program of its own, with a relay wherever two of them speak. */
export type LoopTrial = Readonly<{
  store: TestDatabase
  /** The one with which the trial began. */
  hub: BridgeProcess
  /** From the bridge to the hub, and from the hub to the store and to the consumer. */
  relays: Readonly<{ pushes: Relay; toStore: Relay; toConsumer: Relay }>
  /** Starts a process. Of several of one role the others reach the one that was started first, until it dies. */
  start(role: Role): BridgeProcess
  /** From now on nobody reaches it, as when a load balancer finds that it does not answer. */
  leaveOut(process: BridgeProcess): void
  /** Resolves when it does its work. */
  ready(role: Role, process: BridgeProcess): Promise<void>
  startWorkload(options: WorkloadOptions): Promise<Workload>
  startErp(seed: number, pauseMs: number): Erp
  /** Notes that the harness killed or stopped a process, since `from`, so that the checker excuses what follows from it. */
  killed(role: Role, from?: number): void
  /** Notes that the hub's database has just committed, and that the hub will not hear of it. */
  hubCommitUnheard(): void
  /** Waits until nothing is on its way any more. What is so long after it is a finding. */
  comeToRest(timeoutMs?: number): Promise<Finding[]>
  evidence(): Promise<LoopEvidence>
  check(): Promise<Finding[]>
  /** What the processes had to complain of: their logs' warnings and errors. */
  complaints(): string[]
  close(): Promise<void>
}>

const ADMIN_TOKEN = 'admin-token-of-the-trial'
const WEBHOOK_TOKEN = 'webhook-token-of-the-trial'
/** All that a shop and its ERP give cause for. */
const ALL_TYPES = [
  'product:new',
  'product:update',
  'stock:change',
  'order:persist',
  'order:import',
  'order:new',
  'order:updated',
  'order:canceled',
  'shipment:ready',
  'user:new',
  'user:updated',
  'notification:info',
  'notification:warn',
  'notification:error',
]
const LOOK_EVERY_MS = 250
const LINES_OF_THE_FALLEN = 5

/** What stands between the programs, where they do not reach each other directly. */
export type LoopWays = Readonly<{
  toStoreDatabase?: (url: string) => Promise<Pick<Way, 'url'>>
  toHubDatabase?: (url: string) => Promise<Pick<Way, 'url'>>
  toHub?: (url: string) => Promise<Way>
  toStore?: (url: string) => Promise<Way>
  toConsumer?: (url: string) => Promise<Way>
}>

export async function openLoopTrial(family: StoreFamily, ways: LoopWays = {}): Promise<LoopTrial> {
  const processes = createProcesses()
  const closing: (() => Promise<unknown>)[] = [() => processes.killAll()]
  const close = async () => {
    for (const end of closing) await end()
  }
  try {
    return await assemble(family, ways, processes, closing, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function assemble(
  family: StoreFamily,
  ways: LoopWays,
  processes: ReturnType<typeof createProcesses>,
  closing: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<LoopTrial> {
  const listening = new Map<BridgeProcess, Answerer>()
  const roles = new Map<BridgeProcess, Role>()
  const eldest =
    (role: Role): Answerer =>
    async (request) => {
      const first = [...roles].find(([running, its]) => its === role && listening.has(running))
      return first && listening.get(first[0])?.(request)
    }
  const open = async (answerer: Answerer) => {
    const relay = await startRelay(answerer)
    closing.push(() => relay.close())
    return relay
  }
  const [pushes, orders, toStore, toConsumer] = await Promise.all(
    [eldest('hub'), eldest('hub'), eldest('web'), acknowledge].map(open),
  )
  if (!pushes || !orders || !toStore || !toConsumer) throw new Error('A relay did not start.')
  const [store, hubDatabase] = await Promise.all([createStore(family, 'fixture'), createDatabase()])
  closing.push(
    () => hubDatabase.drop(),
    () => store.drop(),
  )
  const [toStoreDatabase, toHubDatabase, toHub, toWeb, toIn] = [
    await ways.toStoreDatabase?.(store.url),
    await ways.toHubDatabase?.(hubDatabase.url),
    await ways.toHub?.(pushes.url),
    await ways.toStore?.(toStore.url),
    await ways.toConsumer?.(toConsumer.url),
  ]
  const common = { HOST: '127.0.0.1', LOG_FORMAT: 'json' }
  const hubEnv = {
    ...common,
    PORT: '0',
    HUB_DATABASE_URL: toHubDatabase?.url ?? hubDatabase.url,
    HUB_ADMIN_TOKEN: ADMIN_TOKEN,
    HUB_TARGETS: 'any',
  }
  const started: BridgeProcess[] = []
  const fallen: Finding[] = []
  const startWith = (role: Role, env: Record<string, string>) => {
    const running = processes.start([role], { env })
    started.push(running)
    roles.set(running, role)
    running
      .line(isListening)
      .then((line) => listening.set(running, processAt((JSON.parse(line) as { url: string }).url)))
      .catch(() => {}) // it died first, or is a worker and opens no port
    void running.ended.then(({ code }) => {
      roles.delete(running)
      if (!code) return // by a signal, or in order
      const text = `it gave up with ${code}:\n${running.lines.slice(-LINES_OF_THE_FALLEN).join('\n')}`
      fallen.push({ rule: 'ended', about: `a ${role}`, text })
    })
    return running
  }
  const run = async (command: readonly string[], env: Record<string, string>) => {
    const running = processes.start(command, { env })
    const { code } = await running.ended
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${running.lines.join('\n')}`)
  }

  await run(['migrate', '--hub'], hubEnv)
  const hub = startWith('hub', hubEnv)
  await hub.line(isListening)
  const at = await call(`${orders.url}/api/stores`, ADMIN_TOKEN, {
    name: 'Harbour Supply',
    webhook_url: `${toWeb?.url ?? toStore.url}/webhook`,
    webhook_token: WEBHOOK_TOKEN,
  })
  const ofStore = `${orders.url}/api/stores/${at.id}`
  await call(`${ofStore}/mappings`, at.token, {
    mapping: {
      name: 'consumer.in',
      url: toIn?.url ?? toConsumer.url,
      token: 'consumer-token',
      messages: ALL_TYPES,
    },
  })
  const bridgeEnv = {
    ...common,
    DATABASE_URL: toStoreDatabase?.url ?? store.url,
    HUB_URL: toHub?.url ?? pushes.url,
    HUB_STORE_ID: at.id,
    HUB_TOKEN: at.token,
    WEBHOOK_TOKEN,
  }
  await fillShelves(store, family)
  await run(['migrate'], bridgeEnv)
  const audit = await startAudit(store.url, family)
  closing.splice(1, 0, () => audit.close())
  const envOf = { hub: hubEnv, web: { ...bridgeEnv, PORT: '0' }, worker: bridgeEnv }
  const killed: Record<Role, Disturbance[]> = { hub: [], web: [], worker: [] }
  const hubCommitsUnheard: number[] = []

  const evidence = async (): Promise<LoopEvidence> => ({
    outward: await gatherEvidence(audit, asHeard(pushes.requests, toHub?.wire), killed.worker),
    sent: erps.flatMap(({ sent }) => sent),
    toStore: asHeard(toStore.requests, toWeb?.wire),
    toConsumer: asHeard(toConsumer.requests, toIn?.wire),
    inbox: await readInbox(store),
    left: await readLeft(hubDatabase),
    disturbances: killed.hub,
    hubCommitsUnheard,
  })
  const erps: Erp[] = []
  const over = new AbortController()
  closing.unshift(async () => over.abort())
  return {
    store,
    hub,
    relays: { pushes, toStore, toConsumer },
    start: (role) => startWith(role, envOf[role]),
    leaveOut: (running) => roles.delete(running),
    ready: async (role, running) => {
      await running.line(role === 'worker' ? (line) => line.includes('worker started') : isListening)
    },
    startWorkload: async (options) => {
      const workload = await startWorkload(store.url, family, options)
      closing.unshift(() => workload.stop().catch(() => {}))
      return workload
    },
    startErp: (seed, pauseMs) => {
      const signal = over.signal
      const erp = startErp({ url: `${ofStore}/messages`, token: at.token, seed, pauseMs, signal })
      erps.push(erp)
      return erp
    },
    killed: (role, from = Date.now()) => {
      killed[role].push({ what: `the ${role} was killed or stopped`, from, to: Date.now() })
    },
    hubCommitUnheard: () => {
      hubCommitsUnheard.push(Date.now())
    },
    comeToRest: async (timeoutMs = 180_000) => {
      const deadline = Date.now() + timeoutMs
      // Twice in a row: what was not in the hub any more may have been on its way round.
      for (let rounds = 0; Date.now() < deadline; ) {
        rounds = (await isUnderWay(store, hubDatabase)) ? 0 : rounds + 1
        if (rounds === 2) return []
        await pause(LOOK_EVERY_MS)
      }
      const about = `${timeoutMs} ms after the last change`
      const waiting = await tellWaiting(hubDatabase)
      return waiting.map((text) => ({ rule: 'rest', about, text }))
    },
    evidence,
    check: async () => [...fallen, ...checkLoop(await evidence())],
    complaints: () =>
      started.flatMap(({ pid, lines }) =>
        lines.filter((line) => !/"level":"(info|debug)"/.test(line)).map((line) => `${pid}: ${line}`),
      ),
    close,
  }
}

const isListening = (line: string) => line.includes('"message":"listening"')

async function call(url: string, token: string, body: unknown): Promise<{ id: string; token: string }> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Augury-Token': token },
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  if (answer.status !== 201) throw new Error(`${url} answered ${answer.status} ${text}`)
  return JSON.parse(text) as { id: string; token: string }
}
