import { type EffectiveSettings, readSettings } from '../config/read-settings.ts'
import type { Settings } from '../config/settings.ts'
import { createLog } from '../observe/log.ts'
import { readAuguryEnvironment } from '../store/augury-environment.ts'
import { type CommonOptions, settingsFor } from './store-command.ts'
import { codeVersion, openStoreDatabase, requireSchema } from './store-database.ts'

type Needed = 'databaseUrl' | 'hubUrl' | 'hubStoreId' | 'hubToken'

const NEEDED = ['databaseUrl', 'hubUrl', 'hubStoreId', 'hubToken'] as const

/**
 * Settings of a process that pushes. Where none of hub, store id and token is set, those hold that the shop's connector
 * has noted in `augury_environments`. @throws ConfigError naming what is missing, DatabaseError where that shop's database
 * is not migrated
 */
export async function workerSettings(options: CommonOptions): Promise<EffectiveSettings<Needed>['settings']> {
  const { settings } = settingsFor(options, [])
  const { databaseUrl } = settings
  if (databaseUrl === undefined || namesAHub(settings)) return settingsFor(options, NEEDED).settings

  const { log, closeLog } = createLog({ level: settings.logLevel, format: settings.logFormat })
  const pool = await openStoreDatabase({ ...settings, databaseUrl }, 'spree-bridge', log, 1)
  try {
    // Before what else is missing: who begins needs to hear this first.
    await requireSchema(pool, await codeVersion())
    const noted = await readAuguryEnvironment(pool)
    if (noted)
      log.info('the hub is the one that the store has noted in augury_environments', { hub: noted.url })
    return readSettings({
      env: process.env,
      file: options.config,
      fallback: noted && {
        source: 'augury_environments',
        env: { HUB_URL: noted.url, HUB_STORE_ID: noted.storeId, HUB_TOKEN: noted.token },
      },
      needs: NEEDED,
    }).settings
  } finally {
    await pool.end()
    await closeLog()
  }
}

/** Whether anything is set of a hub: then nothing is taken from `augury_environments`. */
export function namesAHub({
  hubUrl,
  hubStoreId,
  hubToken,
}: Pick<Settings, 'hubUrl' | 'hubStoreId' | 'hubToken'>): boolean {
  return (hubUrl ?? hubStoreId ?? hubToken) !== undefined
}
