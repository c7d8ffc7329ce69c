import { Command } from 'commander'

import type { Handlers } from '../apply/handlers.ts'
import { describeSettings } from '../config/describe-settings.ts'
import { adoptStore } from '../operator/adopt-store.ts'
import { formatStatus, readStatus } from '../operator/show-status.ts'
import { uninstallStore } from '../operator/uninstall-store.ts'
import type { Pool } from '../postgres/pool.ts'
import { addBackfillCommand } from './backfill-command.ts'
import { addDeliverCommand } from './deliver-command.ts'
import { addDoctorCommand } from './doctor-command.ts'
import { addEraseCommand } from './erase-command.ts'
import { OperatorError } from './exit.ts'
import { addInboxCommands } from './inbox-commands.ts'
import { LEASE_MILLISECONDS } from './lease.ts'
import { addMessageCommands } from './message-commands.ts'
import { addMigrateCommand } from './migrate-command.ts'
import { HUB_PORT, WEB_PORT } from './ports.ts'
import { addPushCommand } from './push-command.ts'
import { addReconcileCommand } from './reconcile-command.ts'
import { addSamplesCommand } from './samples-command.ts'
import { shapingOf } from './shape-of.ts'
import {
  type CommonOptions,
  commandSettings,
  type Print,
  settingsFor,
  withNamedStore,
  withStore,
} from './store-command.ts'
import { codeVersion, identityOf, requireSchema } from './store-database.ts'
import { readVersion } from './version.ts'
import { workerSettings } from './worker-settings.ts'

