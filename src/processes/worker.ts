import { startCollector } from '../capture/collector.ts'
import { forgetOtherTrials } from '../capture/shadow.ts'
import type { Shaping } from '../capture/shape-messages.ts'
import type { Settings } from '../config/settings.ts'
import { createDelivery } from '../delivery/delivery.ts'
import { OBJECT_TYPES } from '../messages/message.ts'
import { STATE_KINDS } from '../messages/state-kinds.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { onceInAWhile } from '../observe/once-in-a-while.ts'
import { PerMinute } from '../observe/per-minute.ts'
import { atStep } from '../observe/steps.ts'
import { bridgeTroubles } from '../operator/alarms/bridge-troubles.ts'
import type { DatabaseError } from '../postgres/errors.ts'
import { listen } from '../postgres/listen.ts'
import { joinWorkers, type Membership } from '../postgres/membership.ts'
import type { Pool } from '../postgres/pool.ts'
import { type Circuit, createCircuit } from '../push/circuit.ts'
import type { PushClient } from '../push/client.ts'
import { createClient } from '../push/create-client.ts'
import { countLanes } from '../queue/enqueue.ts'
import { BRIDGE_QUEUE } from '../queue/message.ts'
import { startSender } from '../queue/sender.ts'
import type { Unreadable } from '../store/store.ts'
import { bridgeAlarms } from './alarms.ts'
import { type Housekeeping, startHousekeeping } from './housekeeping.ts'
import { HEARTBEAT_MILLISECONDS, LEASE_MILLISECONDS, openLeaseConnection } from './lease.ts'
import { type OwnStore, openOwnStore } from './own-store.ts'
import { type Part, promiseOf } from './part.ts'
import { startReconcileDuty } from './reconcile-duty.ts'
import { shapingOf } from './shape-of.ts'
import { identityOf, requireSchema } from './store-database.ts'
import { tellingOf } from './telling.ts'
import { readVersion } from './version.ts'
import { complaints, describeHeld, tellCircuit, tellHeld, tellPass } from './worker-log.ts'

export type WorkerSettings = Settings &
  Readonly<{ databaseUrl: string; hubUrl: string; hubStoreId: string; hubToken: string }>

const PUSH_TIMEOUT_MILLISECONDS = 10_000
const HUB_GREETING_MILLISECONDS = 3_000
const STOP_WITHIN_MILLISECONDS = 20_000
const LEDGER_DAYS = 30
const CONNECTIONS = 10
/** Above what any statement of a worker may take: its longest are cut by the server after half a lease. */
const ANSWER_WITHIN_MILLISECONDS = 10_000
const UNSAID_IN_OBJECTS =
  'the hub is told objects: there are none for removed products, closed accounts, return authorizations and stock transfers, which are kept back and counted'
/** Types whose last acknowledgement decides what is an echo: catalogue, levels and states, never orders or deltas. */
const REMEMBERED_TYPES = [
  'product:new',
  'product:update',
  'stock:actual',
  ...STATE_KINDS.flatMap(({ types }) => [types.first, types.later]),
  ...OBJECT_TYPES,
]

/** Capture and delivery: outbox → messages → hub. Any number may run side by side. */
export async function startWorker(settings: WorkerSettings, log: Log, metrics: Metrics): Promise<Part> {
  const shaping = await shapingOf(settings)
  const own = await openOwnStore(settings, log, {
    applicationName: 'spree-bridge worker',
    connections: CONNECTIONS,
    answerWithinMilliseconds: ANSWER_WITHIN_MILLISECONDS,
  })
  try {
    return await assemble(settings, shaping, log, metrics, own)
  } catch (error) {
    await own.pool.end()
    throw error
  }
}

