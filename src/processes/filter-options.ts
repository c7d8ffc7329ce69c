import { type Command, InvalidArgumentError, Option } from 'commander'

import { OperatorError } from './exit.ts'
import { readLimit } from './read-limit.ts'
import type { CommonOptions } from './store-command.ts'

/** What `messages` and `inbox` can be asked for, besides ids. */
export type FilterOptions = CommonOptions &
  Readonly<{ state?: string[]; type?: string[]; since?: Date; until?: Date; error?: string; limit?: number }>

/** Adds those that both directions have. `states`: none where the command itself says in which it works. */
export function addFilterOptions(command: Command, states: readonly string[], limit?: number): Command {
  if (states.length > 0)
    command.addOption(new Option('--state <state...>', 'those in these states').choices(states))
  return command
    .option('--type <type...>', 'message types, e.g. stock:change')
    .option('--since <time>', 'made since then: 2026-11-26T08:00Z, or so long ago: 90m, 2h, 7d', readTime)
    .option('--until <time>', 'made before then', readTime)
    .option('--error <text>', 'whose last error contains this text')
    .option('--limit <number>', 'at most so many', readLimit, limit)
}

export function hasFilter({ state, type, since, until, error }: FilterOptions): boolean {
  return [state, type, since, until, error].some((value) => value !== undefined)
}

/** The conditions, as queue and inbox know them. */
export function conditionsOf(ids: readonly string[], { state, type, since, until, error }: FilterOptions) {
  return { ids: ids.length > 0 ? ids : undefined, states: state, types: type, since, until, error }
}

export type ActOptions = FilterOptions & Readonly<{ yes?: boolean; dryRun?: boolean }>

export function addActOptions(command: Command): Command {
  return command
    .option('--dry-run', 'only say how many there are')
    .option('--yes', 'do it without asking, to all that match')
}

/** Of an act on what matches: `decide` is called when ids were named, or somebody has agreed to the number. */
export async function decideCounted(
  asked: Readonly<{ verb: string; named: boolean; matched: number; options: ActOptions }>,
  decide: () => Promise<number>,
): Promise<Readonly<{ matched: number; count: number }>> {
  const { verb, named, options } = asked
  const matched = Math.min(asked.matched, options.limit ?? Number.POSITIVE_INFINITY)
  const matching = `${matched} ${matched === 1 ? 'message matches' : 'messages match'}.`
  if (options.dryRun || matched === 0) return { matched, count: 0 }
  if (!named && !options.yes) await askToAgree(verb, matched, matching)
  else if (!named) process.stderr.write(`${matching}\n`)
  return { matched, count: await decide() }
}

async function askToAgree(verb: string, matched: number, matching: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new OperatorError(
      `${matching} Nothing was done: add --yes to ${verb} ${matched === 1 ? 'it' : 'them'}.`,
      2,
    )
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(
    `${matching} ${verb[0]?.toUpperCase()}${verb.slice(1)} ${matched === 1 ? 'it' : 'them'}? [y/N] `,
  )
  terminal.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new OperatorError('Nothing was done.', 2)
}

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

export function readTime(text: string): Date {
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (number !== undefined && unit in UNITS)
    return new Date(Date.now() - Number(number) * UNITS[unit as keyof typeof UNITS] * 1_000)
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? new Date(text) : undefined
  if (time === undefined || Number.isNaN(time.getTime()))
    throw new InvalidArgumentError(
      'It must be a time, as 2026-11-26T08:00Z, or so long ago, as 90m, 2h or 7d.',
    )
  return time
}

/** How an act ended, for people or scripts. */
export function formatOutcome(
  { matched, count }: Readonly<{ matched: number; count: number }>,
  done: string,
  { json, dryRun }: ActOptions,
): string {
  if (json) return JSON.stringify({ matched, count })
  if (matched === 0) return 'No message matches.'
  const [number, verb] = dryRun
    ? [matched, `would be ${done}`]
    : [count, `${count === 1 ? 'is' : 'are'} ${done}`]
  return `${number} ${number === 1 ? 'message' : 'messages'} ${verb}.`
}
