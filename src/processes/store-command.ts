import { type EffectiveSettings, readSettings } from '../config/read-settings.ts'
import type { SettingName, Settings } from '../config/settings.ts'
import { DEMO_FOLDER, demoEnvironment, readDemoFile } from '../demo/demo-file.ts'
import { createLog, type Log } from '../observe/log.ts'
import type { Pool } from '../postgres/pool.ts'
import { openHubDatabase } from './hub-database.ts'
import { openStoreDatabase } from './store-database.ts'

/** Options that every command takes. */
export type CommonOptions = Readonly<{ config?: string; json?: boolean }>

/** Where commands put data: stdout. Logs and progress go to stderr. */
export type Print = (text: string) => void

/** What a command that works on the store's database is given. */
export type StoreContext = Readonly<{
  pool: Pool
  log: Log
  settings: EffectiveSettings<'databaseUrl'>['settings']
}>

/** Reads settings for a process: the environment, and the file of `--config`. @throws ConfigError */
export function settingsFor<Needed extends SettingName>(
  options: CommonOptions,
  needs: readonly Needed[],
): EffectiveSettings<Needed> {
  return readSettings({ env: process.env, file: options.config, needs })
}

/**
 * Reads settings for a command that looks at what runs, or asks something of it: where no database is named, those of the
 * demo that was started in this folder. @throws ConfigError
 */
export function commandSettings<Needed extends SettingName>(
  options: CommonOptions,
  needs: readonly Needed[],
): EffectiveSettings<Needed> {
  const namesNone = !process.env['DATABASE_URL'] && !process.env['HUB_DATABASE_URL'] && !options.config
  const demo = namesNone ? readDemoFile() : undefined
  return readSettings({
    env: process.env,
    file: options.config,
    fallback: demo && { source: `${DEMO_FOLDER}/demo.json`, env: demoEnvironment(demo) },
    needs,
  })
}

/** Opens the store's database for one command and closes everything afterwards, whatever happens. */
export async function withStore<T>(
  options: CommonOptions,
  work: (context: StoreContext) => Promise<T>,
): Promise<T> {
  const { settings } = commandSettings(options, ['databaseUrl'])
  return withPool(
    settings,
    (log) => openStoreDatabase(settings, APPLICATION, log, CONNECTIONS),
    (pool, log) => work({ pool, log, settings }),
  )
}

/** The same with the hub's. */
export async function withHub<T>(
  options: CommonOptions,
  work: (context: Readonly<{ pool: Pool; log: Log }>) => Promise<T>,
): Promise<T> {
  const { settings } = commandSettings(options, ['hubDatabaseUrl'])
  const how = { applicationName: APPLICATION, connections: CONNECTIONS }
  return withPool(
    settings,
    (log) => openHubDatabase(settings.hubDatabaseUrl, log, how),
    (pool, log) => work({ pool, log }),
  )
}

const APPLICATION = 'spree-bridge'
const CONNECTIONS = 2

async function withPool<T>(
  settings: Settings,
  open: (log: Log) => Promise<Pool>,
  work: (pool: Pool, log: Log) => Promise<T>,
): Promise<T> {
  const { log, closeLog } = createLog({ level: settings.logLevel, format: settings.logFormat })
  try {
    const pool = await open(log)
    try {
      return await work(pool, log)
    } finally {
      await pool.end()
    }
  } finally {
    await closeLog()
  }
}
