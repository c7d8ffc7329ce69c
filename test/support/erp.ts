import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { createRandom, type Random } from './random.ts'

/** A message that the ERP has to say, and each answer that it got to it. */
export type Sent = Readonly<{
  /** In the payload too, as `erp`: nobody else writes that. */
  number: number
  /** Its Idempotency-Key. */
  key: string
  type: 'stock:change' | 'product:update' | 'order:import'
  payload: Readonly<Record<string, unknown>>
  /** The `message_id` of each 201. */
  accepted: string[]
}>

export type Erp = Readonly<{
  /** In the order in which each clerk said them. */
  sent: readonly Sent[]
  /** Lets every clerk end what it is at: resolves when the hub has accepted all of it. */
  stop(): Promise<void>
}>

export type ErpOptions = Readonly<{
  /** `POST messages` of the store at the hub. */
  url: string
  token: string
  seed: number
  /** Between two messages of one clerk, at most. */
  pauseMs: number
  /** Ends it in the middle of whatever it is at. */
  signal: AbortSignal
}>

/** SKUs of both families' fixtures, each of one clerk, so that its messages have an order. The shop sells them too. */
const ONLY_MOVED = ['FS-NAVY-S', 'OC-M'] as const
export const MOVED_AND_PRICED = ['BC-01', 'TM-1'] as const
/** Ordered from outside, and so to be had in plenty. */
export const ORDERED_SKU = 'BC-01'
export const ERP_SKUS: readonly string[] = [...ONLY_MOVED, ...MOVED_AND_PRICED]

const AGAIN_AFTER_MS = 150
const PATIENCE_MS = 15_000
const MISFITS_ARE_RARER = 5
const REPEATED_FOR_NO_REASON = 0.1

const ADDRESS = {
  firstname: 'Ann',
  lastname: 'Guest',
  address1: '4 Quay Lane',
  city: 'Portland',
  zipcode: '97201',
  phone: '+1 503 555 0199',
  state: 'OR',
  country: 'US',
}

type Word = Pick<Sent, 'type' | 'payload'>

/** A program behind the hub that moves stock, sets prices and brings orders, and says each until it is accepted. */
export function startErp(options: ErpOptions): Erp {
  const sent: Sent[] = []
  let stopped = false
  let count = 0

  const say = async ({ type, payload }: Word, random: Random) => {
    const number = ++count
    const message: Sent = {
      number,
      key: randomUUID(),
      type,
      payload: { ...payload, erp: number },
      accepted: [],
    }
    sent.push(message)
    do await untilAccepted(message, options)
    while (random.chance(REPEATED_FOR_NO_REASON))
  }
  const clerk = async (place: number, pauseMs: number, next: (random: Random) => Word) => {
    const random = createRandom(options.seed * 1000 + 500 + place)
    while (!stopped && !options.signal.aborted) {
      await say(next(random), random)
      await pause(random.between(0, pauseMs))
    }
  }
  const clerks = [
    (random: Random) => move(random.pick(ONLY_MOVED), random),
    (random: Random) => {
      const sku = random.pick(MOVED_AND_PRICED)
      return random.chance(0.5) ? reprice(sku, count) : move(sku, random)
    },
    () => bringOrder(`ERP-${options.seed}-${count}`),
  ]
  // What no store can take: kept by the bridge with its reason, and tried by the hub again and again.
  const misfit = (random: Random) => move(`NO-SUCH-${count}`, random)
  const working = Promise.all([
    ...clerks.map((next, place) => clerk(place, options.pauseMs, next)),
    clerk(clerks.length, MISFITS_ARE_RARER * options.pauseMs, misfit),
  ])
  working.catch(() => {}) // whoever stops it hears of it
  return {
    sent,
    stop: async () => {
      stopped = true
      await working
    },
  }
}

function move(sku: string, random: Random): Word {
  return { type: 'stock:change', payload: { sku, quantity: random.pick([-4, -2, -1, 3, 6, 7]) } }
}

/** A price that nobody else sets. */
function reprice(sku: string, count: number): Word {
  return { type: 'product:update', payload: { sku, price: `${1000 + count}.50` } }
}

function bringOrder(number: string): Word {
  const item = { sku: ORDERED_SKU, name: 'Brass Compass', quantity: 2, price: 34.5 }
  return {
    type: 'order:import',
    payload: {
      order: {
        number,
        channel: 'erp',
        email: 'buyer@marketplace.example',
        currency: 'USD',
        status: 'complete',
        placed_on: '2026-03-09T09:28:00Z',
        totals: { item: 69, adjustment: 0, tax: 0, shipping: 6, payment: 0, order: 75 },
        line_items: [item],
        adjustments: [],
        shipping_address: ADDRESS,
        billing_address: ADDRESS,
        payments: [],
        shipments: [{ number: '', cost: 6, status: 'pending', items: [item] }],
      },
    },
  }
}

/** @throws where the hub refuses it: then the ERP is wrong, or the hub. */
async function untilAccepted(message: Sent, { url, token, signal }: ErpOptions): Promise<void> {
  const { type, payload, key, number } = message
  while (!signal.aborted) {
    // Not AbortSignal.timeout: combined with another signal, Node 20 may forget it before its time.
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(), PATIENCE_MS)
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Augury-Token': token, 'Idempotency-Key': key },
      body: JSON.stringify({ message: type, payload }),
      signal: AbortSignal.any([signal, patience.signal]),
    })
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch(() => undefined)
      .finally(() => clearTimeout(timer))
    if (answer?.status === 201) {
      message.accepted.push((JSON.parse(answer.text) as { message_id: string }).message_id)
      return
    }
    if (answer && answer.status < 500)
      throw new Error(`The hub refused message ${number} of the ERP: ${answer.status} ${answer.text}`)
    await pause(AGAIN_AFTER_MS)
  }
}
