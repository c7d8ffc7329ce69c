import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from '@jest/globals'
import type { Change, Row } from '../support/audit.ts'
import { type Erp, MOVED_AND_PRICED } from '../support/erp.ts'
import { type LoopTrial, openLoopTrial } from '../support/loop-trial.ts'
import type { RecordedRequest } from '../support/recorded-request.ts'
import type { Relayed } from '../support/relay.ts'
import type { Evidence } from './evidence.ts'
import { checkLoop } from './loop.ts'
import { type LoopEvidence, numberOf } from './loop-evidence.ts'

const SEED = 5
const DAY_MS = 4_000
/** On a slow machine a day is longer: what the tests look for has to have happened. */
const LONGEST_DAY_MS = 60_000
const ERP_TYPES = ['stock:change', 'product:update', 'order:import'] as const

/** A whole loop of real processes in which nobody dies, seen by the checker. */
async function runUndisturbed(): Promise<LoopEvidence> {
  const trial: LoopTrial = await openLoopTrial('spree-4.10')
  try {
    await Promise.all((['web', 'worker'] as const).map((role) => trial.ready(role, trial.start(role))))
    await tellOrderTwice(trial)
    await tellCustomer(trial)
    const workload = await trial.startWorkload({ seed: SEED, writers: 3, pauseMs: 120 })
    const erp = trial.startErp(SEED, 120)
    const from = performance.now()
    await pause(DAY_MS)
    while (!hasHappened(trial, erp) && performance.now() - from < LONGEST_DAY_MS) await pause(100)
    await erp.stop()
    await workload.stop()
    await trial.comeToRest()
    return await trial.evidence()
  } finally {
    await trial.close()
  }
}

/** Whether ERP and shop have said enough for there to be something of each kind to plant a fault in. */
function hasHappened({ relays }: LoopTrial, { sent }: Erp): boolean {
  const accepted = sent.filter((message) => message.accepted.length > 0)
  const about = (type: string, sku?: string) =>
    accepted.filter((message) => message.type === type && (!sku || message.payload['sku'] === sku)).length
  const isHeardOfStore = (type: string) =>
    relays.toConsumer.requests.some((request) => request.type === type && numberOf(request) === undefined)
  return (
    ERP_TYPES.every((type) => about(type) >= 5) &&
    about('stock:change', 'FS-NAVY-S') >= 2 &&
    MOVED_AND_PRICED.every((sku) => about('product:update', sku) >= 2) &&
    ['stock:change', 'product:update', 'notification:info', 'notification:error'].every(isHeardOfStore)
  )
}

/** One with a shipment that is ready, before the workload's shop may send it off. */
async function tellOrderTwice({ store, comeToRest }: LoopTrial): Promise<void> {
  for (const note of ['first', 'second', 'third']) {
    await store.pool.query('update spree_orders set special_instructions = $1 where id = 45', [note])
    await comeToRest()
  }
}

/** The workload's shop may not come to it. */
async function tellCustomer({ store, comeToRest }: LoopTrial): Promise<void> {
  await store.pool.query(`update spree_users set last_name = 'Marsh' where id = 1`)
  await comeToRest()
}

let seen: LoopEvidence | undefined
const clean = (): LoopEvidence => {
  if (!seen) throw new Error('The loop did not run.')
  return seen
}

beforeAll(async () => {
  seen = await runUndisturbed()
})

test('a busy day gives no finding', () => {
  const evidence = clean()
  expect(checkLoop(evidence)).toEqual([])
  expect(evidence.toConsumer.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['product:update', 'stock:change', 'order:new', 'notification:error']),
  )
  for (const type of ERP_TYPES)
    expect(evidence.sent.filter((message) => message.type === type).length).toBeGreaterThan(3)
  expect(evidence.left.length).toBeGreaterThan(0)
})

