import type { Command } from 'commander'

import { migrateHub, previewHubMigration } from '../operator/migrate-hub.ts'
import { migrateStore, previewMigration } from '../operator/migrate-store.ts'
import { openStore } from '../store/store.ts'
import { hubMigrations } from './hub-database.ts'
import { type CommonOptions, type Print, withNamedHub, withNamedStore } from './store-command.ts'
import { bridgeMigrations, identityOf } from './store-database.ts'

type MigrateOptions = CommonOptions & { hub?: boolean; dryRun?: boolean }

/** `spree-bridge migrate`: the bridge's schema and its triggers in the store's database, or the hub's schema in its own. */
export function addMigrateCommand(program: Command, print: Print): void {
  program
    .command('migrate')
    .description('create or update schema bridge in the store database and its triggers')
    .option('--hub', "the hub's schema in HUB_DATABASE_URL instead")
    .option('--dry-run', 'print the SQL instead of running it')
    .option('--config <file>', 'YAML file with settings; the environment wins')
    .option('--json', 'print data as JSON')
    .action((options: MigrateOptions) => (options.hub ? hub(options, print) : store(options, print)))
}

function store(options: MigrateOptions, print: Print): Promise<void> {
  return withNamedStore(options, async ({ pool, settings }) => {
    const input = {
      pool,
      store: await openStore(pool, settings),
      migrations: await bridgeMigrations(),
      identity: await identityOf(pool, settings),
    }
    if (options.dryRun) return print(await previewMigration(input))
    const done = await migrateStore(input)
    if (options.json) return print(JSON.stringify(done))
    const changed = [...done.applied, ...done.tables.map((table) => `triggers on ${table}`)]
    print(
      changed.length === 0
        ? 'Nothing to do: schema and triggers are up to date.'
        : `Done: ${changed.join(', ')}.`,
    )
  })
}

function hub(options: MigrateOptions, print: Print): Promise<void> {
  return withNamedHub(options, async ({ pool }) => {
    const migrations = await hubMigrations()
    if (options.dryRun) return print(await previewHubMigration(pool, migrations))
    const applied = await migrateHub(pool, migrations)
    if (options.json) return print(JSON.stringify({ applied }))
    print(applied.length === 0 ? 'Nothing to do: the schema is up to date.' : `Done: ${applied.join(', ')}.`)
  })
}
