import { type EffectiveSettings, readSettings } from '../config/read-settings.ts'
import type { SettingName, Settings } from '../config/settings.ts'
import { DEMO_FOLDER, demoEnvironment, readDemoFile } from '../demo/demo-file.ts'
import { createLog, type Log } from '../observe/log.ts'
import { DatabaseError } from '../postgres/errors.ts'
import type { Pool } from '../postgres/pool.ts'
import { OperatorError } from './exit.ts'
import { openHubDatabase } from './hub-database.ts'
import { openStoreDatabase } from './store-database.ts'

const DEMO_SOURCE = `${DEMO_FOLDER}/demo.json`

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
    fallback: demo && { source: DEMO_SOURCE, env: demoEnvironment(demo) },
    needs,
  })
}

type Work<T> = (context: StoreContext) => Promise<T>

/** For a command that looks at what runs, or asks something of it: the store named, or the demo's. */
export async function withStore<T>(options: CommonOptions, work: Work<T>): Promise<T> {
  const effective = commandSettings(options, ['databaseUrl'])
  try {
    return await useStore(effective, work)
  } catch (error) {
    const isDown = error instanceof DatabaseError && error.code === 'unreachable'
    if (!isDown || effective.sources.get('databaseUrl') !== DEMO_SOURCE) throw error
    throw new OperatorError(
      'No DATABASE_URL is set, and the demo of this folder does not run at present: start it, or set DATABASE_URL.',
      1,
    )
  }
}

/** For a command that changes what a store is to the bridge: a forgotten DATABASE_URL must not turn it on a demo. */
export function withNamedStore<T>(options: CommonOptions, work: Work<T>): Promise<T> {
  return useStore(settingsFor(options, ['databaseUrl']), work)
}

function useStore<T>({ settings }: EffectiveSettings<'databaseUrl'>, work: Work<T>): Promise<T> {
  return withPool(
    settings,
    (log) => openStoreDatabase(settings, APPLICATION, log, CONNECTIONS),
    (pool, log) => work({ pool, log, settings }),
  )
}

/** The same with the hub that is named. */
export function withNamedHub<T>(
  options: CommonOptions,
  work: (context: Readonly<{ pool: Pool; log: Log }>) => Promise<T>,
): Promise<T> {
  const { settings } = settingsFor(options, ['hubDatabaseUrl'])
  const how = { applicationName: APPLICATION, connections: CONNECTIONS }
  return withPool(
    settings,
    (log) => openHubDatabase(settings.hubDatabaseUrl, log, how),
    (pool, log) => work({ pool, log }),
  )
}

const APPLICATION = 'spree-bridge'
const CONNECTIONS = 2

/** Opens a database for one command and closes everything afterwards, whatever happens. */
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
