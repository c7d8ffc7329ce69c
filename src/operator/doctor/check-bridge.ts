import { findRepairs } from '../../capture/triggers.ts'
import {
  type Identity,
  readInstallation,
  refuseCopy,
  refuseUninstalled,
} from '../../postgres/installation.ts'
import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../../store/store.ts'
import { hasLiveWorker } from '../show-status.ts'
import { type Finding, failed, fromError, ok, warning } from './finding.ts'

export type BridgeChecks = Readonly<{
  store: Store
  identity: Identity
  /** Rejects where schema `bridge` is none that this code can work with. */
  requireSchema(): Promise<void>
}>

/** What `migrate` leaves in the store's database, and who works on it. Where there is no schema, the rest is not asked. */
export async function checkBridge(
  db: Db,
  { store, identity, requireSchema }: BridgeChecks,
): Promise<Finding[]> {
  try {
    await requireSchema()
    await refuseUninstalled(db)
  } catch (error) {
    return [fromError('migrated', error)]
  }
  return [
    ok('migrated', 'schema bridge fits this release'),
    await checkTriggers(db, store),
    await checkInstallation(db, identity),
    (await hasLiveWorker(db))
      ? ok('worker', 'at least one runs')
      : warning(
          'worker',
          'none runs: nothing is collected or pushed',
          'Start `spree-bridge worker` (or `start`).',
        ),
  ]
}

async function checkTriggers(db: Db, store: Store): Promise<Finding> {
  const repairs = await findRepairs(db, store)
  const unseen = repairs.filter((repair) => repair.unseen).map(({ table }) => table)
  const mend = 'A running worker puts that right within seconds; `spree-bridge migrate` does it now.'
  if (unseen.length > 0) return failed('triggers', `missing on ${unseen.join(', ')}: changes go unseen`, mend)
  if (repairs.length === 0) return ok('triggers', 'in place')
  return warning(
    'triggers',
    `those of ${repairs.map(({ table }) => table).join(', ')} are of another release`,
    mend,
  )
}

async function checkInstallation(db: Db, identity: Identity): Promise<Finding> {
  try {
    await refuseCopy(db, identity)
  } catch (error) {
    return fromError('installation', error)
  }
  const installation = await readInstallation(db)
  return ok('installation', installation ? installation.id : 'will be made by the first process that starts')
}
