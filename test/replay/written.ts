import type { Db } from '../../src/postgres/pool.ts'
import type { ReplayShop } from './shop.ts'
import { number, type Product, type State, text, type Variant } from './state.ts'

type Row = Readonly<Record<string, unknown>>
type Tables = (name: string) => readonly Row[]

/** The shop as its tables have it: whole rows, put together here, with none of the bridge's own statements. */
export async function readWritten(db: Db, shop: ReplayShop): Promise<State> {
  const { stock, shipments, units, customers } = shop.words
  const names = [
    ...['spree_products', 'spree_variants', 'spree_prices', 'spree_option_types', 'spree_option_values'],
    ...['spree_option_value_variants', 'spree_option_values_variants', 'spree_orders', 'spree_line_items'],
    ...['spree_payments', 'spree_addresses', 'spree_deliveries'],
    ...[stock, shipments, units],
    ...(customers ? [customers] : []),
  ].filter((name) => shop.has(name, 'variant_id') || shop.has(name, 'id'))
  const { rows } = await db.query<{ name: string; rows: Row[] }>(
    names
      .map((name) => `select '${name}' as name, coalesce(json_agg(t), '[]') as rows from ${name} t`)
      .join(' union all '),
  )
  const found = new Map(rows.map((table) => [table.name, table.rows]))
  const tables: Tables = (name) => found.get(name) ?? []
  const living = tables('spree_products').filter(isLiving)
  const variants = tables('spree_variants').filter(
    (variant) => isLiving(variant) && living.some(({ id }) => id === variant['product_id']),
  )
  return {
    products: new Map(living.map((product) => [String(product['id']), productOf(product, variants, tables)])),
    stock: levels(variants, tables(stock)),
    orders: new Map(
      tables('spree_orders')
        .filter((order) => order['completed_at'] !== null)
        .map((order) => [String(order['number']), orderOf(order, tables, shop)]),
    ),
    customers: new Map(
      (customers ? tables(customers) : []).filter(isLiving).map((customer) => [
        String(customer['id']),
        {
          email: customer['email'],
          bill_address: addressOf(customer['bill_address_id'], tables),
          ship_address: addressOf(customer['ship_address_id'], tables),
        },
      ]),
    ),
  }
}

function isLiving(row: Row): boolean {
  return (row['deleted_at'] ?? null) === null
}

function productOf(product: Row, living: readonly Row[], tables: Tables): Product {
  const own = living.filter((variant) => variant['product_id'] === product['id']).sort(byId)
  const master = own.find((variant) => variant['is_master'] === true)
  const main = master ?? own.find(({ id }) => id === product['default_variant_id'])
  const price = main && priceOf(main, tables)
  return {
    name: product['name'],
    description: product['description'],
    permalink: product['slug'],
    sku: String(master?.['sku'] ?? ''),
    price: price ?? undefined,
    variants: own
      .filter((variant) => variant !== master)
      .map(
        (variant): Variant => ({
          id: String(variant['id']),
          sku: String(variant['sku']),
          price: priceOf(variant, tables),
          cost_price: number(variant['cost_price']),
          position: variant['position'],
          weight: number(variant['weight']),
          options: optionsOf(variant, tables),
        }),
      ),
  }
}

/** In the shop's currency, from no list of prices and for no single country: the first of them. */
function priceOf(variant: Row, tables: Tables): number | null {
  const prices = tables('spree_prices').filter(
    (price) =>
      price['variant_id'] === variant['id'] &&
      price['currency'] === 'USD' &&
      isLiving(price) &&
      price['amount'] !== null &&
      (price['price_list_id'] ?? null) === null &&
      (price['country_iso'] ?? null) === null,
  )
  // Of several the one that Solidus takes: the latest.
  const latest = prices.sort((one, other) =>
    String(other['updated_at']).localeCompare(String(one['updated_at'])),
  )[0]
  return number(latest?.['amount'])
}

function optionsOf(variant: Row, tables: Tables): Record<string, unknown> {
  const links = [...tables('spree_option_value_variants'), ...tables('spree_option_values_variants')]
  return Object.fromEntries(
    links
      .filter((link) => link['variant_id'] === variant['id'])
      .map((link) => {
        const value = tables('spree_option_values').find(({ id }) => id === link['option_value_id'])
        const type = tables('spree_option_types').find(({ id }) => id === value?.['option_type_id'])
        return [String(type?.['name']), value?.['name']]
      }),
  )
}