async function assemble(
  settings: WorkerSettings,
  shaping: Shaping | undefined,
  log: Log,
  metrics: Metrics,
  { pool, store, code, installation }: OwnStore,
): Promise<Part> {
  const complain = complaints(log)
  const quietly = onceInAWhile(log)
  const telling = tellingOf(settings)
  const laneCount = await countLanes(pool, BRIDGE_QUEUE)
  await forgetOtherTrials(pool, shaping?.shadow?.trial)
  const circuit = createCircuit((view) => tellCircuit(view, quietly, metrics))
  metrics.circuitOpen.set(0)
  const client = createClient(settings.hubDialect, {
    hubUrl: settings.hubUrl,
    storeId: settings.hubStoreId,
    token: settings.hubToken,
    installation: installation.id,
    version: readVersion(),
    connections: settings.bridgeConcurrency,
    timeoutMilliseconds: PUSH_TIMEOUT_MILLISECONDS,
  })
  await greetHub(client, settings, log)
  let held: Unreadable = new Map()
  const accepted = new PerMinute()
  const ownConnection = openLeaseConnection(settings.databaseUrl, 'spree-bridge lease', log)
  const membership = joinWorkers({
    pool,
    ownConnection,
    table: 'bridge.worker',
    process: 'worker',
    version: readVersion(),
    leaseMilliseconds: LEASE_MILLISECONDS,
    heartbeatMilliseconds: HEARTBEAT_MILLISECONDS,
    status: () => describeWorker(circuit, held, accepted),
    watch: (work) => atStep('lane.renew', work),
    onError: complain('heartbeat'),
  })
  const { promise: ended, resolve: onFatal } = promiseOf<DatabaseError>()
  const alarms = bridgeAlarms(settings, pool, log)
  const housekeeping = await startHousekeeping({
    pool,
    store,
    metrics,
    log,
    leaseSeconds: LEASE_MILLISECONDS / 1_000,
    historyDays: settings.historyDays,
    ledgerDays: LEDGER_DAYS,
    fuseRows: settings.fuseRows,
    codeVersion: code,
    identity: () => identityOf(pool, settings),
    onStatus: (status) => alarms.look(bridgeTroubles(status, settings.alarmLagSeconds)),
    onError: complain('housekeeping'),
    onFatal,
  })
  const sender = startSender({
    pool,
    tables: BRIDGE_QUEUE,
    membership,
    concurrency: settings.bridgeConcurrency,
    rememberedTypes: REMEMBERED_TYPES,
    ...createDelivery({ client, circuit, metrics, log, onAccepted: () => accepted.note() }),
    onSuperseded: () => metrics.supersededTotal.inc(),
    onError: complain('queue'),
  })
  const listener = listen(
    settings.databaseListenUrl ?? settings.databaseUrl,
    ['bridge_outbox', BRIDGE_QUEUE.channel],
    {
      applicationName: 'spree-bridge listen',
      variable: 'DATABASE_LISTEN_URL',
      onNotify(channel, by) {
        if (channel !== BRIDGE_QUEUE.channel) collector.wake()
        // Of its own messages the sender knows already: see onPass.
        else if (by !== membership.registration()?.id) sender.wake()
      },
      onError: complain('listen'),
    },
  )
  const collector = startCollector({
    pool,
    store,
    laneCount,
    settings: {
      settle: { quietMilliseconds: settings.settleQuietMs, atMostMilliseconds: settings.settleAtMostMs },
      ...telling,
      shaping,
      statementTimeoutMilliseconds: LEASE_MILLISECONDS / 2,
    },
    workerId: () => membership.registration()?.id,
    hears: () => listener.hears(),
    reopen: () => store.reopen(pool),
    onPass(pass) {
      if (pass.messages.length > 0) sender.wake()
      tellPass(pass, log, quietly, metrics)
    },
    onHeld(unreadable) {
      tellHeld(unreadable, held, log)
      held = unreadable
    },
    onError: complain('collect'),
  })
  const reconcileDuty = startReconcileDuty({
    pool,
    store,
    stockMessages: telling.stockMessages,
    stockBy: telling.stockBy,
    at: settings.reconcileAt,
    isCollecting: () => collector.isCollecting(),
    metrics,
    log,
    onError: complain('reconcile'),
  })
  membership.onLook(() => {
    // Somebody's lease may just have ended.
    if (!collector.isCollecting()) collector.wake()
  })
  metrics.whenAsked(() => {
    metrics.lanesOwned.set(sender.lanesOwned())
    const age = membership.heartbeatAge()
    if (age !== undefined) metrics.workerHeartbeatAgeSeconds.set(age / 1_000)
  })
  log.info('worker started', {
    family: store.family,
    schema: store.schema,
    hub: settings.hubUrl,
    store_id: settings.hubStoreId,
    dialect: settings.hubDialect,
  })
  if (settings.hubDialect === 'wombat') log.info(UNSAID_IN_OBJECTS)

  return {
    routers: [],
    readyChecks: {
      ...readyChecks(pool, code, membership, housekeeping),
      kinds: async () => describeHeld(held),
    },
    ended,
    async stop() {
      log.info('worker stops')
      await Promise.all([collector.stop(), sender.stop(STOP_WITHIN_MILLISECONDS), reconcileDuty.stop()])
      await housekeeping.stop()
      await alarms.stop()
      await membership.leave()
      await ownConnection.end()
      await listener.stop()
      await client.close()
      await pool.end()
      log.info('worker stopped')
    },
  }
}

/** Before the first push: is the hub there, does it know us, and is it ours (then payloads carry no `source`)? */
async function greetHub(client: PushClient, settings: WorkerSettings, log: Log): Promise<void> {
  const hub = await client.probe(AbortSignal.timeout(HUB_GREETING_MILLISECONDS))
  if (hub.kind === 'reachable') return
  log.warn(`the hub does not answer as it should; messages wait until it does: ${hub.text}`, {
    hub: settings.hubUrl,
  })
}

function describeWorker(circuit: Circuit, held: Unreadable, accepted: PerMinute): string {
  const view = circuit.state()
  return JSON.stringify({
    circuit: view.state,
    lastError: view.state === 'closed' ? null : view.text,
    held: Object.fromEntries(held),
    acceptedPerMinute: accepted.count,
  })
}

function readyChecks(pool: Pool, code: number, membership: Membership, housekeeping: Housekeeping) {
  return {
    database: async () => {
      await requireSchema(pool, code)
      return undefined
    },
    triggers: async () => housekeeping.unwatched(),
    lease: async () => (membership.registration() ? undefined : 'this worker holds no lease at the moment'),
  }
}
