import { readFileSync } from 'node:fs'
import path from 'node:path'
import { readExpected } from '../expected/read-expected.ts'
import type { RecordedRequest } from '../support/recorded-request.ts'
import type { AnyStore, SolidusStore, StoreFamily, StoreSource } from '../support/stores.ts'

export type DayStore = StoreFamily | SolidusStore
export type Store = Readonly<{ family: DayStore; source: StoreSource }>
export type Payload = Readonly<Record<string, unknown>>
/** A message and what it is about: the aggregate, as a hub sees it. */
export type Told = Readonly<{ about: string; type: string; payload: Payload }>
/** What happened to the store, and what the hub was told before the next thing happened. */
export type Episode = Readonly<{
  name: string
  requests: readonly RecordedRequest[]
  from: number
  to: number
}>

/** The subjects of the day by their role, and the files of their payloads. */
export const subjects = {
  'spree-4.10': {
    dump: {
      product: 'product-117',
      doomed: 'product-118',
      order: 'order-R608302538',
      canceled: 'order-R561862494',
      customer: 'customer-2',
      first: 'ACT-DAY1-0',
      second: 'ACT-DAY1-1',
    },
    fixture: {
      product: 'product-19',
      doomed: 'product-20',
      order: 'order-R310000001',
      canceled: 'order-R310000002',
      first: 'DS-41',
      second: 'DS-42',
    },
  },
  'spree-6.0': {
    dump: {
      product: 'product-39',
      doomed: 'product-40',
      order: 'order-R1003',
      canceled: 'order-R1004',
      customer: 'customer-22',
      first: 'ACT-DAY1-0',
      second: 'ACT-DAY1-1',
    },
    fixture: {
      product: 'product-19',
      doomed: 'product-20',
      order: 'order-R1046',
      canceled: 'order-R1047',
      first: 'DS-41',
      second: 'DS-42',
    },
  },
  'solidus-4': {
    dump: {
      product: 'product-13',
      doomed: 'product-14',
      order: 'order-R737693769',
      canceled: 'order-R746264148',
      waiting: 'order-R257818730',
      customer: 'customer-2',
      first: 'BM-DAY1-RED',
      second: 'BM-DAY1-BLUE',
    },
    fixture: {
      product: 'product-19',
      doomed: 'product-20',
      order: 'order-R340000001',
      canceled: 'order-R340000002',
      waiting: 'order-R340000003',
      customer: 'customer-1',
      first: 'EM-RED',
      second: 'EM-BLUE',
    },
  },
} as const

/** The steps in which orders are placed, the one in which one is canceled, is returned, and one that makes a customer. */
export const milestones = {
  'spree-4.10': {
    placed: ['04-checkout', '09a-create-order-to-cancel'],
    canceled: '09b-cancel-order',
    returned: '08b-return',
    customer: '10-create-user',
  },
  'spree-6.0': {
    placed: ['04-checkout', '09a-create-order-to-cancel'],
    canceled: '09b-cancel-order',
    returned: '08b-return',
    customer: '10-create-user',
  },
  'solidus-4': {
    placed: ['07-order-completed', '10-order-completed', '12-order-backordered.20-24'],
    canceled: '11-order-canceled',
    returned: '14-return-received',
    customer: '05-user-created',
  },
} as const

/** In order of arrival for each aggregate; the aggregates by name. */
export function told({ requests }: Episode, store: Store): Told[] {
  return byAbout(requests.map(({ type, payload }) => toTold(type, payload, store)))
}

export function toTold(type: string, payload: Payload, { family, source }: Store): Told {
  const { product, first, second } = subjects[family][source]
  const owners: Record<string, string> = {
    [first]: product,
    [second]: product,
    'SC-L': 'product-9001',
    DB: 'product-9002',
    BW: 'product-9003',
  }
  const sku = String(payload['sku'])
  if (type === 'order:persist') return { about: `order-${payload['number']}`, type, payload }
  if (isReturn(type)) return { about: `order-${(payload['order'] as Payload)['number']}`, type, payload }
  if (type.startsWith('user:')) return { about: `customer-${payload['id']}`, type, payload }
  if (type.startsWith('stock_transfer:')) return { about: `stock_transfer-${payload['id']}`, type, payload }
  if (type.startsWith('stock:')) return { about: owners[sku] ?? sku, type, payload }
  return { about: `product-${payload['id']}`, type, payload }
}

export function byAbout(messages: readonly Told[]): Told[] {
  return messages.toSorted((a, b) => (a.about < b.about ? -1 : a.about > b.about ? 1 : 0))
}

/** `product:update product` and `stock:change first -2` in full: with the payloads written for the step. */
export function toldOnTheDay(store: Store, day: Record<string, string[]>, step: string): Told[] {
  const { family, source } = store
  const roles: Readonly<Record<string, string>> = subjects[family][source]
  const messages = day[step]!.map((line) => {
    const [type = '', role = '', quantity] = line.split(' ')
    const name = roles[role]!
    if (quantity !== undefined) return toTold(type, { sku: name, quantity: Number(quantity) }, store)
    const sofar = Object.keys(day)
      .sort()
      .filter((other) => other <= step && day[other]!.some((message) => message.endsWith(` ${role}`)))
    const payload = readExpected(family, source, name, sofar)
    return toTold(type, isReturn(type) ? expectedReturn(type, payload, step, store) : payload, store)
  })
  return byAbout(messages)
}

export function isReturn(type: string): boolean {
  return /^(return_authorization|customer_return):/.test(type)
}

/** A return, written with the ids of its units, shows them and its order as the order does. */
export function expectedReturn(
  type: string,
  order: Payload,
  step: string,
  { family, source }: Readonly<{ family: AnyStore; source: StoreSource }>,
): Payload {
  const payload = readExpected(family, source, `${type.split(':')[0]}-${order['number']}`, [step])
  const { shipments, line_items } = order as {
    shipments: { inventory_units: Payload[] }[]
    line_items: Payload[]
  }
  const units = shipments.flatMap(({ inventory_units }) => inventory_units)
  return {
    ...payload,
    inventory_units: (payload['inventory_units'] as number[]).map((id) => {
      const unit = units.find((candidate) => candidate['id'] === id)!
      const line = line_items.find(({ variant_id }) => variant_id === unit['variant_id'])!
      return { ...unit, variant: line['variant'] }
    }),
    order,
  }
}

/** The time of a removal is the moment at which it was seen. */
export function withNow(message: Told, { from, to }: Episode): Told {
  const text = JSON.stringify(message.payload).replace(/"(\d{4}-[^"]*Z)"/g, (quoted, time: string) => {
    const at = Date.parse(time)
    return at >= from && at <= to ? '"<now>"' : quoted
  })
  return { ...message, payload: JSON.parse(text) }
}

/** A file that was written by hand before anything ran. */
export function readDay<Content = Record<string, string[]>>(file: string): Content {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, '../expected/day', file), 'utf8'))
}

/** The recorded steps, each with what it gives: `stock:change first -2`. A customer registers in the real stores only. */
export function readSteps({ family, source }: Store): Record<string, string[]> {
  const { customer } = milestones[family]
  const { [customer]: made = [], ...steps } = readDay(`${family}.json`)
  return source === 'dump' ? { ...steps, [customer]: made } : steps
}
