import { Argument, type Command, InvalidArgumentError } from 'commander'

import { type BackfillEnd, backfillStore, countBackfill } from '../capture/backfill.ts'
import { ConditionError, ENTITIES, type Entity } from '../store/roots.ts'
import { openStore } from '../store/store.ts'
import { OperatorError } from './exit.ts'
import { readTime } from './filter-options.ts'
import { createProgressLine } from './progress-line.ts'
import { type CommonOptions, type Print, withStore } from './store-command.ts'
import { codeVersion, requireSchema } from './store-database.ts'

type BackfillOptions = CommonOptions &
  Readonly<{
    since?: Readonly<{ text: string; at: Date }>
    where?: string
    dryRun?: boolean
    restart?: boolean
  }>

/** `spree-bridge backfill`: what is there is told to those who know nothing of it. Exit status 1 where it is not done. */
export function addBackfillCommand(program: Command, print: Print, finish: (status: number) => void): void {
  program
    .command('backfill')
    .description(
      'announce what is there: products as product:new, stock as stock:actual, customers as user:new, orders as order:persist, stock transfers; the same command goes on where it was stopped',
    )
    .addArgument(new Argument('<entity...>', `of ${ENTITIES.join(', ')}`).choices(ENTITIES))
    .option('--since <time>', 'changed since then: 2026-11-26T08:00Z, or so long ago: 90m, 2h, 7d', readSince)
    .option(
      '--where <condition>',
      'an SQL condition on the columns of the table of the entity: spree_products, spree_variants (stock), spree_orders, …',
      readCondition,
    )
    .option('--dry-run', 'only say how many there are')
    .option('--restart', 'begin anew, also what is done')
    .option('--config <file>', 'YAML file with settings; the environment wins')
    .option('--json', 'print data as JSON')
    .action((named: readonly Entity[], options: BackfillOptions) =>
      withStore(options, async ({ pool, log }) => {
        await requireSchema(pool, await codeVersion())
        const asked = {
          pool,
          store: await openStore(pool),
          entities: ENTITIES.filter((entity) => named.includes(entity)),
          since: options.since,
          condition: options.where,
        }
        if (options.dryRun) {
          const counts = await explained(countBackfill(asked))
          if (options.json) return print(JSON.stringify({ dryRun: true, entities: counts }))
          return print(counts.map(({ entity, count }) => `${entity.padEnd(15)} ${count}`).join('\n'))
        }
        const progress = createProgressLine(process.stderr, log)
        const stopping = new AbortController()
        const stop = () => stopping.abort()
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
        try {
          const ends = await explained(
            backfillStore({
              ...asked,
              restart: options.restart ?? false,
              signal: stopping.signal,
              onProgress: ({ entity, asked: done, expected }, waitsFor) =>
                progress.show({ what: entity, done, of: expected, waitsFor }),
            }),
          )
          progress.end()
          print(
            options.json ? JSON.stringify({ dryRun: false, entities: ends }) : ends.map(formatEnd).join('\n'),
          )
          finish(ends.every(({ unfinished }) => unfinished === null) ? 0 : 1)
        } finally {
          for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
        }
      }),
    )
}

function readSince(text: string) {
  return { text, at: readTime(text) }
}

function readCondition(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must be an SQL condition.')
  return text
}

/** The condition is the person's own: what the server says of it is the answer. */
async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ConditionError)
      throw new OperatorError(`The condition of --where cannot be used: ${error.message}.`, 2)
    throw error
  }
}

function formatEnd({ entity, asked, expected, before, unfinished }: BackfillEnd): string {
  const name = entity.padEnd(15)
  if (before !== null)
    return `${name} was done at ${before.toISOString()}, ${asked} asked for: --restart does it again`
  return unfinished === null
    ? `${name} ${asked} on the way to be announced`
    : `${name} ${asked} of ${expected} asked for, then ${unfinished}: the same command goes on`
}
