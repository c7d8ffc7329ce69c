import { movedAs, type Plan, type Said, totalsOf } from '../support/deliveries.ts'
import type { Shelf, Step } from '../support/shelves.ts'
import type { StoreFamily } from '../support/stores.ts'
import { compareCounts } from './applied.ts'
import { type Order, type Rows, WORDS } from './counted-rows.ts'
import type { Finding } from './evidence.ts'

// The counts of the store's own tables, against what the senders were answered. The bridge's tables are not asked.

export type Counted = Readonly<{
  family: StoreFamily
  plan: Plan
  /** By the shop itself. */
  clerk: readonly Step[]
  before: Readonly<{ shelves: readonly Shelf[]; rows: Rows }>
  after: Readonly<{
    shelves: readonly Shelf[]
    rows: Rows
    movements: readonly string[]
    orders: readonly Order[]
  }>
}>

/** Everything that does not add up. */
export function findMiscounts(counted: Counted): Finding[] {
  const said = counted.plan.bouts.flat(2)
  return [
    ...said.flatMap(findWrongAnswers),
    ...findWrongWinners(said),
    ...findWrongLevels(counted, said),
    ...findWrongMovements(counted, said),
    ...findWrongOrders(counted),
    ...findWrongRows(counted),
  ]
}

function finding(about: string, text: string): Finding {
  return { rule: 'counted', about, text }
}

/** Whoever asks is told the same; what can be applied is, what cannot is told why, and nothing is a fault of ours. */
function findWrongAnswers({ body, subject, will, copies, answers }: Said): Finding[] {
  const about = `${body.message} ${body.message_id} of ${subject}`
  const [first, ...others] = answers
  if (first === undefined || answers.length !== copies) return [finding(about, `${answers.length} answers`)]
  const other = others.find(
    ({ status, text }) => status !== first.status || (status === 200 && text !== first.text),
  )
  if (other) return [finding(about, `was answered ${JSON.stringify(first)} and ${JSON.stringify(other)}`)]
  if (/by a fault of ours/.test(first.text)) return [finding(about, first.text)]
  const wanted = { move: 200, set: 200, ship: 200, fail: 500, place: first.status === 200 ? 200 : 500 }[will]
  return first.status === wanted ? [] : [finding(about, `was answered ${first.status} ${first.text}`)]
}

/** Of the messages about one order, one places it; of those about one parcel, one ships it. */
function findWrongWinners(said: readonly Said[]): Finding[] {
  const won = said.filter(
    ({ will, answers: [first] }) =>
      (will === 'place' && first?.status === 200) ||
      (will === 'ship' && /Marked shipment/.test(first?.text ?? '')),
  )
  const asked = new Set(
    said.filter(({ will }) => will === 'place' || will === 'ship').map(({ subject }) => subject),
  )
  return compareCounts(
    'counted',
    'the act of',
    [...asked],
    won.map(({ subject }) => subject),
  )
}

const isStock = ({ will }: Said) => will === 'move' || will === 'set'

/** What was ordered of a SKU, and what of that has left. */
function orderedOf(sku: string, { orders }: Plan): { ordered: number; left: number } {
  const pieces = (of: Plan['orders']) =>
    of.flatMap(({ lines }) => lines).reduce((sum, line) => sum + (line.sku === sku ? line.quantity : 0), 0)
  return { ordered: pieces(orders), left: pieces(orders.filter(({ ships }) => ships)) }
}

function findWrongLevels({ family, plan, clerk, before, after }: Counted, said: readonly Said[]): Finding[] {
  return before.shelves.flatMap((shelf) => {
    const { sku } = shelf
    const end = after.shelves.find((one) => one.sku === sku)
    const told = said.filter((one) => isStock(one) && one.subject === sku)
    const steps = [...told.map(movedAs), ...clerk.filter((step) => step.sku === sku)]
    const wrong = told.filter((one) => {
      const { from, to } = movedAs(one)
      return (one.will === 'move' ? to - from : to) !== one.body.payload['quantity']
    })
    const { ordered, left } = orderedOf(sku, plan)
    const moved = steps.reduce((sum, { from, to }) => sum + to - from, 0)
    const level = shelf.level + moved - (family === 'spree-6.0' ? left : ordered)
    const promised = family === 'spree-6.0' ? ordered - left : 0
    const waiting = after.orders.filter(({ waiting }) => sku === 'OWED-0' && waiting > 0)
    const owed = waiting.reduce((sum, order) => sum + order.waiting, 0)
    return [
      ...wrong.map((one) =>
        finding(`${sku}`, `was told of ${JSON.stringify(one.body.payload)}: ${one.answers[0]?.text}`),
      ),
      ...(end?.level === level && end.promised === promised
        ? []
        : [
            finding(
              sku,
              `stands at ${end?.level}, ${end?.promised} promised, instead of ${level} and ${promised}`,
            ),
          ]),
      ...(sku.startsWith('TOLD') ? findGaps(sku, shelf.level, end?.level, steps) : []),
      ...(owed === Math.max(0, promised - level) || sku !== 'OWED-0'
        ? []
        : [finding(sku, `${owed} wait, at a level of ${level}`)]),
    ]
  })
}