/** The program `spree-bridge`. `finish` receives the exit status of commands that have one of their own. */
export function createProgram(print: Print, finish: (status: number) => void, handlers: Handlers): Command {
  const program = new Command('spree-bridge')
    .description('Announces every change of a Spree or Solidus store to a hub, once and in order.')
    .version(readVersion())
    .showHelpAfterError(
      '`spree-bridge --help` lists the commands, `spree-bridge <command> --help` their options.',
    )
    // After a command, options are its own: `samples --version 6.0` asks for no version of ours.
    .enablePositionalOptions()
    .exitOverride()

  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option('--config <file>', 'YAML file with settings; the environment wins')
      .option('--json', 'print data as JSON')

  // The other commands start in half the time without HTTP client and server.
  const worker = async (options: CommonOptions) => {
    const { runParts, WORKER_GARBAGE_PERCENT, workerPart } = await import('./run-parts.ts')
    const settings = await workerSettings(options)
    finish(await runParts([workerPart(settings)], settings, WORKER_GARBAGE_PERCENT))
  }
  const web = async (options: CommonOptions) => {
    const { hubPartIfSet, runParts, webPart } = await import('./run-parts.ts')
    const { settings } = settingsFor(options, ['databaseUrl'])
    const parts = [webPart(settings, handlers), ...hubPartIfSet(settings)]
    finish(await runParts(parts, { ...settings, port: settings.port ?? WEB_PORT }))
  }
  const start = async (options: CommonOptions) => {
    const effective = settingsFor(options, [])
    if (effective.settings.databaseUrl === undefined) {
      const { runDemo } = await import('./run-demo.ts')
      return finish(await runDemo(effective, print))
    }
    const { hubPartIfSet, runParts, webPart, workerPart } = await import('./run-parts.ts')
    const settings = await workerSettings(options)
    const parts = [workerPart(settings), webPart(settings, handlers), ...hubPartIfSet(settings)]
    finish(await runParts(parts, { ...settings, port: settings.port ?? WEB_PORT }))
  }
  const hub = async (options: CommonOptions) => {
    const { hubPart, runParts } = await import('./run-parts.ts')
    const { settings } = settingsFor(options, ['hubDatabaseUrl'])
    const { hubAdminToken: operatorToken, port = HUB_PORT } = settings
    finish(await runParts([hubPart(settings)], { ...settings, port, operatorToken }))
  }
  command('worker', 'capture and delivery: outbox → hub; any number may run side by side').action(worker)
  command('web', 'the webhook: hub → store, health and metrics; any number may run side by side').action(web)
  command('start', 'worker and web in one process; without DATABASE_URL the demo').action(start)
  command('hub', 'the hub: takes messages, routes and delivers them; any number may run side by side').action(
    hub,
  )

  addMigrateCommand(program, print)
  addDoctorCommand(program, print, finish)

  command('uninstall', 'remove the triggers: the store is as before')
    .option('--purge', 'drop schema bridge as well, with all that waits in it')
    .action((options: CommonOptions & { purge?: boolean }) =>
      withNamedStore(options, async ({ pool }) => {
        const { tables, purged } = await uninstallStore(pool, options.purge ?? false)
        if (options.json) return print(JSON.stringify({ tables, purged }))
        print(
          tables.length === 0
            ? 'There were no triggers of ours.'
            : `Removed the triggers of ${tables.join(', ')}.`,
        )
        if (purged) print('Dropped schema bridge.')
      }),
    )

  command('adopt', 'after a copy or restore of the database: make it this installation’s own')
    .option('--fresh', 'drop what waits and what was announced')
    .option('--keep', 'take over what waits and what was announced')
    .action((options: CommonOptions & { fresh?: boolean; keep?: boolean }) =>
      withNamedStore(options, async ({ pool, settings }) => {
        if (options.fresh === options.keep) {
          throw new OperatorError(
            'adopt needs either --fresh (a copy that shall live on its own) or --keep (the same store, moved).',
            2,
          )
        }
        await requireSchema(pool, await codeVersion())
        await adoptStore(pool, await identityOf(pool, settings), options.fresh ? 'fresh' : 'keep')
        print(options.json ? JSON.stringify({ adopted: true }) : 'This database is adopted.')
      }),
    )

  command('status', 'lag, backlog by state, parked, gaps, and each worker')
    .option('--watch', 'show it anew every second')
    .action((options: CommonOptions & { watch?: boolean }) =>
      withStore(options, async ({ pool }) => {
        await requireSchema(pool, await codeVersion())
        for (;;) {
          const status = await readStatus(pool, LEASE_MILLISECONDS / 1_000)
          print(options.json ? JSON.stringify(status) : formatStatus(status))
          if (!options.watch) return finish(status.workers.some(({ alive }) => alive) ? 0 : 1)
          await new Promise((resolve) => setTimeout(resolve, 1_000))
        }
      }),
    )

  command('config', 'print the effective configuration and its sources, secrets hidden').action(
    async (options: CommonOptions) => {
      const effective = commandSettings(options, [])
      await shapingOf(effective.settings)
      const rows = describeSettings(effective)
      if (options.json) return print(JSON.stringify(rows))
      for (const { name, value, source } of rows)
        print(`${name.padEnd(22)} ${String(value ?? '-').padEnd(48)} ${source}`)
    },
  )

  command('sql <statement>', "run a statement in the store's database").action(
    (statement: string, options: CommonOptions) =>
      withStore(options, async ({ pool }) => {
        for (const { rows, rowCount } of await runStatements(pool, statement))
          if (rows.length === 0)
            print(options.json ? '[]' : rowCount === 1 ? '1 row' : `${rowCount ?? 0} rows`)
          else if (options.json) print(JSON.stringify(rows))
          else for (const row of rows) print(JSON.stringify(row))
      }),
  )

  addBackfillCommand(program, print, finish)
  addReconcileCommand(program, print, finish)
  addMessageCommands(program, print, finish)
  addInboxCommands(program, print, finish, handlers)
  addDeliverCommand(program, print, finish, handlers)
  addPushCommand(program, print, finish)
  addEraseCommand(program, print, finish)
  addSamplesCommand(program, print)
  return program
}

/** The statements are the person's own: what the server says of them is the answer. Of several, pg has a list of results. */
async function runStatements(pool: Pool, text: string) {
  try {
    return [await pool.query(text)].flat()
  } catch (error) {
    throw new OperatorError(error instanceof Error ? error.message : String(error), 1)
  }
}
