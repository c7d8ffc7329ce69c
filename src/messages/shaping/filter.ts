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
  // As in Ruby, `^` and `$` are the ends of a line.
  match: (value) => {
    const pattern = new RegExp(value, 'm')
    return (target) => pattern.test(textOf(target))
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
  return `has a value that is no regular expression: ${value}`
}

/** Whether all filters hold for a message. */
export function compileFilters(filters: readonly Filter[]): (message: unknown) => boolean {
  const tests = filters.map(({ path, operator, value = '', match_rule }) => {
    const steps = parsePath(path)
    const passes = OPERATORS[operator](value)
    return match_rule === 'any'
      ? (message: unknown) => valuesAt(message, steps).some(passes)
      : (message: unknown) => valuesAt(message, steps).every(passes)
  })
  return (message) => tests.every((holds) => holds(message))
}

function textOf(target: unknown): string {
  if (target === null || target === undefined) return ''
  return typeof target === 'object' ? JSON.stringify(target) : String(target)
}

/** As in Ruby: the number with which a text begins, else 0. */
function floatOf(target: unknown): number {
  return Number(/^\s*([-+]?\d+(\.\d+)?([eE][-+]?\d+)?)/.exec(textOf(target))?.[1] ?? 0)
}

function isPresent(target: unknown): boolean {
  return !['', 'null'].includes(textOf(target))
}

function isPattern(value: string): boolean {
  try {
    return new RegExp(value, 'm') instanceof RegExp
  } catch {
    return false
  }
}
