import type { Random } from './random.ts'
import { HOT, type Shelf, TOLD } from './shelves.ts'

/** What a hub has to say to the store under one message id, and what it was answered in the end. */
export type Said = Readonly<{
  body: Readonly<{ message: string; message_id: string; payload: Readonly<Record<string, unknown>> }>
  /** The SKU, the order or the shipment. */
  subject: string
  /** What must come of it: of the orders of one number only one is `placed`, whichever. */
  will: 'move' | 'set' | 'place' | 'ship' | 'fail'
  /** How often it is delivered at the same time. */
  copies: number
  /** One for each copy. */
  answers: { status: number; text: string }[]
}>

export type Line = Readonly<{ sku: string; quantity: number }>
/** An order as it must stand in the store. */
export type Wanted = Readonly<{ number: string; lines: readonly Line[]; ships: boolean }>

/** What is said at the same time, step by step. */
export type Bout = readonly (readonly Said[])[]
export type Plan = Readonly<{ bouts: readonly Bout[]; orders: readonly Wanted[] }>

const PRICE = 10
const COST = 3
const ADDRESS = {
  firstname: 'Ann',
  lastname: 'Guest',
  address1: '4 Quay Lane',
  city: 'Portland',
  zipcode: '97201',
  phone: '+1 503 555 0199',
  country: 'US',
}

/** What an order of these lines comes to, each line in a parcel of its own. */
export function totalsOf(lines: readonly Line[]) {
  const item = lines.reduce((sum, { quantity }) => sum + PRICE * quantity, 0)
  const shipping = COST * lines.length
  return { item, shipping, total: item + shipping }
}

/**
 * At least so many deliveries that get in each other's way: on few SKUs and on many, orders of one number under several ids
 * and with their SKUs in any order, parcels confirmed twice, and what fails, some of it after it has written.
 */
export function planDeliveries(random: Random, deliveries: number): Plan {
  const bouts: Bout[] = []
  const orders: Wanted[] = []
  let ids = 0
  let planned = 0

  const say = (
    will: Said['will'],
    message: string,
    subject: string,
    payload: Said['body']['payload'],
    mostCopies = 4,
  ): Said => {
    const copies = random.between(1, mostCopies)
    planned += copies
    const id = `523c6777${(++ids).toString(16).padStart(16, '0')}`
    return { body: { message, message_id: id, payload }, subject, will, copies, answers: [] }
  }
  // No two moves are of so many pieces: each movement tells whose it is.
  const move = (sku: string) =>
    say('move', 'stock:change', sku, { sku, quantity: (random.chance(0.5) ? 1 : -1) * (100 + ids) })
  const orderOf = (number: string, lines: readonly Line[], parcel: (place: number) => string) => {
    const { item, shipping, total } = totalsOf(lines)
    return {
      order: {
        number,
        email: 'buyer@marketplace.example',
        currency: 'USD',
        status: 'complete',
        placed_on: '2026-03-09T09:28:00Z',
        totals: { item, adjustment: 0, tax: 0, shipping, payment: total, order: total },
        line_items: lines.map((line) => ({ ...line, price: PRICE })),
        shipping_address: ADDRESS,
        payments: [{ amount: total, status: 'completed', payment_method: 'Check' }],
        shipments: lines.map((line, place) => ({ number: parcel(place), cost: COST, items: [line] })),
      },
    }
  }
  const place = (lines: readonly Line[], ships: boolean) => {
    const number = `RACE${orders.length}`
    orders.push({ number, lines, ships })
    const payload = orderOf(number, lines, (at) => `${number}-P${at}`)
    return { number, under: () => say('place', 'order:import', number, payload) }
  }
  const twoOf = (most: number): Line[] =>
    random
      .shuffle(HOT)
      .slice(0, 2)
      .map((sku) => ({ sku, quantity: random.between(1, most) }))
  const several = <T>(most: number, one: () => T): T[] => Array.from({ length: random.between(1, most) }, one)

  const kinds: readonly (() => Bout)[] = [
    () => [several(3, () => move(random.pick(HOT)))],
    () => [several(3, () => move(`MANY-${random.between(0, 39)}`))],
    () => [
      several(3, () => {
        const sku = random.pick(TOLD)
        if (random.chance(0.5)) return move(sku)
        return say('set', 'stock:actual', sku, { sku, quantity: random.between(-500, 500) })
      }),
    ],
    () => {
      const { number, under } = place(twoOf(9), true)
      const confirm = (parcel: string) =>
        say(
          'ship',
          'shipment:confirm',
          parcel,
          { shipment: { number: parcel, order_number: number, status: 'shipped', tracking: '1Z' } },
          2,
        )
      const parcels = [0, 1].map((at) => `${number}-P${at}`)
      return [several(3, under), [...parcels, ...parcels].map(confirm)]
    },
    () => {
      // Their products come in the one order and in the other.
      const [first, second, third, fourth] = HOT
      const pairs = [
        [first, second],
        [third, fourth],
      ] as const
      const lines = (pair: (typeof pairs)[number]) =>
        random.shuffle(pair).map((sku) => ({ sku, quantity: random.between(1, 9) }))
      return [[...pairs, ...pairs].map((pair) => place(lines(pair), false).under())]
    },
    () => {
      const sku = 'OWED-0'
      const incoming = say('move', 'stock:change', sku, { sku, quantity: random.between(1, 5) })
      return [[place([{ sku, quantity: random.between(1, 5) }], false).under(), incoming]]
    },
    // Many at once of shelves that nobody else wants: each web may take them together, and meets the other at it.
    () => [Array.from({ length: 12 }, () => move(`MANY-${random.between(0, 39)}`))],
    () => {
      const number = `LOST${ids}`
      const lines = twoOf(9)
      const payload = random.pick([
        // Refused after its addresses, its order and its lines are written: a parcel's number comes twice.
        orderOf(number, lines, () => `${number}-P`),
        orderOf(number, [{ sku: lines[0]?.sku ?? '', quantity: 90_000 }], () => `${number}-P`),
      ])
      const sku = random.pick([...HOT, 'NO-SUCH'])
      return [
        [
          say('fail', 'order:import', number, payload),
          say('fail', 'stock:change', sku, { sku, quantity: 2_147_483_647 }),
        ],
      ]
    },
  ]
  const often = [0, 0, 0, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7]
  while (planned < deliveries) {
    const kind = kinds[random.pick(often)]
    if (kind) bouts.push(kind())
  }
  return { bouts, orders }
}

/** What the store answered to a change of its stock. */
export function movedAs({ answers }: Said): Pick<Shelf, 'sku'> & Readonly<{ from: number; to: number }> {
  return JSON.parse(answers[0]?.text ?? '') as { sku: string; from: number; to: number }
}
