import { z } from 'zod'

import { HANDLERS } from '../../src/apply/handlers.ts'
import {
  ANNOUNCED_TYPES,
  type MessageType,
  OBJECT_TYPES,
  type ObjectType,
} from '../../src/messages/message.ts'
import { messageSchemas } from '../../src/messages/schemas/message-schemas.ts'
import type { FamilyName } from '../../src/store/detect-family.ts'
import { refuseFamilyOf20 } from '../../src/store/writes/written-family.ts'
import { OBJECT_PROOFS, PROOFS, type Proof, type Shown } from './evidence.ts'
import { keysOfSchema, keysWithValues } from './payload-keys.ts'
import type { AnyStore } from './stores.ts'

/** What each family is, and the tests' own store of it. */
export const FAMILIES = {
  'spree-2.1': { named: 'Spree 2.0, 2.1', store: 'spree-2.0' },
  'spree-2.4': { named: '2.2 to 2.4', store: 'spree-2.4' },
  'spree-3.6': { named: '3.0 to 3.6', store: 'spree-3.2' },
  'spree-4.10': { named: '3.7 to 5.x', store: 'spree-4.10' },
  'spree-4.7': { named: '4.6, 4.7', store: 'spree-4.7' },
  'spree-6.0': { named: '6.x', store: 'spree-6.0' },
  solidus: { named: 'Solidus 2.x to 4.x', store: 'solidus-4' },
} as const satisfies Readonly<Record<FamilyName, Readonly<{ named: string; store: AnyStore }>>>

const names = Object.keys(FAMILIES) as FamilyName[]

/** What a family's stores do not have, and why; the tests hold it against what the code finds in them. */
export const HAS_NONE: Readonly<
  Partial<Record<FamilyName, Readonly<{ types: readonly MessageType[]; why: string }>>>
> = {
  'spree-2.1': {
    types: [
      'return_authorization:new',
      'return_authorization:updated',
      'customer_return:new',
      'customer_return:updated',
    ],
    why: 'before 2.4 a return has no items',
  },
  'spree-6.0': {
    types: ['customer_return:new', 'customer_return:updated'],
    why: 'one return is authorized, received and refunded as a whole, a `return_authorization`',
  },
  solidus: { types: ['stock_transfer:persist'], why: 'since Solidus 2.5 there are none' },
}

const OF_PLACED_ORDERS: readonly string[] = ['shipment:confirm', 'order:ship', 'order:capture', 'hub:poll']

/** What refuses a family, by saying so. */
const REFUSALS: Readonly<Record<string, (family: FamilyName) => unknown>> = {
  'shipment:confirm': refuseFamilyOf20,
  'order:capture': refuseFamilyOf20,
  add_shipment: refuseFamilyOf20,
  update_shipment: refuseFamilyOf20,
  add_customer_return: refuseReturnsOf20,
}

/** As the code finds by the tables that are there. */
function refuseReturnsOf20(family: FamilyName): void {
  if (family === 'spree-2.1') throw new Error('before 2.4 a return has no items')
}

/** The test, below `test`, that shows that a family's store is written by such a message, or that it is refused. */
export function appliedIn(message: string, family: FamilyName): string {
  if (isHandlerName(message) && family !== 'spree-2.1') return 'apply/wombat.test.ts'
  if (family === 'spree-2.1' || family === 'spree-2.4' || family === 'spree-3.6')
    return 'apply/old-stores.test.ts'
  if (OF_PLACED_ORDERS.includes(message)) return 'apply/order-services.test.ts'
  if (message === 'order:import') return 'apply/order-import.test.ts'
  if (message.startsWith('product:')) return 'apply/product.test.ts'
  return family === 'solidus' ? 'apply/as-spree.test.ts' : 'apply/stock.test.ts'
}

/** Of Wombat's dialect. */
function isHandlerName(message: string): boolean {
  return !message.includes(':')
}

/** The tests that show a type in a family's store. */
export function proofsOf(type: string, family: FamilyName, proofs = PROOFS): Proof[] {
  return proofs.filter(({ shows }) => shows[FAMILIES[family].store]?.some(([shown]) => shown === type))
}

