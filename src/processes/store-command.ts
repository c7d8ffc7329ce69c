import { type EffectiveSettings, readSettings } from '../config/read-settings.ts'
import type { SettingName } from '../config/settings.ts'
import { DEMO_FOLDER, demoEnvironment, readDemoFile } from '../demo/demo-file.ts'
import { createLog, type Log } from '../observe/log.ts'
import type { Pool } from '../postgres/pool.ts'
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

type Work<T> = (context: StoreContext) => Promise<T>

/** For a command that looks at what runs, or asks something of it: the store named, or the demo's. */
export function withStore<T>(options: CommonOptions, work: Work<T>): Promise<T> {
  return useStore(commandSettings(options, ['databaseUrl']), work)
}

/** For a command that changes what a store is to the bridge: a forgotten DATABASE_URL must not turn it on a demo. */
export function withNamedStore<T>(options: CommonOptions, work: Work<T>): Promise<T> {
  return useStore(settingsFor(options, ['databaseUrl']), work)
}

/** Opens the store's database for one command and closes everything afterwards, whatever happens. */
async function useStore<T>({ settings }: EffectiveSettings<'databaseUrl'>, work: Work<T>): Promise<T> {
  const { log, closeLog } = createLog({ level: settings.logLevel, format: settings.logFormat })
  try {
    const pool = await openStoreDatabase(settings, 'spree-bridge', log, 2)
    try {
      return await work({ pool, log, settings })
    } finally {
      await pool.end()
    }
  } finally {
    await closeLog()
  }
}
