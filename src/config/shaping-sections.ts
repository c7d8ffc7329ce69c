import { z } from 'zod'

import { MESSAGE_TYPES, type MessageType } from '../messages/message.ts'
import { FILTER_OPERATORS, faultOf, filterParts } from '../messages/shaping/filter.ts'
import { nearestWord } from './nearest-word.ts'

// The parts of the file that are no single values. As all in it, what they hold arrives as text.

/** The keys of a mapping, of which another one is told with the one that was most likely meant. */
function keyed<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `has the key "${key}". ${meant(key, known)}`).join(' ')
        : 'must be a mapping, lines of `key: value`',
  })
}

function oneWordOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, {
    error: ({ input }) =>
      typeof input === 'string'
        ? `is "${input}". ${meant(input, words)}`
        : `must be one of ${words.join(', ')}`,
  })
}

function meant(word: string, known: readonly string[]): string {
  const nearest = known.length > 2 ? nearestWord(word, known) : undefined
  return nearest === undefined ? `It must be one of ${known.join(', ')}.` : `Did you mean "${nearest}"?`
}

/** One rule for each message type that has one. */
function perType<Rule extends z.ZodType>(rule: Rule) {
  const optional = rule.optional()
  const entries = MESSAGE_TYPES.map((type) => [type, optional] as const)
  return keyed(Object.fromEntries(entries) as Record<MessageType, typeof optional>)
}

const text = z.string('must be a text').trim().min(1, 'is empty')

const path = text.regex(
  /^payload(\.[^.\s]+)+$/,
  'must be a path into the payload, its steps with dots between: `payload.ship_address.phone`, `payload.line_items.*.price`',
)

const filter = keyed({
  ...filterParts,
  path,
  operator: oneWordOf(FILTER_OPERATORS),
  value: z.string('must be a text').optional(),
  match_rule: oneWordOf(['all', 'any']).optional(),
}).superRefine((given, context) => {
  const fault = faultOf(given)
  if (fault !== undefined) context.addIssue({ code: 'custom', path: [], message: fault })
})

const list = <Item extends z.ZodType>(item: Item, of: string) => z.array(item, `must be a list of ${of}`)

const name = text.regex(/^[a-z_][a-z0-9_]*$/, 'must be a name in lower case, without schema')
const names = list(name, 'names of columns')

const extraOfKind = keyed({
  columns: names.optional(),
  tables: z
    .record(name, keyed({ key: name, columns: names }), 'must be a mapping, lines of `key: value`')
    .optional(),
})

const extra = keyed({ product: extraOfKind.optional(), order: extraOfKind.optional() })

const announce = perType(oneWordOf(['on', 'off']))
const filters = perType(list(filter, 'filters'))
const redact = perType(list(path, 'paths'))
const transform = perType(text)

const shadow = keyed({
  announce: announce.optional(),
  filters: filters.optional(),
  redact: redact.optional(),
  transform: transform.optional(),
})

export const sections = {
  announce: announce.describe('message types, each `on` or `off`'),
  filters: filters.describe(
    `message types, each with a list of \`path\`, \`operator\` (${FILTER_OPERATORS.join(', ')}), \`value\`, and \`match_rule\` (\`all\` or \`any\`)`,
  ),
  redact: redact.describe('message types, each with a list of paths'),
  extra: extra.describe(
    '`product` and `order`, each with a list `columns`, and `tables`, each with the column `key` and a list `columns`',
  ),
  shadow: shadow.describe('`announce`, `filters`, `redact` and `transform`, each as above'),
  transform: transform.describe('message types, each with a JSONata expression'),
}
