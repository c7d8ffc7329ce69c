import type { Command } from 'commander'

import { listUnmapped } from '../capture/unmapped.ts'
import type { Settings } from '../config/settings.ts'
import { OBJECT_TYPES } from '../messages/message.ts'
import { concernedOutbound, decideOutbound } from '../operator/outbound.ts'
import type { Pool } from '../postgres/pool.ts'
import {
  FINISHED_STATES,
  type ListedMessage,
  listMessages,
  type MessageFilter,
  QUEUED_STATES,
  showMessage,
} from '../queue/look.ts'
import { BRIDGE_QUEUE } from '../queue/message.ts'
import { listPaused, pauseTypes, resumeTypes } from '../queue/pause.ts'
import { OperatorError } from './exit.ts'
import {
  type ActOptions,
  addActOptions,
  addFilterOptions,
  conditionsOf,
  decideCounted,
  type FilterOptions as Filters,
  formatOutcome,
  hasFilter,
} from './filter-options.ts'
import { addPreviewCommand } from './preview-command.ts'
import { type CommonOptions, type Print, withStore } from './store-command.ts'
import { codeVersion, requireSchema } from './store-database.ts'

type FilterOptions = Filters & Readonly<{ aggregate?: string }>

const LISTED = 100

/** `spree-bridge messages …`: what is on its way to the hub, and what became of it. */
export function addMessageCommands(program: Command, print: Print, finish: (status: number) => void): void {
  const messages = program.command('messages').description('outbound messages')

  const command = (name: string, description: string) =>
    messages
      .command(name)
      .description(description)
      .option('--config <file>', 'YAML file with settings; the environment wins')
      .option('--json', 'print data as JSON')

  const filtered = (name: string, description: string, states: readonly string[], limit?: number) =>
    addFilterOptions(command(name, description), states, limit).option(
      '--aggregate <aggregate>',
      'one aggregate, e.g. order:17 or product:4',
    )

  const ALL_STATES = [...QUEUED_STATES, ...FINISHED_STATES]

  filtered(
    'list [ids...]',
    'messages in the queue and in its history, the latest first',
    ALL_STATES,
    LISTED,
  ).action((ids: string[], options: FilterOptions) =>
    onQueue(options, async (pool) => {
      const found = await listed(pool, ids, options)
      if (options.json) return print(JSON.stringify(found))
      for (const message of found) print(formatMessage(message))
      if (ids.length > 0 || hasCondition(options)) return
      for (const { aggregate, reason } of await listUnmapped(pool))
        print(`parked ${aggregate}: no message can be made of it. ${reason}`)
    }),
  )

  filtered('show [ids...]', 'messages with their payloads', ALL_STATES, LISTED).action(
    (ids: string[], options: FilterOptions) =>
      onQueue(options, async (pool) => {
        const [id] = ids
        if (ids.length === 1 && id !== undefined && !hasCondition(options)) return showOne(pool, id, options)
        refuseAll('show', ids, options)
        const shown = []
        for (const { id: found } of await listed(pool, ids, options)) {
          const message = await showMessage(pool, BRIDGE_QUEUE, found)
          if (message && options.json) shown.push(message)
          else if (message) print(`${formatMessage(message)}\n${message.payload}`)
        }
        if (options.json) print(JSON.stringify(shown))
      }),
  )

  const act = (name: 'retry' | 'park' | 'discard', description: string, done: string) =>
    addActOptions(filtered(`${name} [ids...]`, description, QUEUED_STATES)).action(
      (ids: string[], options: FilterOptions & ActOptions) =>
        onQueue(options, async (pool) => {
          // Without any condition these would take everything that waits: that has to be said.
          if (name !== 'retry') refuseAll(name, ids, options)
          const filter = filterOf(ids, options)
          const { count: matched, upTo } = await concernedOutbound(pool, name, filter)
          const outcome = await decideCounted({ verb: name, named: ids.length > 0, matched, options }, () =>
            decideOutbound(pool, name, filter, upTo, options.limit),
          )
          print(formatOutcome(outcome, done, options))
        }),
    )

  act(
    'retry',
    'parked and failing messages, and what could not be mapped, are due at once',
    'put back to be sent',
  )
  act('park', 'messages wait for a person', 'parked')
  act(
    'discard',
    'messages are closed unsent; the next change announces anew, but for the pieces of a stock:change',
    'discarded',
  )

  const pausing = (
    name: string,
    description: string,
    change: (pool: Pool, types: readonly string[]) => Promise<void>,
  ) =>
    command(`${name} <types...>`, description).action((types: string[], options: CommonOptions) =>
      onQueue(options, async (pool, { hubDialect }) => {
        const known = new Set((await listPaused(pool, BRIDGE_QUEUE)).map(({ type }) => type))
        refuseWrongType(
          types.filter((type) => !known.has(type)),
          hubDialect,
        )
        await change(pool, types)
        const paused = await listPaused(pool, BRIDGE_QUEUE)
        if (options.json) print(JSON.stringify({ paused: paused.map(({ type }) => type) }))
        else if (paused.length === 0) print('No type is paused.')
        else print(`Paused: ${paused.map(({ type }) => type).join(', ')}.`)
      }),
    )

  pausing(
    'pause',
    'messages of these types wait, and what follows in their aggregates waits behind them, until `resume`',
    (pool, types) => pauseTypes(pool, BRIDGE_QUEUE, types),
  )
  pausing('resume', 'messages of these types go out again, in order', (pool, types) =>
    resumeTypes(pool, BRIDGE_QUEUE, types),
  )

  addPreviewCommand(messages, print, finish)

  async function showOne(pool: Pool, id: string, { json }: CommonOptions): Promise<void> {
    refuseWrongId([id])
    const message = await showMessage(pool, BRIDGE_QUEUE, id)
    if (!message) throw new OperatorError(`There is no message ${id} in the queue or in its history.`, 1)
    print(json ? JSON.stringify(message) : `${formatMessage(message)}\n${message.payload}`)
  }
}

