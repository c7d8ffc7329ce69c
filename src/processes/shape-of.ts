import { hash } from 'node:crypto'

import type { Shaping } from '../capture/shape-messages.ts'
import { ConfigError } from '../config/config-error.ts'
import type { Settings } from '../config/settings.ts'
import { ExpressionError } from '../messages/shaping/expression.ts'
import { createShape, type Shape, type ShapingRules } from '../messages/shaping/shape.ts'

/**
 * What the configuration makes of messages, and the one on trial; undefined where neither says anything of them, so that
 * nothing is asked for each.
 * @throws ConfigError where an expression is none
 */
export async function shapingOf(settings: Settings): Promise<Shaping | undefined> {
  const { shadow, transformBudgetMs } = settings
  const live = await shapeOf(settings, transformBudgetMs)
  if (shadow === undefined) return live && { live }
  const { announce, filters, redact, transform } = settings
  const trial = hash('sha1', JSON.stringify([{ announce, filters, redact, transform }, shadow]), 'base64')
  // One that changes nothing is compared as well: with a live one that does.
  const shape = await shapeOf(shadow, transformBudgetMs, 'shadow.')
  return { live, shadow: { shape: shape ?? (await createShape({}, transformBudgetMs)), trial } }
}

/** Undefined where the rules say nothing. @throws ConfigError where an expression is none */
export async function shapeOf(
  { announce, filters, redact, transform }: ShapingRules,
  budgetMilliseconds: number,
  within = '',
): Promise<Shape | undefined> {
  if ([announce, filters, redact, transform].every((rules) => rules === undefined)) return undefined
  try {
    return await createShape({ announce, filters, redact, transform }, budgetMilliseconds)
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    const variable = `${within}transform.${error.type}`
    throw new ConfigError([
      {
        code: 'invalid',
        variable,
        wrong: `${variable} cannot be read as JSONata: ${error.message}.`,
        remedy: 'https://docs.jsonata.org describes the language.',
      },
    ])
  }
}
