import { type Command, Option } from 'commander'

import type { Handlers } from '../apply/handlers.ts'
import {
  discardInbox,
  type InboxFilter,
  type InboxMessage,
  listInbox,
  showInbox,
} from '../apply/inbox-messages.ts'
import { INBOX_STATES } from '../apply/inbox-row.ts'
import { retryInbound } from '../operator/inbound.ts'
import { refuseCopy, refuseUninstalled } from '../postgres/installation.ts'
import { openStore } from '../store/store.ts'
import { OperatorError } from './exit.ts'
import { readLimit } from './read-limit.ts'
import { type CommonOptions, type Print, type StoreContext, withStore } from './store-command.ts'
import { codeVersion, identityOf, requireSchema } from './store-database.ts'

type FilterOptions = CommonOptions & Readonly<{ state?: string[]; type?: string[]; limit: number }>

/** `spree-bridge inbox …`: what came in from the hub, and what became of it. Ids are the inbox's numbers or the hub's ids. */
export function addInboxCommands(
  program: Command,
  print: Print,
  finish: (status: number) => void,
  handlers: Handlers,
): void {
  const inbox = program.command('inbox').description('inbound messages')

  const command = (name: string, description: string) =>
    inbox
      .command(name)
      .description(description)
      .option('--config <file>', 'YAML file with settings; the environment wins')
      .option('--json', 'print data as JSON')

  const filtered = (name: string, description: string) =>
    command(name, description)
      .option('--type <type...>', 'message types, e.g. stock:change')
      .option('--limit <number>', 'at most so many', readLimit, 100)

  filtered('list [ids...]', 'messages that came in, the latest first')
    .addOption(new Option('--state <state...>', 'messages in these states').choices(INBOX_STATES))
    .action((ids: string[], options: FilterOptions) =>
      onInbox(options, async ({ pool }) => {
        const found = await listInbox(pool, filterOf(ids, options))
        if (options.json) return print(JSON.stringify(found))
        for (const message of found) print(formatMessage(message))
      }),
    )

  command('show <id>', 'one message with its payload and its last answer').action(
    (id: string, options: CommonOptions) =>
      onInbox(options, async ({ pool }) => {
        const message = await showInbox(pool, id)
        if (!message) throw new OperatorError(`There is no message ${id} in the inbox.`, 1)
        if (options.json) return print(JSON.stringify(message))
        print(`${formatMessage(message)}\n${message.payload}\n${message.status} ${message.answer}`)
      }),
  )

  filtered('retry [ids...]', 'failed messages are applied now').action(
    (ids: string[], options: FilterOptions) =>
      onInbox(options, async (context) => {
        const found = await listInbox(context.pool, { ...filterOf(ids, options), states: ['failed'] })
        const again = await retryOf(context, handlers)
        let applied = 0
        // In the order in which they came.
        for (const { id } of found.reverse()) if (await again(id)) applied += 1
        report(applied, 'applied', options)
        const failed = found.length - applied
        if (failed === 0) return
        process.stderr.write(`${failed} failed again: \`inbox list --state failed\` tells why.\n`)
        finish(1)
      }),
  )

  filtered('discard [ids...]', 'failed messages are closed: a repeat is answered 200 and not applied').action(
    (ids: string[], options: FilterOptions) =>
      onInbox(options, async ({ pool }) => {
        if (ids.length === 0 && !options.type)
          throw new OperatorError('inbox discard needs ids or --type: see --help.', 2)
        report(await discardInbox(pool, filterOf(ids, options)), 'discarded', options)
      }),
  )

  function report(count: number, verb: string, options: CommonOptions): void {
    print(
      options.json
        ? JSON.stringify({ count })
        : `${count} ${count === 1 ? 'message is' : 'messages are'} ${verb}.`,
    )
  }
}

function onInbox(options: CommonOptions, work: (context: StoreContext) => Promise<void>): Promise<void> {
  return withStore(options, async (context) => {
    await requireSchema(context.pool, await codeVersion())
    await work(context)
  })
}

/** Of a store that is this installation's own. */
async function retryOf(
  { pool, settings, log }: StoreContext,
  handlers: Handlers,
): Promise<(id: string) => Promise<boolean>> {
  await refuseUninstalled(pool)
  await refuseCopy(pool, await identityOf(pool, settings))
  const store = await openStore(pool)
  return (id) => retryInbound({ pool, store, handlers, log }, id)
}

function filterOf(ids: readonly string[], { state, type, limit }: FilterOptions): InboxFilter {
  return { ids: ids.length > 0 ? ids : undefined, states: state, types: type, limit }
}

function formatMessage(message: InboxMessage): string {
  const { id, receivedAt, state, type, messageId, attempts, repeats, lastError } = message
  const tail = lastError === null ? '' : `  ${lastError}`
  return `${id.padStart(8)}  ${receivedAt.toISOString()}  ${state.padEnd(9)} ${type.padEnd(16)} ${messageId.padEnd(24)} ${attempts} attempts, ${repeats} repeats${tail}`
}
