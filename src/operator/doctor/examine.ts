import type { Identity } from '../../postgres/installation.ts'
import type { Pool } from '../../postgres/pool.ts'
import { describeUrl, reachDatabase } from '../../postgres/reach.ts'
import type { ProbeOutcome } from '../../push/outcome.ts'
import { openStore, type Store, type Told } from '../../store/store.ts'
import { StoreError } from '../../store/store-error.ts'
import { checkBridge } from './check-bridge.ts'
import { checkServer, checkWay } from './check-database.ts'
import { checkHub } from './check-hub.ts'
import { checkStore } from './check-store.ts'
import { checkWebhook } from './check-webhook.ts'
import { type Finding, failed, fromError, ok, warning } from './finding.ts'

export type Patient = Readonly<{
  pool: Pool
  databaseUrl: string
  listenUrl: string
  identity(): Promise<Identity>
  requireSchema(): Promise<void>
  told?: Told
  /** Undefined: no hub is set. */
  askHub(): Promise<ProbeOutcome | undefined>
  /** The type under which orders are pushed. */
  ordersAs: string
  /** Whether a webhook token is set: only then are messages applied. */
  appliesMessages: boolean
  webhook: Readonly<{ address: string; named: boolean }>
}>

/** Checks everything that the bridge needs, in the order in which one thing rests on another; nothing is changed. */
export async function* examine(patient: Patient): AsyncGenerator<Finding> {
  yield* examineDatabase(patient)
  const answer = await patient.askHub()
  if (answer) yield* checkHub(answer, patient.ordersAs, new Date())
  else yield warning('hub', 'none is set: nothing can be pushed', 'Set HUB_URL, HUB_STORE_ID and HUB_TOKEN.')
  if (patient.appliesMessages) yield await checkWebhook(patient.webhook.address, patient.webhook.named)
  else
    yield warning(
      'webhook',
      'no token is set: nothing is applied',
      'Set WEBHOOK_TOKEN where the hub is to write.',
    )
}

async function* examineDatabase(patient: Patient): AsyncGenerator<Finding> {
  const { pool, databaseUrl, listenUrl, identity, requireSchema } = patient
  try {
    await reachDatabase(pool, databaseUrl)
    yield ok('database', describeUrl(databaseUrl))
    yield* await checkServer(pool, databaseUrl)
    yield* await checkWay(pool, listenUrl)
    const [store, lacks] = await openWhatIsThere(pool, patient.told)
    if (lacks)
      yield failed(
        'extra',
        lacks,
        'Nothing of its kind can be told until the columns are there, or the configuration is changed.',
      )
    yield* await checkStore(pool, store, {
      appliesMessages: patient.appliesMessages,
      keepsOrders: patient.ordersAs !== 'order:persist',
    })
    yield* await checkBridge(pool, { store, identity: await identity(), requireSchema })
  } catch (error) {
    yield fromError('database', error)
  }
}

/** The store with what the configuration wants besides, or without it and what is missing. */
async function openWhatIsThere(pool: Pool, told: Told | undefined): Promise<[Store, lacks?: string]> {
  try {
    return [await openStore(pool, told)]
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'unknown_extra')) throw error
    return [await openStore(pool, { ...told, extra: undefined }), error.message]
  }
}
