import { randomUUID } from 'node:crypto'
import type { Audit, Row, StoreRows } from '../support/audit.ts'
import type { RecordingHub } from '../support/recording-hub.ts'

type Told = Readonly<{ type: string; payload: object }>

/**
 * The simplest thing that keeps the promises, to try the checker on: looks at the whole store, tells what differs from
 * its last look, each message until it is taken, and only then looks again.
 */
export function createReferenceBridge(
  audit: Audit,
  hub: RecordingHub,
): Readonly<{ announce(): Promise<void> }> {
  let before = audit.seed
  return {
    announce: async () => {
      const { now } = await audit.read()
      const messages = new Map<string, Told[]>()
      const tell = (aggregate: string, told: Told) =>
        messages.set(aggregate, [...(messages.get(aggregate) ?? []), told])
      for (const product of idsOf('spree_products', before, now)) {
        const told = tellProduct(product, before, now)
        if (told) tell(`product:${product}`, told)
      }
      for (const [variant, row] of now.get('spree_variants') ?? []) {
        const quantity = levelOf(variant, now) - levelOf(variant, before)
        if (quantity !== 0 && row['deleted_at'] === null && row['sku'] !== '')
          tell(`product:${row['product_id']}`, {
            type: 'stock:change',
            payload: { sku: row['sku'], quantity },
          })
      }
      for (const order of now.get('spree_orders')?.keys() ?? []) {
        const payload = orderPayload(order, now)
        if (payload && !same(payload, orderPayload(order, before)))
          tell(`order:${order}`, { type: 'order:persist', payload })
      }
      for (const customer of idsOf('spree_users', before, now)) {
        const [was, is] = [customerPayload(customer, before), customerPayload(customer, now)]
        if (is && !same(is, was))
          tell(`customer:${customer}`, { type: was ? 'user:updated' : 'user:new', payload: is })
      }
      before = now
      await Promise.all([...messages.values()].map((ofAggregate) => pushAll(ofAggregate, hub)))
    },
  }
}

async function pushAll(messages: readonly Told[], hub: RecordingHub): Promise<void> {
  for (const { type, payload } of messages) {
    const headers = {
      'content-type': 'application/json',
      'x-augury-token': hub.token,
      'idempotency-key': randomUUID(),
    }
    const body = JSON.stringify({ message: type, payload, origin: 'store' })
    const url = `${hub.url}/api/stores/${hub.storeId}/messages`
    for (let taken = false; !taken; )
      taken = await fetch(url, { method: 'POST', headers, body }).then(
        (answer) => answer.status === 201,
        () => false,
      )
  }
}

function tellProduct(id: string, before: StoreRows, now: StoreRows): Told | null {
  const was = productPayload(id, before)
  const is = productPayload(id, now)
  if (!is)
    return was ? { type: 'product:update', payload: { ...was, deleted_at: new Date().toISOString() } } : null
  if (!was) return { type: 'product:new', payload: is }
  return same(is, was) ? null : { type: 'product:update', payload: is }
}

function productPayload(id: string, rows: StoreRows): object | null {
  const product = rows.get('spree_products')?.get(id)
  if (!product) return null
  const variants = of('spree_variants', 'product_id', id, rows).filter((row) => row['deleted_at'] === null)
  const master = variants.find((row) => row['is_master'] === true)
  const priced = master ?? variants.find((row) => row['id'] === product['default_variant_id'])
  return {
    id,
    name: product['name'],
    description: product['description'],
    permalink: product['slug'],
    meta_description: product['meta_description'],
    meta_keywords: product['meta_keywords'],
    deleted_at: product['deleted_at'],
    updated_at: product['updated_at'],
    sku: master?.['sku'] ?? '',
    price: priced ? priceOf(priced, rows) : null,
    variants: variants.filter((row) => row !== master).map((row) => ({ ...row, price: priceOf(row, rows) })),
  }
}

function priceOf(variant: Row, rows: StoreRows): unknown {
  const price = of('spree_prices', 'variant_id', String(variant['id']), rows).find(
    (row) =>
      row['currency'] === 'USD' && row['deleted_at'] === null && (row['price_list_id'] ?? null) === null,
  )
  return price?.['amount'] ?? null
}

/** As the older family has it; for the newer one the columns are given the older names. */
function orderPayload(id: string, rows: StoreRows): object | null {
  const order = rows.get('spree_orders')?.get(id)
  if (!order || order['completed_at'] === null) return null
  const children = (table: string) => of(table, 'order_id', id, rows)
  const units = children('spree_inventory_units')
  return {
    ...order,
    ship_total: order['shipment_total'],
    bill_address: rows.get('spree_addresses')?.get(String(order['bill_address_id'])) ?? null,
    ship_address: rows.get('spree_addresses')?.get(String(order['ship_address_id'])) ?? null,
    line_items: children('spree_line_items'),
    payments: children('spree_payments'),
    adjustments: children('spree_adjustments'),
    shipments: children('spree_shipments').map((shipment) => ({
      ...shipment,
      inventory_units: units.filter((unit) => unit['shipment_id'] === shipment['id']),
    })),
  }
}

function customerPayload(id: string, rows: StoreRows): object | null {
  const customer = rows.get('spree_users')?.get(id)
  if (!customer) return null
  const address = (column: string) => rows.get('spree_addresses')?.get(String(customer[column])) ?? null
  return { ...customer, bill_address: address('bill_address_id'), ship_address: address('ship_address_id') }
}

function levelOf(variant: string, rows: StoreRows): number {
  return ['spree_stock_items', 'spree_stock_levels']
    .flatMap((table) => of(table, 'variant_id', variant, rows))
    .filter((row) => row['deleted_at'] === null)
    .reduce((sum, row) => sum + Number(row['count_on_hand']), 0)
}

function of(table: string, column: string, id: string, rows: StoreRows): Row[] {
  return [...(rows.get(table)?.values() ?? [])].filter((row) => String(row[column]) === id)
}

function idsOf(table: string, ...sides: readonly StoreRows[]): ReadonlySet<string> {
  return new Set(sides.flatMap((rows) => [...(rows.get(table)?.keys() ?? [])]))
}

function same(left: object | null, right: object | null): boolean {
  const content = (value: object | null) =>
    JSON.stringify(value, (name, part: unknown) => (name === 'updated_at' ? undefined : part))
  return content(left) === content(right)
}
