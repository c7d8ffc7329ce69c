import cron from 'node-cron'

import type { Settings } from '../config/settings.ts'
import { createDelivery } from '../hub/delivery/delivery.ts'
import { metricType } from '../hub/metric-type.ts'
import { HUB_OPERATIONS } from '../hub/operations.ts'
import { HUB_ACCEPTED, HUB_INCOMING } from '../hub/queues.ts'
import { takeOverRestored } from '../hub/restored.ts'
import { forgetOld } from '../hub/retention.ts'
import { createRouting } from '../hub/routing.ts'
import { countWaiting } from '../hub/waiting.ts'
import { createHubMetrics } from '../observe/hub-metrics.ts'
import type { Log } from '../observe/log.ts'
import { atStep } from '../observe/steps.ts'
import { hubTroubles } from '../operator/alarms/hub-troubles.ts'
import { DatabaseError } from '../postgres/errors.ts'
import { listen } from '../postgres/listen.ts'
import { joinWorkers } from '../postgres/membership.ts'
import type { Pool } from '../postgres/pool.ts'
import { createConsumerClient } from '../push/consumer-client.ts'
import { countLanes } from '../queue/enqueue.ts'
import { dropPartitions, makePartitions } from '../queue/partitions.ts'
import { startSender } from '../queue/sender.ts'
import { hubAlarms } from './alarms.ts'
import { cronLogger } from './cron-logger.ts'
import { every, sparingly } from './every.ts'
import { hubCodeVersion, openHubDatabase, requireHubSchema } from './hub-database.ts'
import { HEARTBEAT_MILLISECONDS, LEASE_MILLISECONDS, openLeaseConnection } from './lease.ts'
import { type Part, promiseOf } from './part.ts'
import { readVersion } from './version.ts'
import { complaints } from './worker-log.ts'

export type HubSettings = Settings & Readonly<{ hubDatabaseUrl: string }>

/** Makes the hub's routes over its database; `close` ends the answers that would never end by themselves. */
export type HubRoutes = (
  pool: Pool,
  incomingLanes: number,
  log: Log,
) => Readonly<{ routers: Part['routers']; close(): void }>

const CONNECTIONS = 20
const ANSWER_WITHIN_MILLISECONDS = 10_000
const ROUTED_AT_ONCE = 8
/** As long as the protocol lets an endpoint think (§3.2). */
const DELIVERY_TIMEOUT_MILLISECONDS = 180_000
/** Of all consumers: many, since one that never answers takes several of them for as long as that. */
const DELIVERED_AT_ONCE = 256
const DELIVERED_AT_ONCE_EACH = 8
/** On SIGTERM a delivery that takes longer is broken off, and made again by the next hub. */
const STOP_WITHIN_MILLISECONDS = 15_000
const SCHEMA_MILLISECONDS = 60_000
const METRICS_MILLISECONDS = 5_000

/** The hub: takes messages in, routes them, delivers them. Any number may run side by side. */
export async function startHub(settings: HubSettings, log: Log, routes: HubRoutes): Promise<Part> {
  const pool = await openHubDatabase(settings.hubDatabaseUrl, log, {
    applicationName: 'spree-bridge hub',
    connections: CONNECTIONS,
    answerWithinMilliseconds: ANSWER_WITHIN_MILLISECONDS,
  })
  try {
    const code = await hubCodeVersion()
    await requireHubSchema(pool, code)
    return await assemble(settings, log, routes, pool, code)
  } catch (error) {
    await pool.end()
    throw error
  }
}