/** One step after the other leads from the first level to the last: each level is left as often as it is come to. */
function findGaps(sku: string, start: number, end: number | undefined, steps: readonly Step[]): Finding[] {
  const balance = new Map<number, number>()
  const add = (level: number | undefined, by: number) => {
    if (level !== undefined) balance.set(level, (balance.get(level) ?? 0) + by)
  }
  add(start, 1)
  add(end, -1)
  for (const { from, to } of steps) {
    add(from, -1)
    add(to, 1)
  }
  return [...balance].flatMap(([level, by]) =>
    by === 0 ? [] : [finding(sku, `at ${level} it was come to ${by} times more than left`)],
  )
}

/** One movement for each change of a level, and one for each line of an order (6.x: and as it leaves). */
function findWrongMovements({ family, plan, clerk, after }: Counted, said: readonly Said[]): Finding[] {
  const six = family === 'spree-6.0'
  const changes = [...said.filter(isStock).map(movedAs), ...clerk]
  const wanted = [
    ...changes
      .filter(({ from, to }) => from !== to)
      .map(({ sku, from, to }) => `${sku} ${six ? 'adjusted' : ''} ${to - from}`),
    ...plan.orders.flatMap(({ lines, ships }) =>
      lines.flatMap(({ sku, quantity }) => {
        if (!six) return [`${sku}  ${-quantity}`]
        return [`${sku} allocated ${quantity}`, ...(ships ? [`${sku} shipped ${quantity}`] : [])]
      }),
    ),
  ]
  return compareCounts('counted', 'movement', wanted, after.movements)
}

/** Each once, with all that it holds; its parcels gone where they were said to be. */
function findWrongOrders({ family, plan, after }: Counted): Finding[] {
  const ready = family === 'spree-6.0' ? 'unfulfilled' : 'ready'
  const wanted = plan.orders.map(({ number, lines, ships }): Order => {
    const { item, total } = totalsOf(lines)
    const pieces = lines.reduce((sum, line) => sum + line.quantity, 0)
    const found = after.orders.find((order) => order.number === number)
    // How many pieces of an order wait is the stock's matter: here, that its states say so.
    const waiting = ships ? 0 : (found?.waiting ?? 0)
    const parcel = ships ? 'gone' : waiting > 0 && family === 'spree-4.10' ? 'pending' : ready
    return {
      number,
      item,
      total,
      paid: total,
      state: ships ? WORDS[family].gone : waiting > 0 ? 'backorder' : ready,
      lines: lines.length,
      pieces,
      waiting,
      sent: ships ? pieces : 0,
      payments: 1,
      parcels: lines.map((_, place) => `${number}-P${place} ${parcel}`),
    }
  })
  const text = (order: Order) => JSON.stringify(order, Object.keys(order).sort())
  return compareCounts('counted', 'order', wanted.map(text), after.orders.map(text))
}

/** What failed has left nothing behind. */
function findWrongRows({ family, plan: { orders }, before, after }: Counted): Finding[] {
  const { shipments } = WORDS[family]
  const lines = orders.flatMap((order) => order.lines).length
  const gone = orders.filter(({ ships }) => ships).flatMap((order) => order.lines).length
  const wanted: Rows = {
    spree_orders: orders.length,
    spree_addresses: 2 * orders.length,
    spree_line_items: lines,
    spree_payments: orders.length,
    [shipments]: lines,
    ...(family === 'spree-6.0' ? { spree_deliveries: gone } : {}),
  }
  return Object.entries(wanted).flatMap(([table, count]) => {
    const more = (after.rows[table] ?? 0) - (before.rows[table] ?? 0)
    return more === count ? [] : [finding(table, `has ${more} rows more instead of ${count}`)]
  })
}
