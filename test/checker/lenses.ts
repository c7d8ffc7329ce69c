import type { Row } from '../support/audit.ts'
import type { StoreFamily } from '../support/stores.ts'
import { decimal, type Fields, happened, text } from './picture.ts'
import type { Relations } from './relations.ts'

/** How the rows of one table are to be seen in messages. */
export type Lens = Readonly<{
  /** The aggregates that the row belongs to: `order:3`. */
  owners(row: Row, store: Relations): readonly string[]
  /** Under which name; null while a message shows nothing of the row. */
  show(row: Row, store: Relations): Readonly<{ key: string; fields: Fields }> | null
}>

const product: Lens = {
  owners: (row) => [`product:${row['id']}`],
  show: (row) => ({
    key: `product:${row['id']}`,
    fields: {
      name: text(row['name']),
      description: text(row['description']),
      permalink: text(row['slug']),
      meta_description: text(row['meta_description']),
      meta_keywords: text(row['meta_keywords']),
      deleted: happened(row['deleted_at']),
    },
  }),
}

/** Of a master only the SKU is shown, as the product's own. */
const variant: Lens = {
  owners: (row) => [`product:${row['product_id']}`],
  show: (row) => {
    if (row['deleted_at'] !== null) return null
    const sku = { sku: text(row['sku']) }
    const measures = {
      cost_price: decimal(row['cost_price']),
      position: text(row['position']),
      weight: decimal(row['weight']),
      height: decimal(row['height']),
      width: decimal(row['width']),
      depth: decimal(row['depth']),
    }
    return { key: `variant:${row['id']}`, fields: row['is_master'] === true ? sku : { ...sku, ...measures } }
  },
}

const price: Lens = {
  owners: (row, store) => {
    const owner = store.productOfVariant.get(String(row['variant_id']))
    return owner ? [`product:${owner}`] : []
  },
  show: (row, store) => {
    const base = (row['price_list_id'] ?? null) === null && (row['min_quantity'] ?? 1) === 1
    const shown = row['deleted_at'] === null && row['currency'] === store.currency && row['amount'] !== null
    if (!base || !shown) return null
    return { key: `price:${row['variant_id']}`, fields: { amount: decimal(row['amount']) } }
  },
}

const ofOrder = (row: Row) => (row['order_id'] === null ? [] : [`order:${row['order_id']}`])

/** What both families call by the same names; `ship_total` and the states are the families' own. */
function orderFields(row: Row): Fields {
  return {
    number: text(row['number']),
    email: text(row['email']),
    currency: text(row['currency']),
    item_total: decimal(row['item_total']),
    adjustment_total: decimal(row['adjustment_total']),
    total: decimal(row['total']),
    payment_total: decimal(row['payment_total']),
    bill_address_id: text(row['bill_address_id']),
    ship_address_id: text(row['ship_address_id']),
    completed: happened(row['completed_at']),
  }
}

/** An order is one from the commit that sets completed_at; before, it is a cart. */
function order(own: (row: Row) => Fields): Lens {
  return {
    owners: (row) => [`order:${row['id']}`],
    show: (row) =>
      row['completed_at'] === null
        ? null
        : { key: `order:${row['id']}`, fields: { ...orderFields(row), ...own(row) } },
  }
}

const lineItem: Lens = {
  owners: ofOrder,
  show: (row) => ({
    key: `line_item:${row['id']}`,
    fields: {
      variant_id: text(row['variant_id']),
      quantity: text(row['quantity']),
      price: decimal(row['price']),
    },
  }),
}

function address(names: Readonly<{ first: string; last: string; zip: string }>): Lens {
  return {
    owners: (row, store) => {
      const [orders, customers] = [store.ordersOfAddress, store.customersOfAddress].map(
        (owners) => owners.get(String(row['id'])) ?? [],
      )
      return [
        ...[...orders!].map((order) => `order:${order}`),
        ...[...customers!].map((customer) => `customer:${customer}`),
      ]
    },
    show: (row) => ({
      key: `address:${row['id']}`,
      fields: {
        firstname: text(row[names.first]),
        lastname: text(row[names.last]),
        address1: text(row['address1']),
        address2: text(row['address2']),
        city: text(row['city']),
        zipcode: text(row[names.zip]),
        phone: text(row['phone']),
      },
    }),
  }
}

