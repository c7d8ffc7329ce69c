import { ConfigError } from '../config/config-error.ts'
import type { Settings } from '../config/settings.ts'
import { ExpressionError } from '../messages/shaping/expression.ts'
import { createShape, type Shape } from '../messages/shaping/shape.ts'

/**
 * What the configuration makes of messages; undefined where it says nothing of them, so that nothing is asked for each.
 * @throws ConfigError where an expression is none
 */
export async function shapeOf(settings: Settings): Promise<Shape | undefined> {
  const { announce, filters, redact, transform } = settings
  if ([announce, filters, redact, transform].every((rules) => rules === undefined)) return undefined
  try {
    return await createShape({ announce, filters, redact, transform }, settings.transformBudgetMs)
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    const variable = `transform.${error.type}`
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