function onQueue(
  options: CommonOptions,
  work: (pool: Pool, settings: Settings) => Promise<void>,
): Promise<void> {
  return withStore(options, async ({ pool, settings }) => {
    await requireSchema(pool, await codeVersion())
    await work(pool, settings)
  })
}

function listed(pool: Pool, ids: readonly string[], options: FilterOptions): Promise<ListedMessage[]> {
  return listMessages(pool, BRIDGE_QUEUE, { ...filterOf(ids, options), limit: options.limit ?? LISTED })
}

function hasCondition(options: FilterOptions): boolean {
  return hasFilter(options) || options.aggregate !== undefined
}

function refuseAll(verb: string, ids: readonly string[], options: FilterOptions): void {
  if (ids.length > 0 || hasCondition(options)) return
  throw new OperatorError(
    `messages ${verb} needs ids or a filter (--state, --type, --aggregate, --since, --until, --error): see --help.`,
    2,
  )
}

function filterOf(ids: readonly string[], options: FilterOptions): MessageFilter {
  refuseWrongId(ids)
  return { ...conditionsOf(ids, options), aggregate: options.aggregate }
}

function refuseWrongId(ids: readonly string[]): void {
  const wrong = ids.find((id) => !/^\d{1,18}$/.test(id))
  if (wrong !== undefined)
    throw new OperatorError(`${wrong} is no message id: ids are numbers, see \`messages list\`.`, 2)
}

/** What the hub's dialect has no such types of, would be paused for nothing. */
function refuseWrongType(types: readonly string[], hubDialect: Settings['hubDialect']): void {
  const objects: readonly string[] = OBJECT_TYPES
  const [isOne, those] =
    hubDialect === 'wombat'
      ? [(type: string) => objects.includes(type), objects.join(', ')]
      : [(type: string) => /^[\w-]+:[\w-]+$/.test(type), 'like order:persist']
  const wrong = types.find((type) => !isOne(type))
  if (wrong !== undefined)
    throw new OperatorError(
      `${wrong} is no message type where HUB_DIALECT is ${hubDialect}: those are ${those}.`,
      2,
    )
}

function formatMessage(message: ListedMessage): string {
  const { id, state, type, aggregate, attempts, createdAt, lastError, answer } = message
  const tail = state === 'done' ? ` → ${answer}` : lastError ? `  ${lastError}` : ''
  return `${id.padStart(8)}  ${createdAt.toISOString()}  ${state.padEnd(10)} ${type.padEnd(16)} ${aggregate.padEnd(16)} ${attempts} attempts${tail}`
}
