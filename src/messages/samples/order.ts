import type { RawOrder } from '../schemas/order-message.ts'

const country = {
  id: 1,
  iso_name: 'UNITED STATES',
  iso: 'US',
  iso3: 'USA',
  name: 'United States',
  numcode: 840,
}

const ground = {
  name: 'Ground',
  code: 'GROUND',
  zone_id: null,
  shipping_category_id: null,
  tracking_url: 'https://track.example/:tracking',
}

const address: NonNullable<RawOrder['ship_address']> = {
  id: 9001,
  firstname: 'Ida',
  lastname: 'Holm',
  address1: '12 Wharf Street',
  address2: 'Loft',
  city: 'Portland',
  zipcode: '04101',
  phone: '+1 207 555 0142',
  company: null,
  alternative_phone: null,
  country_id: 1,
  state_id: 11,
  state_name: null,
  country,
  state: { id: 11, name: 'Maine', abbr: 'ME', country_id: 1 },
}

/** What the samples are about, as the bridge announces it of a store up to 5.x: paid, to be shipped in two parts. */
export const placedOrder: RawOrder = {
  id: 9100,
  number: 'R900000017',
  user_id: 31,
  email: 'ida.holm@example.com',
  currency: 'USD',
  channel: 'spree',
  token: null,
  last_ip_address: null,
  state: 'complete',
  payment_state: 'paid',
  shipment_state: 'ready',
  item_total: '223.0',
  adjustment_total: '8.92',
  ship_total: '12.0',
  tax_total: '8.92',
  included_tax_total: '0.0',
  additional_tax_total: '8.92',
  display_included_tax_total: null,
  display_additional_tax_total: null,
  total: '243.92',
  payment_total: '243.92',
  created_at: '2026-03-09T14:02:11.318Z',
  updated_at: '2026-03-09T14:07:52.640Z',
  completed_at: '2026-03-09T14:07:52.640Z',
  locked_at: null,
  special_instructions: 'Leave it with the harbour master.',
  promotion: null,
  campaign: null,
  bill_address: { ...address, id: 9002, address2: null, company: 'Holm Chandlery' },
  ship_address: address,
  line_items: [
    {
      id: 9201,
      quantity: 2,
      price: '89.0',
      variant_id: 103,
      created_at: '2026-03-09T14:02:11.318Z',
      updated_at: '2026-03-09T14:02:11.318Z',
      variant: {
        id: 103,
        name: "Fisherman's Sweater",
        product_id: 11,
        sku: 'FS-NAVY-M',
        price: '89.0',
        weight: '0.9',
        height: null,
        width: null,
        depth: null,
        is_master: false,
        cost_price: '41.0',
        permalink: 'fishermans-sweater',
        options_text: 'Size: M, Color: Navy',
        option_values: [
          { id: 22, name: 'medium', presentation: 'M', option_type_name: 'size', option_type_id: 1 },
          { id: 24, name: 'navy', presentation: 'Navy', option_type_name: 'color', option_type_id: 2 },
        ],
        images: [],
      },
    },
    {
      id: 9202,
      quantity: 1,
      price: '45.0',
      variant_id: 110,
      created_at: '2026-03-09T14:03:40.007Z',
      updated_at: '2026-03-09T14:03:40.007Z',
      variant: {
        id: 110,
        name: 'Storm Lantern',
        product_id: 15,
        sku: 'SL-7',
        price: '45.0',
        weight: '1.1',
        height: null,
        width: null,
        depth: null,
        is_master: true,
        cost_price: '19.0',
        permalink: 'storm-lantern',
        options_text: '',
        option_values: [],
        images: [],
      },
    },
  ],
  payments: [
    {
      id: 9301,
      number: 'P7K2M9QX',
      amount: '243.92',
      state: 'completed',
      payment_method_id: 2,
      payment_method: { id: 2, name: 'Credit card', environment: null },
    },
  ],
  shipments: [
    {
      id: 9401,
      number: 'H90000000171',
      tracking: null,
      cost: '6.0',
      shipped_at: null,
      state: 'ready',
      order_id: 'R900000017',
      stock_location_name: 'Portland warehouse',
      shipping_rates: [
        { id: 9501, cost: '6.0', selected: true, shipment_id: 9401, shipping_method_id: 1 },
        { id: 9502, cost: '14.5', selected: false, shipment_id: 9401, shipping_method_id: 2 },
      ],
      shipping_method: ground,
      inventory_units: [
        { id: 9601, state: 'on_hand', variant_id: 103, order_id: 9100, shipment_id: 9401, quantity: 2 },
      ],
    },
    {
      id: 9402,
      number: 'H90000000172',
      tracking: null,
      cost: '6.0',
      shipped_at: null,
      state: 'ready',
      order_id: 'R900000017',
      stock_location_name: 'Portland warehouse',
      shipping_rates: [{ id: 9503, cost: '6.0', selected: true, shipment_id: 9402, shipping_method_id: 1 }],
      shipping_method: ground,
      inventory_units: [
        { id: 9602, state: 'on_hand', variant_id: 110, order_id: 9100, shipment_id: 9402, quantity: 1 },
      ],
    },
  ],
  adjustments: [
    {
      id: 9701,
      amount: '8.92',
      label: 'Sales tax 4.0%',
      mandatory: null,
      eligible: true,
      included: false,
      originator_type: 'Spree::TaxRate',
      adjustable_type: 'Spree::Order',
    },
  ],
  credit_cards: [
    {
      id: 9801,
      month: '11',
      year: '2029',
      cc_type: 'visa',
      last_digits: '4242',
      first_name: 'Ida',
      last_name: 'Holm',
      gateway_customer_profile_id: null,
      gateway_payment_profile_id: null,
    },
  ],
  refunds: [],
  store: { id: 1, code: 'harbour', name: 'Harbour Supply' },
}

/** One of its two shipments gone. */
export const shippedOrder: RawOrder = {
  ...placedOrder,
  shipment_state: 'partial',
  updated_at: '2026-03-10T08:30:45.902Z',
  shipments: placedOrder.shipments.map((shipment, index) =>
    index > 0
      ? shipment
      : {
          ...shipment,
          state: 'shipped',
          tracking: 'HS-4411-0930',
          shipped_at: '2026-03-10T08:30:45.902Z',
          inventory_units: shipment.inventory_units.map((unit) => ({ ...unit, state: 'shipped' })),
        },
  ),
}

/** Canceled before anything was shipped. */
export const canceledOrder: RawOrder = {
  ...placedOrder,
  state: 'canceled',
  payment_state: 'void',
  shipment_state: 'canceled',
  payment_total: '0.0',
  updated_at: '2026-03-09T15:20:03.114Z',
  payments: placedOrder.payments.map((payment) => ({ ...payment, state: 'void' })),
  shipments: placedOrder.shipments.map((shipment) => ({ ...shipment, state: 'canceled' })),
}

/** The same order of a store of 6.x: the old words, and beside them what that family says in its own. */
export function inWordsOfSix(order: RawOrder): RawOrder {
  const { state, payment_state, shipment_state } = order
  return {
    ...order,
    status: state === 'complete' ? 'placed' : state,
    payment_status: payment_state === 'void' ? 'voided' : payment_state,
    fulfillment_status: shipment_state === 'ready' ? 'unfulfilled' : shipment_state,
    shipments: order.shipments.map((shipment) => ({
      ...shipment,
      status: { shipped: 'fulfilled', canceled: 'canceled' }[shipment.state ?? ''] ?? 'unfulfilled',
      deliveries: [],
    })),
  }
}