function levels(variants: readonly Row[], items: readonly Row[]): Map<string, number> {
  const stock = new Map<string, number>()
  for (const item of items.filter(isLiving)) {
    const sku = String(variants.find(({ id }) => id === item['variant_id'])?.['sku'] ?? '')
    if (sku !== '') stock.set(sku, (stock.get(sku) ?? 0) + Number(item['count_on_hand']))
  }
  return stock
}

function addressOf(id: unknown, tables: Tables): unknown {
  const address = tables('spree_addresses').find((row) => row['id'] === id)
  if (!address) return null
  const two = [address['firstname'] ?? address['first_name'], address['lastname'] ?? address['last_name']]
  return {
    name: address['name'] ?? two.join(' '),
    address1: address['address1'],
    city: address['city'],
    zipcode: address['zipcode'] ?? address['postal_code'] ?? null,
  }
}

function orderOf(order: Row, tables: Tables, { words }: ReplayShop): unknown {
  const ofOrder = (table: string) =>
    tables(table)
      .filter((row) => row['order_id'] === order['id'])
      .sort(byId)
  const six = !words.masters
  const states = six ? statesOfSix(order) : order
  const isPaid = ['paid', 'credit_owed'].includes(String(states['payment_state']))
  const shipmentState = ({ status }: Row) => {
    if (status === 'fulfilled' || status === 'delivered') return 'shipped'
    return status === 'canceled' ? status : isPaid ? 'ready' : 'pending'
  }
  const shipments = ofOrder(words.shipments).map((shipment) => ({
    id: String(shipment['id']),
    state: six ? shipmentState(shipment) : shipment['state'],
    shipped: (shipment['shipped_at'] ?? shipment['fulfilled_at'] ?? null) !== null,
    tracking: six ? trackingOf(shipment, tables) : shipment['tracking'],
    cost: number(shipment['cost']),
    units: tables(words.units)
      .filter((unit) => unit[words.unitParent] === shipment['id'])
      .sort(byId)
      .map((unit) => ({
        id: String(unit['id']),
        variant_id: text(unit['variant_id']),
        state: unit['state'] ?? unit['status'],
        quantity: unit['quantity'] ?? null,
      })),
  }))
  return {
    email: order['email'],
    state: states['state'],
    payment_state: states['payment_state'],
    shipment_state: six ? overallOfSix(order, shipments) : order['shipment_state'],
    item_total: number(order['item_total']),
    ship_total: number(order['shipment_total'] ?? order['delivery_total']),
    total: number(order['total']),
    payment_total: number(order['payment_total']),
    special_instructions: order['special_instructions'] ?? order['customer_note'] ?? null,
    bill_address: addressOf(order['bill_address_id'], tables),
    ship_address: addressOf(order['ship_address_id'], tables),
    line_items: ofOrder('spree_line_items').map((line) => ({
      id: String(line['id']),
      variant_id: text(line['variant_id']),
      quantity: line['quantity'],
      price: number(line['price']),
    })),
    payments: ofOrder('spree_payments').map((payment) => ({
      id: String(payment['id']),
      amount: number(payment['amount']),
      state: payment['state'] ?? payment['status'],
    })),
    shipments,
  }
}

function statesOfSix(order: Row): Row {
  const difference = Number(order['payment_total']) - Number(order['total'])
  const balance = difference === 0 ? 'paid' : difference < 0 ? 'balance_due' : 'credit_owed'
  return {
    state: order['status'] === 'placed' ? 'complete' : order['status'],
    payment_state: order['payment_status'] === 'voided' ? 'void' : balance,
  }
}

function overallOfSix(order: Row, shipments: readonly Readonly<{ state: unknown }>[]): unknown {
  switch (order['fulfillment_status']) {
    case 'backordered':
      return 'backorder'
    case 'fulfilled':
    case 'delivered':
      return 'shipped'
    case 'unfulfilled':
      return shipments.every(({ state }) => state === 'ready') ? 'ready' : 'pending'
    default:
      return order['fulfillment_status']
  }
}

function trackingOf(shipment: Row, tables: Tables): unknown {
  const deliveries = tables('spree_deliveries')
    .filter((row) => row['owner_type'] === 'Spree::Fulfillment' && row['owner_id'] === shipment['id'])
    .sort(byId)
  return deliveries[0]?.['tracking_number'] ?? null
}

function byId(one: Row, other: Row): number {
  return Number(one['id']) - Number(other['id'])
}
