import type { Told } from '../support/collecting.ts'
import { number, type Product, type State, skusOf, text, type Variant } from './state.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Who knows of a shop what its messages say, and nothing else. Stock is kept by SKU: with another SKU of a variant its
 * pieces go along, and with the last variant of a SKU they are gone. The SKU of a variant that goes while another has it
 * keeps its pieces until it is told otherwise.
 */
export class ReplayingConsumer {
  readonly state: State
  /**
   * Whose pieces are whose cannot be known by SKU: two variants had one, and one of them got another; or one went that
   * another product got before anybody looked, since messages of two products come in any order.
   */
  readonly doubtful = new Set<string>()
  /** By product, order or customer what was said of it last. */
  readonly #said = new Map<string, string>()
  /** SKUs that nobody has any more, since the last look. */
  readonly #gone = new Set<string>()

  /** `imported`: what it had before the first message. */
  constructor(imported: State) {
    this.state = {
      products: new Map(imported.products),
      stock: new Map(imported.stock),
      orders: new Map(imported.orders),
      customers: new Map(imported.customers),
    }
  }

  hear(messages: readonly Told[]): void {
    this.#gone.clear()
    for (const message of messages) {
      if (!message.type.startsWith('stock:')) this.#note(message)
      this.#hear(message)
    }
  }

  /** The same once more, but for when it was touched, is no news. */
  #note({ aggregate, type, payload }: Told): void {
    const said = JSON.stringify(payload, (key, value: unknown) => (key === 'updated_at' ? undefined : value))
    if (this.#said.get(aggregate) === said)
      throw new Error(`${type} says of ${aggregate} what was said of it before`)
    this.#said.set(aggregate, said)
  }

  #hear({ type, payload }: Told): void {
    const { stock, orders, customers, products } = this.state
    switch (type) {
      case 'product:new':
        if (products.has(String(payload['id'])))
          throw new Error(`product ${payload['id']} is told as new again`)
        this.#put(payload)
        return
      case 'product:update':
        this.#put(payload)
        return
      case 'stock:change': {
        const sku = String(payload['sku'])
        stock.set(sku, (stock.get(sku) ?? 0) + Number(payload['quantity']))
        return
      }
      case 'stock:actual':
        stock.set(String(payload['sku']), Number(payload['quantity']))
        return
      case 'order:persist':
        orders.set(String(payload['number']), orderOf(payload))
        return
      case 'user:new':
      case 'user:updated': {
        const id = String(payload['id'])
        if (payload['deleted_at'] !== null) customers.delete(id)
        else customers.set(id, customerOf(payload))
        return
      }
      default:
        throw new Error(`nothing here causes a ${type}`)
    }
  }

  #put(payload: Fields): void {
    const { products, stock } = this.state
    const id = String(payload['id'])
    const before = products.get(id)
    const after = payload['deleted_at'] === null ? productOf(payload) : undefined
    if (after) products.set(id, after)
    else products.delete(id)
    const skus = after ? skusOf(after) : new Map<string, string>()
    for (const sku of skus.values()) if (this.#gone.has(sku)) this.doubtful.add(sku)
    for (const [variant, sku] of before ? skusOf(before) : []) {
      const now = skus.get(variant)
      if (now === sku) continue
      const isUsed = this.#isUsed(sku)
      if (now !== undefined && (isUsed || this.doubtful.has(sku))) this.doubtful.add(sku).add(now)
      if (isUsed) continue
      this.#gone.add(sku)
      const pieces = stock.get(sku)
      stock.delete(sku)
      if (now !== undefined && pieces !== undefined) stock.set(now, (stock.get(now) ?? 0) + pieces)
    }
  }

  #isUsed(sku: string): boolean {
    return [...this.state.products.values()].some((product) => [...skusOf(product).values()].includes(sku))
  }
}

function productOf(payload: Fields): Product {
  return {
    name: payload['name'],
    description: payload['description'],
    permalink: payload['permalink'],
    sku: String(payload['sku']),
    price: number(payload['price']),
    variants: listOf(payload['variants']).map(
      (variant): Variant => ({
        id: String(variant['id']),
        sku: String(variant['sku']),
        price: number(variant['price']),
        cost_price: number(variant['cost_price']),
        position: variant['position'],
        weight: number(variant['weight']),
        options: variant['options'] as Fields,
      }),
    ),
  }
}

function orderOf(payload: Fields): unknown {
  return {
    email: payload['email'],
    state: payload['state'],
    payment_state: payload['payment_state'],
    shipment_state: payload['shipment_state'],
    item_total: number(payload['item_total']),
    ship_total: number(payload['ship_total']),
    total: number(payload['total']),
    payment_total: number(payload['payment_total']),
    special_instructions: payload['special_instructions'],
    bill_address: addressOf(payload['bill_address']),
    ship_address: addressOf(payload['ship_address']),
    line_items: listOf(payload['line_items']).map((line) => ({
      id: String(line['id']),
      variant_id: text(line['variant_id']),
      quantity: line['quantity'],
      price: number(line['price']),
    })),
    payments: listOf(payload['payments']).map((payment) => ({
      id: String(payment['id']),
      amount: number(payment['amount']),
      state: payment['state'],
    })),
    shipments: listOf(payload['shipments']).map((shipment) => ({
      id: String(shipment['id']),
      state: shipment['state'],
      shipped: shipment['shipped_at'] !== null,
      tracking: shipment['tracking'],
      cost: number(shipment['cost']),
      units: listOf(shipment['inventory_units']).map((unit) => ({
        id: String(unit['id']),
        variant_id: text(unit['variant_id']),
        state: unit['state'],
        quantity: unit['quantity'] ?? null,
      })),
    })),
  }
}

function customerOf(payload: Fields): unknown {
  return {
    email: payload['email'],
    bill_address: addressOf(payload['bill_address']),
    ship_address: addressOf(payload['ship_address']),
  }
}

function addressOf(address: unknown): unknown {
  if (address === null) return null
  const { firstname, lastname, address1, city, zipcode } = address as Fields
  return { name: [firstname, lastname].join(' '), address1, city, zipcode }
}

function listOf(rows: unknown): readonly Fields[] {
  return rows as readonly Fields[]
}