const customer: Lens = {
  owners: (row) => [`customer:${row['id']}`],
  show: (row) => ({
    key: `customer:${row['id']}`,
    fields: {
      email: text(row['email']),
      first_name: text(row['first_name']),
      last_name: text(row['last_name']),
      bill_address_id: text(row['bill_address_id']),
      ship_address_id: text(row['ship_address_id']),
      deleted: happened(row['deleted_at']),
    },
  }),
}

function payment(state: string): Lens {
  return {
    owners: ofOrder,
    show: (row) => ({
      key: `payment:${row['id']}`,
      fields: { amount: decimal(row['amount']), state: text(row[state]) },
    }),
  }
}

const catalogue = { spree_products: product, spree_variants: variant, spree_prices: price }

export const LENSES: Readonly<Record<StoreFamily, Readonly<Record<string, Lens>>>> = {
  'spree-4.10': {
    ...catalogue,
    spree_orders: order((row) => ({
      state: text(row['state']),
      payment_state: text(row['payment_state']),
      shipment_state: text(row['shipment_state']),
      ship_total: decimal(row['shipment_total']),
      special_instructions: text(row['special_instructions']),
      user_id: text(row['user_id']),
    })),
    spree_line_items: lineItem,
    spree_addresses: address({ first: 'firstname', last: 'lastname', zip: 'zipcode' }),
    spree_users: customer,
    spree_payments: payment('state'),
    spree_shipments: {
      owners: ofOrder,
      show: (row) => ({
        key: `shipment:${row['id']}`,
        fields: {
          number: text(row['number']),
          cost: decimal(row['cost']),
          state: text(row['state']),
          tracking: text(row['tracking']),
          shipped: happened(row['shipped_at']),
        },
      }),
    },
    spree_inventory_units: {
      owners: ofOrder,
      show: (row) => ({
        key: `unit:${row['id']}`,
        fields: {
          variant_id: text(row['variant_id']),
          state: text(row['state']),
          quantity: text(row['quantity']),
        },
      }),
    },
    spree_adjustments: {
      owners: ofOrder,
      show: (row) => ({
        key: `adjustment:${row['id']}`,
        fields: { amount: decimal(row['amount']), label: text(row['label']) },
      }),
    },
  },
  'spree-6.0': {
    ...catalogue,
    spree_orders: order((row) => ({
      state: row['status'] === 'placed' ? 'complete' : text(row['status']),
      payment_state: paymentStateOfSix(row),
      ship_total: decimal(row['delivery_total']),
      special_instructions: text(row['customer_note']),
      user_id: text(row['customer_id']),
    })),
    spree_line_items: lineItem,
    spree_addresses: address({ first: 'first_name', last: 'last_name', zip: 'postal_code' }),
    spree_customers: customer,
    spree_payments: payment('status'),
    spree_fulfillments: {
      owners: ofOrder,
      show: (row) => ({
        key: `shipment:${row['id']}`,
        fields: { cost: decimal(row['cost']), shipped: happened(row['fulfilled_at']) },
      }),
    },
    spree_fulfillment_items: {
      owners: ofOrder,
      show: (row) => ({
        key: `unit:${row['id']}`,
        fields: { variant_id: text(row['variant_id']), quantity: text(row['quantity']) },
      }),
    },
    spree_deliveries: {
      owners: (row, store) => {
        const owner = store.orderOfShipment.get(String(row['owner_id']))
        return owner ? [`order:${owner}`] : []
      },
      show: (row) => ({
        key: `tracking:${row['owner_id']}`,
        fields: { tracking: text(row['tracking_number']) },
      }),
    },
  },
}

function paymentStateOfSix(row: Row): string {
  if (row['payment_status'] === 'voided') return 'void'
  const open = Number(row['total']) - Number(row['payment_total'])
  if (open === 0) return 'paid'
  return open > 0 ? 'balance_due' : 'credit_owed'
}