async function assemble(
  settings: HubSettings,
  log: Log,
  routes: HubRoutes,
  pool: Pool,
  code: number,
): Promise<Part> {
  const complain = complaints(log)
  const metrics = createHubMetrics()
  const incomingLanes = await countLanes(pool, HUB_INCOMING)
  const acceptedLanes = await countLanes(pool, HUB_ACCEPTED)
  const client = createConsumerClient({
    version: readVersion(),
    timeoutMilliseconds: DELIVERY_TIMEOUT_MILLISECONDS,
  })
  await takeOverRestored(pool, [HUB_INCOMING, HUB_ACCEPTED])
  await keepArchive(pool, settings.historyDays).catch(complain('housekeeping'))
  const ownConnection = openLeaseConnection(settings.hubDatabaseUrl, 'spree-bridge hub lease', log)
  const membership = joinWorkers({
    pool,
    ownConnection,
    table: 'hub.worker',
    process: 'hub',
    version: readVersion(),
    leaseMilliseconds: LEASE_MILLISECONDS,
    heartbeatMilliseconds: HEARTBEAT_MILLISECONDS,
    status: () => '{}',
    watch: (work) => atStep('lane.renew', work),
    onError: complain('heartbeat'),
  })
  const common = { pool, membership, rememberedTypes: [], onSuperseded: () => undefined }
  const router = startSender({
    ...common,
    tables: HUB_INCOMING,
    concurrency: ROUTED_AT_ONCE,
    ...createRouting({
      incomingLanes,
      acceptedLanes,
      onRouted(name, copies) {
        const type = metricType(name)
        metrics.routedTotal.inc({ type, what: 'messages' })
        metrics.routedTotal.inc({ type, what: 'copies' }, copies)
        deliverer.wake()
      },
    }),
    onError: complain('routing'),
  })
  const deliverer = startSender({
    ...common,
    tables: HUB_ACCEPTED,
    concurrency: DELIVERED_AT_ONCE,
    ...createDelivery({
      pool,
      client,
      incomingLanes,
      inFlightEach: DELIVERED_AT_ONCE_EACH,
      targets: settings.hubTargets,
      log,
      onDelivered(message, outcome) {
        metrics.deliveredTotal.inc({ type: metricType(message.type), outcome })
        if (outcome === 'delivered')
          metrics.acceptToDeliverSeconds.observe((Date.now() - message.changedAt.getTime()) / 1_000)
      },
    }),
    onError: complain('delivery'),
  })
  const listener = listen(settings.hubDatabaseUrl, [HUB_INCOMING.channel, HUB_ACCEPTED.channel], {
    applicationName: 'spree-bridge hub listen',
    variable: 'HUB_DATABASE_URL',
    onNotify: (channel) => (channel === HUB_INCOMING.channel ? router : deliverer).wake(),
    onError: complain('listen'),
  })
  metrics.whenAsked(() => {
    metrics.lanesOwned.set({ queue: 'incoming' }, router.lanesOwned())
    metrics.lanesOwned.set({ queue: 'accepted' }, deliverer.lanesOwned())
    const age = membership.heartbeatAge()
    if (age !== undefined) metrics.workerHeartbeatAgeSeconds.set(age / 1_000)
  })
  const alarms = hubAlarms(settings, pool, log)
  const { promise: ended, resolve: onFatal } = promiseOf<DatabaseError>()
  const duties = [
    every(
      SCHEMA_MILLISECONDS,
      () => requireHubSchema(pool, code),
      (error) => (error instanceof DatabaseError ? onFatal(error) : complain('housekeeping')(error)),
    ),
    every(METRICS_MILLISECONDS, sparingly(measure), complain('housekeeping')),
  ]
  const retention = cron.schedule(
    '23 * * * *',
    () => keepArchive(pool, settings.historyDays).catch(complain('housekeeping')),
    { timezone: 'UTC', noOverlap: true, logger: cronLogger(log, complain('housekeeping')) },
  )

  async function measure(): Promise<void> {
    const waiting = await countWaiting(pool)
    const { counts, oldestSeconds } = waiting
    metrics.messages.reset()
    for (const { queue, state, count } of counts) metrics.messages.set({ queue, state }, count)
    metrics.oldestWaitingSeconds.set(oldestSeconds)
    await alarms.look(hubTroubles(waiting, settings.alarmLagSeconds))
  }

  const face = routes(pool, incomingLanes, log)
  log.info('hub started')
  return {
    routers: face.routers,
    operations: HUB_OPERATIONS,
    metrics,
    readyChecks: {
      hub_database: async () => {
        await requireHubSchema(pool, code)
        return undefined
      },
      hub_lease: async () =>
        membership.registration() ? undefined : 'this hub holds no lease at the moment',
    },
    ended,
    async stop(answered) {
      log.info('hub stops')
      face.close()
      await Promise.all([
        answered,
        router.stop(STOP_WITHIN_MILLISECONDS),
        deliverer.stop(STOP_WITHIN_MILLISECONDS),
      ])
      await retention.destroy()
      await Promise.all(duties.map((end) => end()))
      await alarms.stop()
      await membership.leave()
      await ownConnection.end()
      await listener.stop()
      await client.close()
      await pool.end()
      log.info('hub stopped')
    },
  }
}

async function keepArchive(pool: Pool, days: number): Promise<void> {
  await makePartitions(pool, 'hub.archived')
  await dropPartitions(pool, 'hub.archived', 'finished_at', days)
  await forgetOld(pool, days)
}
