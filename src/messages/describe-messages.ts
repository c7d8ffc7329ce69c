import { z } from 'zod'

import { ANNOUNCED_TYPES, MESSAGE_TYPES, type MessageType, OBJECT_TYPES } from './message.ts'
import { messageSchemas } from './schemas/message-schemas.ts'

const WHEN: Readonly<Record<MessageType, string>> = {
  'product:new': 'A product came into being, with its variants and prices.',
  'product:update': 'A product, a variant, a price or an option changed; a product was removed.',
  'stock:change': 'By how many pieces the stock of a SKU changed (`stock: change`).',
  'stock:actual': 'How many pieces there are of a SKU, where that changed (`stock: actual`).',
  'order:persist': 'An order was placed or changed: the raw order (`orders: persist`).',
  'order:new': 'An order was placed (`orders: generic`).',
  'order:updated': 'An order changed (`orders: generic`).',
  'order:canceled': 'An order was canceled, instead of `order:updated` (`orders: generic`).',
  'shipment:ready':
    'A shipment is ready: with each `order:new` and `order:updated` for as long as it is (`orders: generic`).',
  'shipment:confirm': 'A shipment was shipped, once (`orders: generic`).',
  'payment:ready': 'A payment is pending: authorised, to be captured; once (`orders: generic`).',
  'payment:capture': 'A payment was captured, once (`orders: generic`).',
  'return_authorization:new': 'A return was authorized.',
  'return_authorization:updated': 'An authorized return changed.',
  'customer_return:new': 'Goods came back.',
  'customer_return:updated': 'What came back changed, or what is paid back for it.',
  'stock_transfer:persist': 'Stock is, or was, moved between locations: the raw transfer.',
  'user:new': 'A customer registered.',
  'user:updated': 'A customer changed, or closed the account.',
  'cart:new': 'A cart was begun (`carts: on`).',
  'cart:updated': 'A cart changed that is no order yet (`carts: on`).',
  products: 'A product came into being or changed, with its variants.',
  inventories: 'How many pieces of a SKU a stock location holds, where that changed.',
  orders: 'An order was placed, changed or was canceled.',
  shipments: 'A shipment of an order came into being, or anything in its object changed.',
  customer_returns: 'Goods came back, or what is paid back for them changed.',
  customers: 'A customer registered or changed.',
  carts: 'A cart was begun, or changed and is no order yet (`carts: on`).',
}

/** The page docs/messages.md and the JSON Schema of each type beside it: file → content. */
export function messagesReference(): ReadonlyMap<string, string> {
  const page = `# Messages

This page is generated from \`src/messages\`.

What the bridge announces, and the JSON Schema of each payload. It says which keys are always there and of what kind
they are; a store may say more, under keys of its own. To a hub that is not ours every payload has a \`source\` besides.
\`spree-bridge samples TYPE\` prints an example.

| type | when | payload |
| --- | --- | --- |
${rowsOf(ANNOUNCED_TYPES)}

## Objects

A hub of the second generation (\`HUB_DIALECT=wombat\`) is told these instead, as batches of objects under their root. A
key more is allowed. They are known by their \`id\`: the same again is an update.

| root | when | object |
| --- | --- | --- |
${rowsOf(OBJECT_TYPES)}
`
  return new Map([
    ['docs/messages.md', page],
    ...MESSAGE_TYPES.map((type) => [`docs/schemas/${fileName(type)}`, schemaText(type)] as const),
  ])
}

function rowsOf(types: readonly MessageType[]): string {
  return types
    .map((type) => `| \`${type}\` | ${WHEN[type]} | [${fileName(type)}](schemas/${fileName(type)}) |`)
    .join('\n')
}

function fileName(type: MessageType): string {
  return `${type.replace(':', '-')}.json`
}

/** Of what may come in rather than of what a parser leaves of it: keys that it does not name are allowed. */
function schemaText(type: MessageType): string {
  const schema = z.toJSONSchema(messageSchemas[type], { io: 'input', override: withoutTheObvious })
  const named = { ...schema, title: type, description: WHEN[type].replaceAll('`', '') }
  return `${JSON.stringify(named, undefined, 2)}\n`
}

/** What a time looks like is said by its format, and an integer's bounds are JavaScript's. */
function withoutTheObvious({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
  if (jsonSchema.type === 'integer') {
    delete jsonSchema.minimum
    delete jsonSchema.maximum
  }
}
