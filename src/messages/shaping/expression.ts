import type { JsonataError } from 'jsonata'

import type { RawPayload } from '../message.ts'

/** Makes a payload over. @throws ExpressionError */
export type Expression = (payload: RawPayload) => Promise<RawPayload>

/** An expression that cannot be read, or does not make an object of a payload. Its text tells nothing of the payload. */
export class ExpressionError extends Error {
  readonly code = 'expression'
  /** The message type whose expression it is. */
  readonly type: string

  constructor(type: string, reason: string) {
    super(reason)
    this.name = 'ExpressionError'
    this.type = type
  }
}

/** Calls within calls: far below what JavaScript's own stack bears. */
const DEPTH = 200
/** Elements that an expression may put into one list. */
const ELEMENTS = 100_000
const MOST_TRIES = 5

/**
 * A JSONata expression, ready to be evaluated within a budget of time. It is looked at between any two of its steps: a
 * regular expression that backtracks for ever is not cut short.
 * @throws ExpressionError where the text is no JSONata.
 */
export async function compileExpression(
  type: string,
  text: string,
  budgetMilliseconds: number,
): Promise<Expression> {
  // Only where it is used: it takes longer to load than a command needs to start.
  const { default: jsonata } = await import('jsonata')
  const limits = { timeout: budgetMilliseconds, stack: DEPTH, sequence: ELEMENTS }
  const expression = compile()
  let isSlow = false

  function compile() {
    try {
      return jsonata(text, limits)
    } catch (error) {
      throw new ExpressionError(type, explain(error))
    }
  }

  /** The clock goes on while the process waits for a processor: only one that has used it was too slow. */
  async function evaluate(payload: RawPayload): Promise<unknown> {
    for (let left = MOST_TRIES; ; left--) {
      const used = isSlow ? process.cpuUsage() : undefined
      try {
        const result: unknown = await expression.evaluate(payload)
        isSlow = false
        return result
      } catch (error) {
        if (!isLate(error)) throw error
        isSlow = true
        const { user, system } = process.cpuUsage(used)
        const milliseconds = (user + system) / 1_000
        if (left === 1 || (used && milliseconds >= budgetMilliseconds / 2)) throw error
      }
    }
  }

  return async (payload) => {
    const result = await evaluate(payload).catch((error: unknown) => {
      const reason = isLate(error) ? `it took longer than ${budgetMilliseconds} ms` : explain(error)
      throw new ExpressionError(type, `transform of ${type}: ${reason}`)
    })
    if (isPlain(result)) return { ...result }
    throw new ExpressionError(type, `transform of ${type}: it gives ${kindOf(result)}, not an object`)
  }
}

/** JSONata's own functions are objects to JavaScript. */
function isPlain(result: unknown): result is object {
  return kindOf(result) === 'an object'
}

function kindOf(result: unknown): string {
  if (result === undefined || result === null) return 'nothing'
  if (Array.isArray(result)) return 'a list'
  if (typeof result !== 'object') return `a ${typeof result}`
  return '_jsonata_lambda' in result || '_jsonata_function' in result ? 'a function' : 'an object'
}

function isLate(error: unknown): boolean {
  return isJsonataError(error) && error.code === 'D1012'
}

/** JSONata throws objects that are no errors. */
function isJsonataError(error: unknown): error is Partial<JsonataError> & { code: string; message: string } {
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error
}

/** What is wrong, without the values that the library quotes: they may be a customer's. */
function explain(error: unknown): string {
  if (!isJsonataError(error)) return error instanceof Error ? error.message : String(error)
  const values = ['value', 'value2'].map((key): unknown => Reflect.get(error, key))
  const text = values.reduce<string>(
    (message, value) => (value === undefined ? message : message.replaceAll(JSON.stringify(value), '…')),
    String(error.message),
  )
  const { position } = error
  return typeof position === 'number'
    ? `${text} (${error.code}, character ${position})`
    : `${text} (${error.code})`
}