describe('a planted fault is found', () => {
  const rules = (evidence: LoopEvidence) => [...new Set(checkLoop(evidence).map(({ rule }) => rule))]
  const with_ = (change: Partial<LoopEvidence>): LoopEvidence => ({ ...clean(), ...change })
  const outward = (change: Partial<Evidence>) => with_({ outward: { ...clean().outward, ...change } })
  /** `requests` with one altered: the first that `wanted` accepts. */
  const plant = (
    requests: readonly Relayed[],
    wanted: (request: Relayed) => boolean,
    alter: (request: Relayed) => Relayed[],
  ) => {
    const victim = requests.find(wanted)
    if (!victim) throw new Error('There is nothing to alter.')
    return requests.flatMap((request) => (request === victim ? alter(structuredClone(request)) : [request]))
  }
  const ofErp = (type: string) => (request: Relayed) =>
    request.type === type && numberOf(request) !== undefined && request.status === 200
  const ofStore = (type: string) => (request: Relayed) =>
    request.type === type && numberOf(request) === undefined
  const consumer = (wanted: (request: Relayed) => boolean, alter: (request: Relayed) => Relayed[]) =>
    rules(with_({ toConsumer: plant(clean().toConsumer, wanted, alter) }))
  const afresh = (request: Relayed): Relayed => ({
    ...request,
    key: request.key.replace(/^.{8}/, 'ffffffff'),
  })
  const later = (request: Relayed, ms: number): Relayed => ({
    ...request,
    sequence: 1e6,
    arrivedAt: (request.endedAt ?? 0) + ms,
    endedAt: (request.endedAt ?? 0) + ms,
  })

  /** As if the web had written the rows of one of its transactions once more. */
  const applyTwice = (table: string): LoopEvidence => {
    const { changes, now, foreign } = clean().outward
    const victim = changes.find((change) => change.table === table && foreign.has(change.xid))
    if (!victim) throw new Error(`The web changed no ${table}.`)
    const isStock = table.startsWith('spree_stock')
    const again = changes
      .filter(({ xid, table: of }) => xid === victim.xid && of === table)
      .map((change): Change => ({ ...change, xid: 'again' }))
    const rows = new Map(now.get(table))
    if (isStock)
      for (const { old, new: row } of again) {
        const standing = rows.get(String(row?.['id'])) as Row
        const moved = Number(row?.['count_on_hand']) - Number(old?.['count_on_hand'])
        rows.set(String(row?.['id']), {
          ...standing,
          count_on_hand: Number(standing['count_on_hand']) + moved,
        })
      }
    return outward({
      changes: [...changes, ...again],
      foreign: new Set([...foreign, 'again']),
      now: new Map([...now, [table, rows]]),
    })
  }
  /** As if the web had written nothing in one of its transactions. */
  const applyNever = (table: string): LoopEvidence => {
    const { changes, foreign } = clean().outward
    const victim = changes.find((change) => change.table === table && foreign.has(change.xid))
    return outward({ changes: changes.filter(({ xid }) => xid !== victim?.xid) })
  }

  test.each([
    ['stock', 'spree_stock_items', 'level'],
    ['a price', 'spree_prices', 'applied'],
    ['an order', 'spree_orders', 'applied'],
  ])('%s applied twice', (_, table, rule) => {
    expect(rules(applyTwice(table))).toEqual(expect.arrayContaining(['applied', rule]))
  })

  test.each([
    ['stock', 'spree_stock_items'],
    ['a price', 'spree_prices'],
    ['an order', 'spree_orders'],
  ])('%s accepted and never applied', (_, table) => {
    expect(rules(applyNever(table))).toContain('applied')
  })

  test('a level that is not what shop and ERP have made it', () => {
    const { now } = clean().outward
    const rows = new Map(now.get('spree_stock_items'))
    const [id, row] = [...rows].find(([, { variant_id }]) => String(variant_id) === '108') ?? ['', {}]
    rows.set(id, { ...row, count_on_hand: Number(row['count_on_hand']) - 1 })
    const moved = outward({ now: new Map([...now, ['spree_stock_items', rows]]) })
    expect(checkLoop(moved)).toContainEqual(expect.objectContaining({ rule: 'level', about: 'BC-01' }))
  })

  test('two orders of one number', () => {
    const { now } = clean().outward
    const rows = new Map(now.get('spree_orders'))
    const order = [...rows.values()].find(({ number }) => String(number).startsWith('ERP-')) as Row
    rows.set('999', { ...order, id: 999 })
    expect(rules(outward({ now: new Map([...now, ['spree_orders', rows]]) }))).toContain('applied')
  })

  test('prices that were applied in the wrong order', () => {
    const { changes, foreign } = clean().outward
    const prices = changes.filter(({ table, xid }) => table === 'spree_prices' && foreign.has(xid))
    const [first] = prices
    const second = prices.find((change) => change !== first && change.new?.['id'] === first?.new?.['id'])
    expect(second).toBeDefined()
    const swapped = changes.map((change) =>
      change === first ? second! : change === second ? first! : change,
    )
    expect(rules(outward({ changes: swapped }))).toContain('applied')
  })

  test('a message that the inbox calls failed though it was applied', () => {
    const [id] = [...clean().inbox].find(([, { state }]) => state === 'applied') ?? ['']
    const inbox = new Map(clean().inbox).set(id, { state: 'failed', reason: 'planted' })
    expect(rules(with_({ inbox }))).toContain('applied')
  })

  test('a message that failed without a reason, and one that the inbox does not know', () => {
    const [id] = [...clean().inbox].find(([, { state }]) => state === 'failed') ?? ['']
    const silent = new Map(clean().inbox).set(id, { state: 'failed', reason: null })
    expect(rules(with_({ inbox: silent }))).toEqual(expect.arrayContaining(['applied', 'left']))
    const unknown = new Map([...clean().inbox].filter(([key]) => key !== id))
    expect(rules(with_({ inbox: unknown }))).toContain('applied')
  })

  test('a push that was never accepted, and one that was accepted as two messages', () => {
    const [first, ...others] = clean().sent
    expect(rules(with_({ sent: [{ ...first!, accepted: [] }, ...others] }))).toContain('accepted')
    const twice = { ...first!, accepted: [...first!.accepted, 'f'.repeat(24)] }
    expect(rules(with_({ sent: [twice, ...others] }))).toContain('accepted')
    const shared = { ...others[0]!, accepted: first!.accepted }
    expect(rules(with_({ sent: [first!, shared, ...others.slice(1)] }))).toContain('accepted')
  })

  test.each(['stock:change', 'product:update', 'order:import'])(
    'a %s of the ERP that got lost on its way to the store, or came under two ids',
    (type) => {
      const isVictim = ofErp(type)
      const victim = clean().toStore.find(isVictim)
      const lost = clean().toStore.filter(({ key }) => key !== victim?.key)
      expect(rules(with_({ toStore: lost }))).toEqual(expect.arrayContaining(['applied', 'delivered']))
      const doubled = plant(clean().toStore, isVictim, (request) => [request, later(afresh(request), 1)])
      expect(rules(with_({ toStore: doubled }))).toContain('delivered')
    },
  )

  test.each(['stock:change', 'product:update', 'order:persist'])(
    'a %s of the store that the consumer never got, or got under two ids',
    (type) => {
      const isVictim = ofStore(type)
      const victim = clean().toConsumer.find(isVictim)
      const lost = clean().toConsumer.filter(({ key }) => key !== victim?.key)
      expect(rules(with_({ toConsumer: lost }))).toContain('delivered')
      expect(consumer(isVictim, (request) => [request, later(afresh(request), 1)])).toContain('delivered')
    },
  )

  test.each(['order:new', 'order:updated', 'shipment:ready'])('a lost %s, and one too many', (type) => {
    expect(consumer(ofStore(type), () => [])).toContain('derived')
    expect(consumer(ofStore(type), (request) => [request, later(afresh(request), 1)])).toContain('derived')
  })

  test('an imported order that is not told as new, and one that is told twice', () => {
    const isImport = (request: Relayed) =>
      request.type === 'order:new' && JSON.stringify(request.payload).includes('"ERP-')
    expect(consumer(isImport, () => [])).toContain('imported')
    expect(consumer(isImport, (request) => [request, later(afresh(request), 1)])).toContain('imported')
  })

  test('two messages of one aggregate that changed places at the consumer', () => {
    const { toConsumer } = clean()
    const first = toConsumer.find(
      (request) =>
        ofStore('order:updated')(request) &&
        toConsumer.some((other) => other !== request && isSameOrder(other, request)),
    )
    const second = toConsumer.find((other) => other !== first && first && isSameOrder(other, first))
    expect(second).toBeDefined()
    const swapped = toConsumer.map((request) =>
      request === first ? second! : request === second ? first! : request,
    )
    expect(rules(with_({ toConsumer: swapped }))).toContain('derived')
  })

  test('a payload that was changed on its way', () => {
    const altered = consumer(ofStore('stock:change'), (request) => [
      { ...request, payload: { ...request.payload, quantity: 77 } },
    ])
    expect(altered).toEqual(expect.arrayContaining(['delivered']))
  })

  test('what the store has said and what comes back to it', () => {
    const said = clean().toConsumer.find(ofStore('stock:change'))
    expect(rules(with_({ toStore: [...clean().toStore, later(said!, 1)] }))).toContain('returned')
  })

  test('what the ERP has said and the store tells again', () => {
    const heard = clean().toConsumer.find(
      (request) => ofErp('stock:change')(request) && !String(request.payload['sku']).startsWith('NO-'),
    )
    const { erp: _, ...payload } = heard!.payload
    const echo = { ...later(afresh(heard!), 1), payload }
    expect(rules(with_({ toConsumer: [...clean().toConsumer, echo] }))).toEqual(
      expect.arrayContaining(['echo', 'delivered']),
    )
  })

  test('a repeat of what had been answered; but not where the answer was lost, nor where the hub was killed', () => {
    const isVictim = ofStore('stock:change')
    expect(consumer(isVictim, (request) => [request, later(request, 200)])).toContain('repeated')
    const lost = plant(clean().toConsumer, isVictim, (request) => [
      { ...request, status: null, delivered: false },
      later(request, 0),
    ])
    expect(rules(with_({ toConsumer: lost }))).toEqual([])
    const repeated = plant(clean().toConsumer, isVictim, (request) => [request, later(request, 200)])
    const killedAt = clean().toConsumer.find(isVictim)!.endedAt! + 100
    const disturbances = [{ what: 'kill', from: killedAt, to: killedAt }]
    expect(rules(with_({ toConsumer: repeated, disturbances }))).toEqual([])
  })

  test.each(['product:update', 'user:updated'])(
    'a %s that the hub had not taken and that arrived; but not where its answer was lost and newer news superseded it',
    (type) => {
      const { pushedWith, isVictim, victim } = unheard(type)
      const refused = pushedWith({ accepted: false, status: 503 })
      const lost = pushedWith({ accepted: false, status: null })
      const lostByBoth = { ...lost, toConsumer: plant(clean().toConsumer, isVictim, () => []) }
      const unheardByTheHub = { ...refused, hubCommitsUnheard: [victim.arrivedAt] }
      expect(rules(refused)).toContain('delivered')
      expect(rules(unheardByTheHub)).not.toContain('delivered')
      expect(rules(lost)).not.toContain('delivered')
      expect(rules(lostByBoth)).not.toContain('delivered')
    },
  )

  test('a push whose answer was lost and that never came again, though nothing supersedes it', () => {
    expect(rules(unheard('stock:change').pushedWith({ accepted: false, status: null }))).toContain(
      'delivered',
    )
  })

  /** The first push of the type, as if it had been answered otherwise and never been sent again. */
  function unheard(type: string) {
    const { requests, messages } = clean().outward
    const victim = messages.find(({ request }) => request.type === type)?.request
    if (!victim) throw new Error(`No ${type} was pushed.`)
    const { sku, updated_at: at } = victim.payload
    return {
      victim,
      pushedWith: (answer: Partial<RecordedRequest>) =>
        outward({
          requests: requests.map((request) =>
            request.key === victim.key ? { ...request, ...answer } : request,
          ),
          messages: messages.filter(({ request }) => request.key !== victim.key),
        }),
      isVictim: (request: Relayed) =>
        ofStore(type)(request) && request.payload['sku'] === sku && request.payload['updated_at'] === at,
    }
  }

  test('two deliveries of one aggregate at once', () => {
    const { toStore } = clean()
    const moves = toStore.filter(({ payload }) => payload['sku'] === 'FS-NAVY-S')
    const [first, second] = moves
    const overlapping = toStore.map((request) =>
      request === first ? { ...request, endedAt: second!.arrivedAt + 50 } : request,
    )
    expect(rules(with_({ toStore: overlapping }))).toEqual(['order'])
  })

  test('a notification that nobody was told, and one that was told twice', () => {
    const isOne = ({ type }: Relayed) => type === 'notification:info'
    expect(consumer(isOne, () => [])).toEqual(['notified'])
    expect(consumer(isOne, (request) => [request, later(afresh(request), 1)])).toEqual(['notified'])
  })

  test('what lies in the hub for no reason', () => {
    const forgotten = { queue: 'incoming', type: 'stock:change', messageId: 'e'.repeat(24), state: 'waiting' }
    expect(rules(with_({ left: [...clean().left, forgotten] }))).toEqual(['left'])
    const parked = clean().left.map((each) => ({ ...each, state: 'parked' }))
    expect(rules(with_({ left: parked }))).toEqual(['left'])
  })

  test('in what the bridge pushed, as without a hub that speaks', () => {
    const { requests, messages } = clean().outward
    const last = messages.findLast(({ request }) => request.type === 'order:persist')
    const without = outward({
      requests: requests.filter((request) => request.key !== last?.request.key),
      messages: messages.filter((message) => message !== last),
    })
    expect(rules(without)).toContain('announced')
  })
})

function isSameOrder(one: Relayed, other: Relayed): boolean {
  const numberIn = ({ payload }: Relayed) => (payload['order'] as Row | undefined)?.['number']
  return one.type === 'order:updated' && other.type === one.type && numberIn(one) === numberIn(other)
}
