import { readExpected } from '../expected/read-expected.ts'
import type { OldStore, SolidusStore } from '../support/stores.ts'
import type { Payload } from './told.ts'

/** Something that happens in a store, and what is told of it: by hand, from the protocol and the fixture. */
export type Told = Readonly<{
  name: string
  statements: readonly string[]
  tells: readonly (readonly [type: string, payload: Payload])[]
}>
export type Version = Exclude<OldStore, 'spree-3.7'> | SolidusStore

export const AT = '2026-04-01 10:00:00'
export const WIRE = '2026-04-01T10:00:00.000Z'

/** What came back, as the object that says the same; undefined where there is no such thing. */
export function returnObjectOf(version: Version): Payload | undefined {
  if (version === 'solidus-4') return ofTheDayOfSolidus
  if (!hasReturn(version)) return undefined
  const { order, sku, place } = returned(version)
  const { number, store } = order as Readonly<{ number: string; store: Payload }>
  return {
    id: 'CR9802',
    fully_reimbursed: false,
    stock_location: place,
    channel: 'spree',
    resolution_path: `/admin/orders/${number}/customer_returns/9802/edit`,
    return_items: [
      {
        id: 9811,
        return_authorization_id: 'RA9801',
        product_id: sku,
        exchange_product_id: null,
        reception_status: 'received',
        acceptance_status: 'pending',
        pre_tax_amount: '9.5',
        included_tax_total: '0.0',
        additional_tax_total: '0.0',
        order_number: number,
        created_at: WIRE,
        reimbursed_at: null,
        reimbursed: false,
        store: store['code'],
        resellable: version === 'spree-2.4' ? null : true,
      },
    ],
    reimbursements: [
      {
        id: 'RI9803',
        order_id: number,
        total: '9.5',
        paid_amount: '0.0',
        reimbursement_status: 'pending',
        return_items: [],
        refunds: [],
      },
    ],
  }
}

/** Of the small shop. */
export const ofTheDayOfSolidus = {
  id: 'CR640000001',
  fully_reimbursed: false,
  stock_location: 'Portland warehouse',
  channel: 'spree',
  resolution_path: '/admin/orders/R340000001/customer_returns/1/edit',
  return_items: [
    {
      id: 1,
      return_authorization_id: 'RA640000001',
      product_id: 'EM-RED',
      exchange_product_id: null,
      reception_status: 'received',
      acceptance_status: 'accepted',
      pre_tax_amount: '24.75',
      included_tax_total: '0.0',
      additional_tax_total: '0.0',
      order_number: 'R340000001',
      created_at: '2026-03-10T09:17:06.472Z',
      reimbursed_at: null,
      reimbursed: false,
      store: 'harbour',
      resellable: true,
    },
  ],
  reimbursements: [],
}

export function hasReturn(version: Version): boolean {
  return version !== 'spree-2.0' && version !== 'solidus-4'
}

/** One unit of an order comes back: allowed, received, paid for. */
export function aReturn(version: Version): Told[] {
  const { order, unit, place } = returned(version)
  const { id, line_items } = order as Readonly<{ id: number; line_items: readonly Payload[] }>
  const statesOf = (reception_status: string) => ({ reception_status, acceptance_status: 'pending' })
  const orderWith = (reception: string): Payload => ({
    ...order,
    return_authorizations: [
      {
        id: 9801,
        number: 'RA9801',
        state: 'authorized',
        return_items: [{ id: 9811, inventory_unit_id: unit['id'], ...statesOf(reception) }],
      },
    ],
  })
  const itemOf = (reception: string, customerReturn: number | null) => ({
    id: 9811,
    inventory_unit_id: unit['id'],
    pre_tax_amount: '9.5',
    included_tax_total: '0.0',
    additional_tax_total: '0.0',
    resellable: version === 'spree-2.4' ? null : true,
    return_authorization_id: 9801,
    customer_return_id: customerReturn,
    reimbursement_id: null,
    ...statesOf(reception),
  })
  const common = (reception: string, customerReturn: number | null) => ({
    order_id: id,
    stock_location: place,
    created_at: WIRE,
    updated_at: WIRE,
    return_items: [itemOf(reception, customerReturn)],
    inventory_units: [{ ...unit, variant: line_items[0]?.['variant'] }],
    order: orderWith(reception),
  })
  const authorization = (reception: string, customerReturn: number | null) => ({
    ...common(reception, customerReturn),
    id: 9801,
    number: 'RA9801',
    state: 'authorized',
    amount: 9.5,
    reason: version === 'spree-4.7' ? 'Wrong size' : 'Damaged',
    memo: 'torn',
  })
  const customerReturn = (reimbursements: readonly Payload[]) => ({
    ...common('received', 9802),
    id: 9802,
    number: 'CR9802',
    reimbursements,
  })
  return [
    {
      name: 'a return is authorized',
      statements: [
        'begin',
        `insert into spree_return_authorizations (id, number, state, order_id, memo, stock_location_id,
                                                  return_authorization_reason_id, created_at, updated_at)
         values (9801, 'RA9801', 'authorized', ${id}, 'torn', 1, 1, '${AT}', '${AT}')`,
        `insert into spree_return_items (id, return_authorization_id, inventory_unit_id, pre_tax_amount,
                                         reception_status, acceptance_status, created_at, updated_at)
         values (9811, 9801, ${unit['id']}, 9.5, 'awaiting', 'pending', '${AT}', '${AT}')`,
        'commit',
      ],
      tells: [
        ['order:persist', orderWith('awaiting')],
        ['return_authorization:new', authorization('awaiting', null)],
      ],
    },
    {
      name: 'the goods come back',
      statements: [
        'begin',
        `insert into spree_customer_returns (id, number, stock_location_id, created_at, updated_at)
         values (9802, 'CR9802', 1, '${AT}', '${AT}')`,
        `update spree_return_items set customer_return_id = 9802, reception_status = 'received' where id = 9811`,
        'commit',
      ],
      tells: [
        ['order:persist', orderWith('received')],
        ['return_authorization:updated', authorization('received', 9802)],
        ['customer_return:new', customerReturn([])],
      ],
    },
    {
      name: 'what is paid back for them',
      statements: [
        `insert into spree_reimbursements (id, number, reimbursement_status, customer_return_id, order_id, total,
                                           created_at, updated_at)
         values (9803, 'RI9803', 'pending', 9802, ${id}, 9.5, '${AT}', '${AT}')`,
      ],
      tells: [
        [
          'customer_return:updated',
          customerReturn([{ id: 9803, number: 'RI9803', reimbursement_status: 'pending', total: '9.5' }]),
        ],
      ],
    },
  ]
}

function returned(version: Version): Readonly<{ order: Payload; unit: Payload; sku: string; place: string }> {
  if (version === 'spree-4.7')
    return {
      order: readExpected('spree-4.10', 'fixture', 'order-R204817354'),
      unit: { id: 756, state: 'on_hand', variant_id: 110, order_id: 44, shipment_id: 54, quantity: 1 },
      sku: 'SL-7',
      place: 'Portland warehouse',
    }
  const [name, step, variant] =
    version === 'spree-2.4'
      ? ['order-R240000001', '04-checkout', 912]
      : ['order-R320000001', '03-checkout', 102]
  return {
    order: readExpected(version, 'fixture', String(name), [String(step)]),
    unit: { id: 981, state: 'on_hand', variant_id: variant, order_id: 951, shipment_id: 971 },
    sku: version === 'spree-2.4' ? 'DC-S' : 'HC-F',
    place: 'default',
  }
}