/** Whether the family's stores are written by such a message. */
export function isApplied(message: string, family: FamilyName): boolean {
  try {
    REFUSALS[message]?.(family)
    return true
  } catch {
    return false
  }
}

/** The page docs/families.md. */
export function familiesReference(): string {
  return `# Stores

This page is generated from the code and from the lists that its tests compare with: \`npm run docs\`. Each ✓ leads to a test in
which such a store is changed, and the whole message that it tells is compared with one that was written by hand.

## What is told

| message | ${names.map((name) => FAMILIES[name].named).join(' | ')} |
| --- |${names.map(() => ' --- |').join('')}
${ANNOUNCED_TYPES.map((type) => `| \`${type}\` | ${names.map((family) => toldCell(type, family)).join(' | ')} |`).join('\n')}

–: such stores have none.
${notes().join('\n')}

Not told: the collections of 6.x, for which the hub's protocol has no place (its \`taxons\` are the categories); what people read
instead of the names of option types and values, which only the line items of orders say (\`presentation\`); promotions, gift
cards and store credit but for what an order says of them. Older than 2.0 is refused with a sentence.

## What is told as objects

With \`HUB_DIALECT=wombat\`, instead. Each ✓ leads to a test that compares the whole object with one that was written by hand;
that of other families asks for it as \`messages preview\` does:

| object | ${names.map((name) => FAMILIES[name].named).join(' | ')} |
| --- |${names.map(() => ' --- |').join('')}
${OBJECT_TYPES.map((type) => `| \`${type}\` | ${names.map((family) => objectCell(type, family)).join(' | ')} |`).join('\n')}

–: such stores have none, or there is no object: returns of 6.x, stock transfers, and what is removed are counted as kept back.

## What is applied

| message | ${names.map((name) => FAMILIES[name].named).join(' | ')} |
| --- |${names.map(() => ' --- |').join('')}
${HANDLERS.map(({ message }) => `| \`${message}\` | ${names.map((family) => appliedCell(message, family)).join(' | ')} |`).join('\n')}

✗: refused, with a sentence that says so; nothing is written. So is \`order:ship\` where the store has no column
\`spree_orders.locked_at\`, and of \`order:capture\` what is not paid by check: a card is taken by its gateway, store credit out of
an account. \`shipment:confirm\` writes serial numbers where the store has the columns \`serial_number\` of its units and
\`spree_variants.external_ref\`, which are its own; without them it warns. \`hub:poll\` is answered for orders, products, users, taxons, return authorizations, stock transfers and,
where they are told, carts. Images of a product that is added or updated are not applied: the shop keeps each as a file, with sizes that its own
code makes, which SQL cannot write; and no address that is sent is ever fetched. The answer says how many a person has to add.
What is written into 3.7 to 5.x is tried on the tables of 4.10 and on those of 5.6, and compared table by table with what the
shop itself writes for the same act ([both](../test/apply/as-spree.test.ts)). From 5.5 on a new product is published in every
active channel of its store, as nobody would see it else, and \`update_order\` sets the \`status\` that says the same as the state.
\`add_order\` is \`order:import\` in the other form: nobody is made a customer by it, and an order that names no shipments comes
from as many places as it takes, from each in a parcel for each shipping category, its shipping shared out evenly and each by the
first method that ships goods. What is owed goes with what is there; the shop itself would have it in a parcel of its own. \`update_shipment\` lets a parcel leave and writes its tracking; its cost, its address and its other states stay the shop's.
\`add_shipment\` adds a parcel of pieces that are in none yet, and takes them from stock. It is refused for pieces that another
parcel holds, which is not split here: split that one in the shop where it holds more, and let it leave by \`update_shipment\`; and
where the shop taxes what it costs. \`update_shipment\` and \`add_shipment\` write nothing at all in 2.0 and 2.1, no tracking either.
\`add_customer_return\` is for 2.4 and later: goods, stock and states are back, and what they cost waits to be paid back by the
shop; in 6.x what is taxed has to be announced in the shop first.

## What is in it

● a test shows it in a message of such a store, with a value; ○ in all that the tests compare it is null or empty, because such
stores do not keep it or the tests' own have nothing in it. What the schema does not name is the family's own. Of parts of
parts the [schemas](messages.md) tell. A cart has what an order has.

${OBJECTS.map(fieldTable).join('\n')}`
}

