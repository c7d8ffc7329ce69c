import { findRepairs } from '../capture/triggers.ts'
import type { Log } from '../observe/log.ts'
import { DatabaseError } from '../postgres/errors.ts'
import {
  type Identity,
  type Installation,
  readInstallation,
  refuseCopy,
  refuseUninstalled,
} from '../postgres/installation.ts'
import type { Pool } from '../postgres/pool.ts'
import type { LiveStore } from '../store/live-store.ts'
import { StoreError } from '../store/store-error.ts'
import { every } from './every.ts'
import { requireSchema } from './store-database.ts'

export type StoreWatchOptions = Readonly<{
  pool: Pool
  store: LiveStore
  log: Log
  /** Of this code, as schema `bridge` counts it. */
  codeVersion: number
  /** At the start; `adopt` changes it, and so does the first process that knows the hub. */
  installation: Installation
  identity(): Promise<Identity>
  onError(error: unknown): void
  /** A newer release has shut this code out. */
  onOutdated(error: DatabaseError): void
}>

/** What a process that writes into the store, but does not look after it, has to know of it. */
export type StoreWatch = Readonly<{
  /** Why nothing may be applied at present: the database is a copy, uninstalled, or no store any more. */
  refusal(): string | undefined
  /** Why changes may go unseen at present; undefined while every trigger is in place. */
  unwatched(): string | undefined
  installation(): Installation
  stop(): Promise<void>
}>

const LOOK_MILLISECONDS = 10_000

export function watchStore(options: StoreWatchOptions): StoreWatch {
  const { pool, store, log } = options
  let refusal: string | undefined
  let unwatched: string | undefined = 'the triggers were not looked at yet'
  let installation = options.installation
  const stop = every(LOOK_MILLISECONDS, look, refuse)

  async function look(): Promise<void> {
    await requireSchema(pool, options.codeVersion)
    await refuseUninstalled(pool)
    await refuseCopy(pool, await options.identity())
    installation = (await readInstallation(pool)) ?? installation
    await store.reopen(pool)
    const tables = (await findRepairs(pool, store)).map(({ table }) => table)
    unwatched =
      tables.length === 0
        ? undefined
        : `triggers are missing or not up to date on ${tables.join(', ')}: a worker or \`migrate\` mends that`
    if (refusal !== undefined) log.info('inbound messages are applied again')
    refusal = undefined
  }

  function refuse(error: unknown): void {
    if (!(error instanceof DatabaseError || error instanceof StoreError)) {
      options.onError(error)
      return
    }
    if (error instanceof DatabaseError && error.code === 'outdated') options.onOutdated(error)
    if (refusal !== error.message) log.error(`no inbound message is applied: ${error.message}`)
    refusal = error.message
  }

  return {
    refusal: () => refusal,
    unwatched: () => unwatched,
    installation: () => installation,
    stop,
  }
}
