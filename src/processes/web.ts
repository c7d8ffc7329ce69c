import type { Handlers } from '../apply/handlers.ts'
import { createInbox } from '../apply/inbox.ts'
import { missingWriteGrants } from '../apply/rights.ts'
import type { Settings } from '../config/settings.ts'
import { Refusal } from '../http/refusal.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { bridgeTroubles } from '../operator/alarms/bridge-troubles.ts'
import { createOperatorFace } from '../operator/api.ts'
import { retryInbound } from '../operator/inbound.ts'
import { OPERATOR_OPERATIONS } from '../operator/operations.ts'
import { hasLiveWorker, readStatus } from '../operator/show-status.ts'
import type { DatabaseError } from '../postgres/errors.ts'
import { WEBHOOK_OPERATIONS } from '../webhook/operations.ts'
import { webhookRoutes } from '../webhook/webhook.ts'
import { bridgeAlarms } from './alarms.ts'
import { every, sparingly } from './every.ts'
import { LEASE_MILLISECONDS } from './lease.ts'
import { openOwnStore } from './own-store.ts'
import { type Part, promiseOf, STOP_WITHIN_MILLISECONDS } from './part.ts'
import { shapeOf } from './shape-of.ts'
import { identityOf, requireSchema } from './store-database.ts'
import { watchStore } from './store-watch.ts'
import { complaints } from './worker-log.ts'

export type WebSettings = Settings & Readonly<{ databaseUrl: string }>

const CONNECTIONS = 10
const LEASE_SECONDS = LEASE_MILLISECONDS / 1_000
const ALARMS_MILLISECONDS = 5_000
/** Above what a statement of the webhook may take: the server cuts it off before. */
const ANSWER_WITHIN_MILLISECONDS = 35_000

/** The way in: what the hub sends to the webhook is applied to the store; and the operator's view. Any number may run side by side. */
export async function startWeb(
  settings: WebSettings,
  handlers: Handlers,
  log: Log,
  metrics: Metrics,
): Promise<Part> {
  const shape = await shapeOf(settings, settings.transformBudgetMs)
  const { pool, store, code, installation } = await openOwnStore(settings, log, {
    applicationName: 'spree-bridge web',
    connections: CONNECTIONS,
    answerWithinMilliseconds: ANSWER_WITHIN_MILLISECONDS,
  })
  const { promise: ended, resolve: onOutdated } = promiseOf<DatabaseError>()
  const watch = watchStore({
    pool,
    store,
    log,
    codeVersion: code,
    installation,
    identity: () => identityOf(pool, settings),
    onError: complaints(log)('look at the store'),
    onOutdated,
  })
  if (settings.webhookToken === undefined)
    log.warn('WEBHOOK_TOKEN is not set: every message to the webhook is refused with 401')
  else {
    const { services, grants } = await missingWriteGrants(pool, store)
    if (grants.length > 0)
      log.error(
        "the role of DATABASE_URL may not write all that messages change: let the owner of the store's tables run the grants",
        { services, grants },
      )
  }
  const refusal = () =>
    watch.refusal() === undefined
      ? undefined
      : 'Nothing is applied at present; the log of the bridge says why.'
  const alarms = bridgeAlarms(settings, pool, log)
  // A worker looks after them itself; that there is none, only another process can tell.
  const endLooking = every(
    ALARMS_MILLISECONDS,
    sparingly(async () => {
      if (await hasLiveWorker(pool)) return
      await alarms.look(bridgeTroubles(await readStatus(pool, LEASE_SECONDS), settings.alarmLagSeconds))
    }),
    complaints(log)('alarms'),
  )
  const face = createOperatorFace({
    pool,
    async retryInbound(id) {
      const why = refusal()
      if (why !== undefined) throw new Refusal(409, why)
      await retryInbound({ pool, store, handlers, shape, log }, id)
    },
    access: { token: settings.operatorToken, host: settings.host },
    log,
    leaseSeconds: LEASE_SECONDS,
  })
  log.info('web started', { family: store.family, schema: store.schema })

  return {
    services: [
      webhookRoutes({
        tokens: settings.webhookToken ?? [],
        secrets: settings.webhookSecret ?? [],
        handlers,
        inbox: createInbox({ pool, store, hub: '', shape, log }),
        refusal,
        source: () => `spree-bridge:${watch.installation().id}`,
        metrics,
        log,
      }),
    ],
    routers: [face.router],
    operations: { ...WEBHOOK_OPERATIONS, ...OPERATOR_OPERATIONS },
    readyChecks: {
      database: async () => {
        await requireSchema(pool, code)
        return undefined
      },
      webhook: async () => refusal(),
      triggers: async () => watch.unwatched(),
    },
    ended,
    async stop(answered) {
      // What is applied to the store goes on without its request, and a pool waits for what runs over it.
      const limit = setTimeout(() => pool.cutOff(), STOP_WITHIN_MILLISECONDS)
      face.close()
      await Promise.all([watch.stop(), endLooking(), answered])
      await alarms.stop()
      await pool.end()
      clearTimeout(limit)
      log.info('web stopped')
    },
  }
}