function toldCell(type: MessageType, family: FamilyName): string {
  if (hasNone(type, family)) return '–'
  return mark(proofsOf(type, family))
}

/** The message of the seed's dialect that an object says the same as. */
const SAME_AS: Readonly<Record<ObjectType, MessageType>> = {
  products: 'product:new',
  inventories: 'stock:actual',
  orders: 'order:new',
  shipments: 'shipment:ready',
  customer_returns: 'customer_return:new',
  customers: 'user:new',
  carts: 'cart:new',
}

function objectCell(type: ObjectType, family: FamilyName): string {
  return hasNone(SAME_AS[type], family) ? '–' : mark(proofsOf(type, family, OBJECT_PROOFS))
}

function mark([proof]: readonly Proof[]): string {
  return proof ? `[✓](../test/${proof.file})` : 'untested'
}

function notes(): string[] {
  return names.flatMap((family) => {
    const none = HAS_NONE[family]
    return none
      ? [`${FAMILIES[family].named}: ${none.types.map((type) => `\`${type}\``).join(', ')}: ${none.why}.`]
      : []
  })
}

function hasNone(type: MessageType, family: FamilyName): boolean {
  return HAS_NONE[family]?.types.includes(type) ?? false
}

function appliedCell(message: string, family: FamilyName): string {
  return `[${isApplied(message, family) ? '✓' : '✗'}](../test/${appliedIn(message, family)})`
}

/** Of these the parts are listed; `without` are whole others. */
const OBJECTS: readonly Readonly<{
  named: string
  types: readonly MessageType[]
  without?: readonly string[]
}>[] = [
  { named: 'Product', types: ['product:new', 'product:update'] },
  { named: 'Stock', types: ['stock:change', 'stock:actual'] },
  { named: 'Order', types: ['order:persist'] },
  { named: 'Return authorization', types: ['return_authorization:new'], without: ['order'] },
  { named: 'Customer return', types: ['customer_return:new', 'customer_return:updated'], without: ['order'] },
  { named: 'Stock transfer', types: ['stock_transfer:persist'] },
  { named: 'Customer', types: ['user:new', 'user:updated'] },
]

function fieldTable({ named, types, without = [] }: (typeof OBJECTS)[number]): string {
  const told = names.filter((family) => types.some((type) => !hasNone(type, family)))
  const columns = told.map((family) => ({ family, payloads: payloadsOf(types, family) }))
  const known = keysOfSchema(z.toJSONSchema(messageSchemas[types[0]!], { io: 'input' }), without)
  const filled = columns.map(({ payloads }) => keysWithValues(payloads, known, without))
  const own = [...new Set(filled.flatMap((keys) => [...keys]))].filter((key) => !known.includes(key)).sort()
  const row = (key: string, name: string) =>
    `| ${name} | ${filled.map((keys) => (keys.has(key) ? '●' : '○')).join(' | ')} |`
  return `### ${named} (${types.map((type) => `\`${type}\``).join(', ')})

| | ${told.map((family) => FAMILIES[family].named).join(' | ')} |
| --- |${told.map(() => ' --- |').join('')}
${[...known.map((key) => row(key, `\`${key}\``)), ...own.map((key) => row(key, `\`${key}\` (own)`))].join('\n')}
`
}

function payloadsOf(types: readonly string[], family: FamilyName): unknown[] {
  const shown: readonly Shown[] = PROOFS.flatMap(({ shows }) => shows[FAMILIES[family].store] ?? [])
  return shown.flatMap(([type, payload]) => (payload && types.includes(type) ? [payload] : []))
}
