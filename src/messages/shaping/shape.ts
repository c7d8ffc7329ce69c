import { MESSAGE_TYPES, type Message, type MessageType, type RawPayload } from '../message.ts'
import { compileExpression, type Expression } from './expression.ts'
import { compileFilters, type Filter } from './filter.ts'
import { nullAt, parsePath } from './path.ts'

type PerType<Rule> = Readonly<{ [Type in MessageType]?: Rule | undefined }>

/** How an operator shapes what is sent. Paths go from the root of the message. */
export type ShapingRules = Readonly<{
  announce?: PerType<'on' | 'off'> | undefined
  filters?: PerType<readonly Filter[]> | undefined
  redact?: PerType<readonly string[]> | undefined
  /** JSONata over the payload. */
  transform?: PerType<string> | undefined
}>

/** What keeps a message back: a rule, or the dialect, which has no word for it. */
export type WithheldBy = 'announce' | 'filters' | 'dialect'

/** What becomes of a message: it is kept back, or sent with this payload, which `transform` still has to make over. */
export type Shaped =
  | Readonly<{ withheldBy: WithheldBy }>
  | Readonly<{ payload: RawPayload; transform: Expression | undefined }>

/** Filters see the payload as it was mapped; an expression sees nothing that is redacted. */
export type Shape = (message: Pick<Message, 'type' | 'payload'>) => Shaped

/** @throws ExpressionError where an expression is none. */
export async function createShape(rules: ShapingRules, budgetMilliseconds: number): Promise<Shape> {
  const filters = new Map(entriesOf(rules.filters).map(([type, own]) => [type, compileFilters(own)]))
  const redactions = new Map(entriesOf(rules.redact).map(([type, own]) => [type, own.map(parsePath)]))
  const expressions = new Map<MessageType, Expression>()
  for (const [type, text] of entriesOf(rules.transform))
    expressions.set(type, await compileExpression(type, text, budgetMilliseconds))

  return ({ type, payload }) => {
    if (rules.announce?.[type] === 'off') return { withheldBy: 'announce' }
    const passes = filters.get(type)
    if (passes && !passes({ message: type, payload })) return { withheldBy: 'filters' }
    const redacted = (redactions.get(type) ?? []).reduce(nullAt, { payload })
    return { payload: redacted.payload, transform: expressions.get(type) }
  }
}

function entriesOf<Rule>(rules: PerType<Rule> | undefined): (readonly [MessageType, Rule])[] {
  return MESSAGE_TYPES.flatMap((type) => {
    const rule = rules?.[type]
    return rule === undefined ? [] : [[type, rule] as const]
  })
}
