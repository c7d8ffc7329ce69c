import { type Command, Option } from 'commander'

import { listUnmapped } from '../capture/unmapped.ts'
import { discardOutbound, retryOutbound } from '../operator/outbound.ts'
import type { Pool } from '../postgres/pool.ts'
import { BRIDGE_QUEUE } from '../queue/message.ts'
import {
  FINISHED_STATES,
  type ListedMessage,
  listMessages,
  type MessageFilter,
  parkMessages,
  QUEUED_STATES,
  showMessage,
} from '../queue/operate.ts'
import { OperatorError } from './exit.ts'
import { readLimit } from './read-limit.ts'
import { type CommonOptions, type Print, withStore } from './store-command.ts'
import { codeVersion, requireSchema } from './store-database.ts'

type FilterOptions = CommonOptions &
  Readonly<{ state?: string[]; type?: string[]; aggregate?: string; limit: number }>

/** `spree-bridge messages …`: what is on its way to the hub, and what became of it. */
export function addMessageCommands(program: Command, print: Print): void {
  const messages = program.command('messages').description('outbound messages')

  const command = (name: string, description: string) =>
    messages
      .command(name)
      .description(description)
      .option('--config <file>', 'YAML file with settings; the environment wins')
      .option('--json', 'print data as JSON')

  const filtered = (name: string, description: string, states: readonly string[]) =>
    command(name, description)
      .addOption(new Option('--state <state...>', 'messages in these states').choices(states))
      .option('--type <type...>', 'message types, e.g. order:persist')
      .option('--aggregate <aggregate>', 'one aggregate, e.g. order:17 or product:4')
      .option('--limit <number>', 'at most so many', readLimit, 100)

  filtered('list [ids...]', 'messages in the queue and in its history, the latest first', [
    ...QUEUED_STATES,
    ...FINISHED_STATES,
  ]).action((ids: string[], options: FilterOptions) =>
    onQueue(options, async (pool) => {
      const found = await listMessages(pool, BRIDGE_QUEUE, filterOf(ids, options))
      const unmapped = await listUnmapped(pool)
      if (options.json) return print(JSON.stringify(found))
      for (const message of found) print(formatMessage(message))
      for (const { aggregate, reason } of unmapped)
        print(`parked ${aggregate}: no message can be made of it. ${reason}`)
    }),
  )

  command('show <id>', 'one message with its payload').action((id: string, options: CommonOptions) =>
    onQueue(options, async (pool) => {
      refuseWrongId([id])
      const message = await showMessage(pool, BRIDGE_QUEUE, id)
      if (!message) throw new OperatorError(`There is no message ${id} in the queue or in its history.`, 1)
      print(options.json ? JSON.stringify(message) : `${formatMessage(message)}\n${message.payload}`)
    }),
  )

  filtered(
    'retry [ids...]',
    'parked and failing messages, and what could not be mapped, are due at once',
    QUEUED_STATES,
  ).action((ids: string[], options: FilterOptions) =>
    onQueue(options, async (pool) => {
      report(await retryOutbound(pool, filterOf(ids, options)), 'put back to be sent', options)
    }),
  )

  filtered('park [ids...]', 'messages wait for a person', QUEUED_STATES).action(
    (ids: string[], options: FilterOptions) =>
      onQueue(options, async (pool) => {
        refuseAll('park', ids, options)
        report(await parkMessages(pool, BRIDGE_QUEUE, filterOf(ids, options)), 'parked', options)
      }),
  )

  filtered(
    'discard [ids...]',
    'messages are closed unsent; the next change announces anew',
    QUEUED_STATES,
  ).action((ids: string[], options: FilterOptions) =>
    onQueue(options, async (pool) => {
      refuseAll('discard', ids, options)
      report(await discardOutbound(pool, filterOf(ids, options)), 'discarded', options)
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

function onQueue(options: CommonOptions, work: (pool: Pool) => Promise<void>): Promise<void> {
  return withStore(options, async ({ pool }) => {
    await requireSchema(pool, await codeVersion())
    await work(pool)
  })
}

/** Without any filter these would take everything: that has to be said. */
function refuseAll(verb: string, ids: readonly string[], { state, type, aggregate }: FilterOptions): void {
  if (ids.length > 0 || state || type || aggregate) return
  throw new OperatorError(
    `messages ${verb} needs ids or a filter (--state, --type, --aggregate): see --help.`,
    2,
  )
}

function filterOf(ids: readonly string[], options: FilterOptions): MessageFilter {
  refuseWrongId(ids)
  return {
    ids: ids.length > 0 ? ids : undefined,
    states: options.state,
    types: options.type,
    aggregate: options.aggregate,
    limit: options.limit,
  }
}

function refuseWrongId(ids: readonly string[]): void {
  const wrong = ids.find((id) => !/^\d{1,18}$/.test(id))
  if (wrong !== undefined)
    throw new OperatorError(`${wrong} is no message id: ids are numbers, see \`messages list\`.`, 2)
}

function formatMessage(message: ListedMessage): string {
  const { id, state, type, aggregate, attempts, createdAt, lastError, answer } = message
  const tail = state === 'done' ? ` → ${answer}` : lastError ? `  ${lastError}` : ''
  return `${id.padStart(8)}  ${createdAt.toISOString()}  ${state.padEnd(10)} ${type.padEnd(16)} ${aggregate.padEnd(16)} ${attempts} attempts${tail}`
}
