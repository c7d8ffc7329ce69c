import type { Command } from 'commander'

import type { Handlers } from '../apply/handlers.ts'
import {
  countFailed,
  discardInbox,
  type InboxMessage,
  listInbox,
  showInbox,
  type WholeMessage,
} from '../apply/inbox-messages.ts'
import { INBOX_STATES } from '../apply/inbox-row.ts'
import { type Deciding, decideInbound, retryInbound } from '../operator/inbound.ts'
import { refuseCopy, refuseUninstalled } from '../postgres/installation.ts'
import type { Pool } from '../postgres/pool.ts'
import { openStore } from '../store/store.ts'
import { OperatorError } from './exit.ts'
import {
  type ActOptions,
  addActOptions,
  addFilterOptions,
  conditionsOf,
  decideCounted,
  type FilterOptions,
  formatOutcome,
  hasFilter,
} from './filter-options.ts'
import { shapeOf } from './shape-of.ts'
import { type CommonOptions, type Print, type StoreContext, withStore } from './store-command.ts'
import { codeVersion, identityOf, requireSchema } from './store-database.ts'

const LISTED = 100

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

  const filtered = (name: string, description: string, states: readonly string[], limit?: number) =>
    addFilterOptions(command(name, description), states, limit)

  filtered('list [ids...]', 'messages that came in, the latest first', INBOX_STATES, LISTED).action(
    (ids: string[], options: FilterOptions) =>
      onInbox(options, async ({ pool }) => {
        const found = await listed(pool, ids, options)
        if (options.json) return print(JSON.stringify(found))
        for (const message of found) print(formatMessage(message))
      }),
  )

  filtered('show [ids...]', 'messages with their payloads and last answers', INBOX_STATES, LISTED).action(
    (ids: string[], options: FilterOptions) =>
      onInbox(options, async ({ pool }) => {
        const [id] = ids
        if (ids.length === 1 && id !== undefined && !hasFilter(options)) return showOne(pool, id, options)
        refuseAll('show', ids, options)
        const shown = []
        for (const { id: found } of await listed(pool, ids, options)) {
          const message = await showInbox(pool, found)
          if (message && options.json) shown.push(message)
          else if (message) print(formatWhole(message))
        }
        if (options.json) print(JSON.stringify(shown))
      }),
  )

  addActOptions(filtered('retry [ids...]', 'failed messages are applied now', [])).action(
    (ids: string[], options: ActOptions) =>
      onInbox(options, async (context) => {
        let failed = 0
        const outcome = await decide('retry', context.pool, ids, options, async (deciding) => {
          const again = await retryOf(context, handlers)
          const { seen, count } = await decideInbound(context.pool, deciding, async (messages) => {
            let applied = 0
            for (const { id } of messages) if (await again(id)) applied += 1
            return applied
          })
          failed = seen - count
          return count
        })
        print(formatOutcome(outcome, 'applied', options))
        if (failed === 0) return
        process.stderr.write(`${failed} failed again: \`inbox list --state failed\` tells why.\n`)
        finish(1)
      }),
  )

  addActOptions(
    filtered('discard [ids...]', 'failed messages are closed: a repeat is answered 200 and not applied', []),
  ).action((ids: string[], options: ActOptions) =>
    onInbox(options, async ({ pool }) => {
      refuseAll('discard', ids, options)
      const outcome = await decide('discard', pool, ids, options, async (deciding) => {
        const { count } = await decideInbound(pool, deciding, (messages) => discardInbox(pool, messages))
        return count
      })
      print(formatOutcome(outcome, 'discarded', options))
    }),
  )

  async function showOne(pool: Pool, id: string, { json }: CommonOptions): Promise<void> {
    const message = await showInbox(pool, id)
    if (!message) throw new OperatorError(`There is no message ${id} in the inbox.`, 1)
    print(json ? JSON.stringify(message) : formatWhole(message))
  }
}

function listed(pool: Pool, ids: readonly string[], options: FilterOptions): Promise<InboxMessage[]> {
  return listInbox(pool, { ...conditionsOf(ids, options), limit: options.limit ?? LISTED })
}

async function decide(
  verb: string,
  pool: Pool,
  ids: readonly string[],
  options: ActOptions,
  act: (deciding: Deciding) => Promise<number>,
): Promise<Readonly<{ matched: number; count: number }>> {
  const filter = conditionsOf(ids, options)
  const { count: matched, upTo } = await countFailed(pool, filter)
  return decideCounted({ verb, named: ids.length > 0, matched, options }, () =>
    act({ filter, upTo, most: options.limit }),
  )
}

function refuseAll(verb: string, ids: readonly string[], options: FilterOptions): void {
  if (ids.length > 0 || hasFilter(options)) return
  throw new OperatorError(
    `inbox ${verb} needs ids or a filter (--type, --since, --until, --error): see --help.`,
    2,
  )
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
  const store = await openStore(pool, settings)
  const shape = await shapeOf(settings, settings.transformBudgetMs)
  return (id) => retryInbound({ pool, store, handlers, shape, log }, id)
}

function formatWhole(message: WholeMessage): string {
  const { payload, status, answer, looksLike: other } = message
  const beside = other
    ? `\nlooks like ${other.id}  ${other.messageId}, applied at ${other.changedAt.toISOString()}:\n${other.payload}`
    : ''
  return `${formatMessage(message)}\n${payload}\n${status} ${answer}${beside}`
}

function formatMessage(message: InboxMessage): string {
  const { id, receivedAt, state, type, messageId, attempts, repeats, lastError } = message
  const tail = lastError === null ? '' : `  ${lastError}`
  return `${id.padStart(8)}  ${receivedAt.toISOString()}  ${state.padEnd(9)} ${type.padEnd(16)} ${messageId.padEnd(24)} ${attempts} attempts, ${repeats} repeats${tail}`
}
