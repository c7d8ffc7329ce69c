import type { Command } from 'commander'

import type { EffectiveSettings } from '../config/read-settings.ts'
import type { Settings } from '../config/settings.ts'
import { examine } from '../operator/doctor/examine.ts'
import type { Finding } from '../operator/doctor/finding.ts'
import { formatRehearsal, isSame, type Rehearsal, rehearse } from '../operator/doctor/rehearse.ts'
import { createPool, type Pool } from '../postgres/pool.ts'
import { reachDatabase } from '../postgres/reach.ts'
import { readAuguryEnvironment } from '../store/augury-environment.ts'
import { openStore } from '../store/store.ts'
import { WEB_PORT } from './ports.ts'
import { readLimit } from './read-limit.ts'
import { type CommonOptions, commandSettings, type Print } from './store-command.ts'
import { codeVersion, identityOf, requireSchema } from './store-database.ts'
import { readVersion } from './version.ts'
import { namesAHub } from './worker-settings.ts'

type DoctorOptions = CommonOptions & Readonly<{ webhook?: string; against?: string; limit: number }>

const ASKS_WITHIN_MILLISECONDS = 5_000
/** So many of each kind a rehearsal compares unless it is told. */
const REHEARSED = 1_000

/** `spree-bridge doctor`: is everything there that the bridge needs? Exit status 1 where something failed. */
export function addDoctorCommand(program: Command, print: Print, finish: (status: number) => void): void {
  program
    .command('doctor')
    .description('check everything that the bridge needs, and say for each failure how to mend it')
    .option('--config <file>', 'YAML file with settings; the environment wins')
    .option('--json', 'print data as JSON')
    .option('--webhook <url>', 'the address under which the hub reaches `web`; default: this machine')
    .option(
      '--against <url>',
      'compare instead what would be announced from this database, a copy of the store on another version',
    )
    .option('--limit <count>', 'with --against: so many of each kind', readLimit, REHEARSED)
    .action(async (options: DoctorOptions) => {
      const { settings } = commandSettings(options, ['databaseUrl'])
      if (options.against !== undefined) {
        const rehearsal = await rehearseUpgrade(settings, options.against, options.limit)
        print(options.json ? JSON.stringify(rehearsal) : formatRehearsal(rehearsal))
        return finish(isSame(rehearsal) ? 0 : 1)
      }
      const found: Finding[] = []
      for await (const finding of withPatient(settings, options.webhook)) {
        found.push(finding)
        if (!options.json) print(formatFinding(finding))
      }
      if (options.json) print(JSON.stringify(found))
      finish(found.some(({ state }) => state === 'failed') ? 1 : 0)
    })
}

async function* withPatient(
  settings: EffectiveSettings<'databaseUrl'>['settings'],
  webhook: string | undefined,
): AsyncGenerator<Finding> {
  const { databaseUrl, hubUrl, hubStoreId: storeId, hubToken: token } = settings
  const pool = createPool(databaseUrl, {
    applicationName: 'spree-bridge doctor',
    max: 2,
    answerWithinMilliseconds: ASKS_WITHIN_MILLISECONDS,
    onConnectionError: () => undefined,
  })
  const askHub = async () => {
    const set = hubUrl && storeId && token ? { hubUrl, storeId, token } : undefined
    const hub = set ?? (await notedHub(pool, settings))
    if (!hub) return undefined
    const { createClient } = await import('../push/create-client.ts') // as every command that needs an HTTP client
    const client = createClient(settings.hubDialect, {
      ...hub,
      installation: 'doctor',
      version: readVersion(),
      connections: 1,
      timeoutMilliseconds: ASKS_WITHIN_MILLISECONDS,
    })
    return client.probe(AbortSignal.timeout(ASKS_WITHIN_MILLISECONDS)).finally(() => client.close())
  }
  try {
    yield* examine({
      pool,
      databaseUrl,
      told: settings,
      listenUrl: settings.databaseListenUrl ?? databaseUrl,
      identity: () => identityOf(pool, settings),
      requireSchema: async () => requireSchema(pool, await codeVersion()),
      askHub,
      ordersAs: ordersAs(settings),
      appliesMessages: settings.webhookToken !== undefined,
      webhook: {
        address: webhook ?? `http://127.0.0.1:${settings.port ?? WEB_PORT}`,
        named: webhook !== undefined,
      },
    })
  } finally {
    await pool.end()
  }
}

/** As the worker finds it; of a database that does not answer another finding tells. */
async function notedHub(pool: Pool, settings: Settings) {
  if (namesAHub(settings)) return undefined
  const noted = await readAuguryEnvironment(pool).catch(() => undefined)
  return noted && { hubUrl: noted.url, storeId: noted.storeId, token: noted.token }
}

function ordersAs({ hubDialect, orders }: EffectiveSettings['settings']): string {
  if (hubDialect === 'wombat') return 'orders'
  return orders === 'generic' ? 'order:new' : 'order:persist'
}

async function rehearseUpgrade(
  settings: EffectiveSettings<'databaseUrl'>['settings'],
  thereUrl: string,
  limit: number,
): Promise<Rehearsal> {
  const pools: Pool[] = []
  const open = async (url: string, variable: string) => {
    const pool = createPool(url, {
      applicationName: 'spree-bridge doctor',
      max: 2,
      onConnectionError: () => undefined,
    })
    pools.push(pool)
    await reachDatabase(pool, url, variable)
    return { db: pool, store: await openStore(pool, settings) }
  }
  try {
    return await rehearse(
      await open(settings.databaseUrl, 'DATABASE_URL'),
      await open(thereUrl, '--against'),
      limit,
    )
  } finally {
    await Promise.all(pools.map((pool) => pool.end()))
  }
}

const SIGNS = { ok: 'ok', warning: 'warning', failed: 'FAILED' } as const

function formatFinding({ check, state, text, mend }: Finding): string {
  const indented = mend === null ? [] : mend.split('\n').map((line) => `${' '.repeat(27)}${line}`)
  return [`${SIGNS[state].padEnd(8)} ${check.padEnd(17)} ${text}`, ...indented].join('\n')
}
