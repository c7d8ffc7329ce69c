import { RE2JS } from 're2js'
import { z } from 'zod'

import { parsePath, valuesAt } from './path.ts'

/** Whether one target passes, by the filter's value; both as the protocol's table has them (§4.2). */
const OPERATORS = {
  eq: (value) => (target) => textOf(target) === value,
  neq: (value) => (target) => textOf(target) !== value,
  gt: (value) => (target) => floatOf(target) > floatOf(value),
  lt: (value) => (target) => floatOf(target) < floatOf(value),
  begin: (value) => (target) => textOf(target).startsWith(value),
  contains: (value) => (target) => textOf(target).includes(value),
  end: (value) => (target) => textOf(target).endsWith(value),
  present: () => isPresent,
  empty: () => (target) => !isPresent(target),
  match: (value) => {
    const pattern = compilePattern(value)
    return (target) => pattern.matcher(textOf(target)).find()
  },
} satisfies Record<string, (value: string) => (target: unknown) => boolean>

type Operator = keyof typeof OPERATORS

export const FILTER_OPERATORS = Object.keys(OPERATORS) as [Operator, ...Operator[]]

const WITHOUT_VALUE: readonly string[] = ['present', 'empty']

/** What a filter is made of. Paths go from the root of the message: `payload.sku`. */
export const filterParts = {
  path: z.string(),
  operator: z.enum(FILTER_OPERATORS),
  value: z.string().optional(),
  match_rule: z.enum(['all', 'any']).optional(),
}

export type Filter = Readonly<z.infer<z.ZodObject<typeof filterParts>>>

/** What is wrong with a filter although each of its parts is right; undefined where nothing is. */
export function faultOf({ operator, value }: Filter): string | undefined {
  if (WITHOUT_VALUE.includes(operator)) return undefined
  if (value === undefined) return `needs a value for ${operator}`
  if (operator !== 'match' || isPattern(value)) return undefined
  return `has a value that is no regular expression as RE2 knows them: ${value}`
}

/** Whether all filters hold for a message. */
export function compileFilters(filters: readonly Filter[]): (message: unknown) => boolean {
  const tests = filters.map(({ path, operator, value = '', match_rule }) => {
    const steps = parsePath(path)
    const passes = OPERATORS[operator](value)
    return (message: unknown) => {
      const targets = valuesAt(message, steps)
      if (match_rule === 'any') return targets.some(passes)
      // Of no target nothing holds but that it is empty (§12.9).
      return targets.length === 0 ? operator === 'empty' : targets.every(passes)
    }
  })
  return (message) => tests.every((holds) => holds(message))
}

function textOf(target: unknown): string {
  if (target === null || target === undefined) return ''
  return typeof target === 'object' ? JSON.stringify(target) : String(target)
}

/** As in Ruby: the number with which a text begins, else 0. */
function floatOf(target: unknown): number {
  return Number(/^\s*([-+]?(\d+(\.\d+)?|\.\d+)([eE][-+]?\d+)?)/.exec(textOf(target))?.[1] ?? 0)
}

function isPresent(target: unknown): boolean {
  return !['', 'null'].includes(textOf(target))
}

/**
 * As in Ruby, `^` and `$` are the ends of a line. Matched in time linear in the text, whatever the expression: JavaScript's
 * own engine can backtrack for ever, on one that anybody with a store's token may give the hub. What RE2 does not know
 * (look-around, back-references) is refused where it is given.
 */
function compilePattern(value: string): RE2JS {
  return RE2JS.compile(value, RE2JS.MULTILINE)
}

function isPattern(value: string): boolean {
  try {
    return compilePattern(value) instanceof RE2JS
  } catch {
    return false
  }
}
