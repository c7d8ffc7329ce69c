import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { compareGone, compareStates } from '../../src/capture/compare-window.ts'
import { request } from '../../src/capture/outbox.ts'
import { cartKind } from '../../src/messages/cart.ts'
import { announcedCartSchema } from '../../src/messages/schemas/cart-message.ts'
import { previewMessages } from '../../src/operator/preview-messages.ts'
import { readExpected } from '../expected/read-expected.ts'
import { type Collecting, startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore, dumpsAvailable, replay } from '../support/stores.ts'

/** The recorded checkout of each family: what fills the cart, what its buyer then says, what makes it an order. */
const older = {
  before: ['01-create-product', '02-change-product', '03-stock-movement'],
  checkout: '04-checkout',
  tables: { carts: 'spree_orders', shipments: 'spree_shipments', rates: 'spree_shipping_rates' },
} as const
const six = {
  ...older,
  tables: { carts: 'spree_carts', shipments: 'spree_fulfillments', rates: 'spree_delivery_rates' },
} as const
const solidus = {
  ...older,
  before: ['01-product-created', '02-price-changed', '03-stock-moved', '06-cart-only'],
  checkout: '07-order-completed',
} as const
const of24 = {
  ...older,
  before: ['01-create-product', '02-change-product', '02b-change-options', '03-stock-movement'],
  order: {
    id: '951',
    about: 'order-R240000001',
    filled: '1-2',
    told: '3-8',
    between: '9-12',
    placed: '13-20',
  },
  cart: { id: '951', orderedAs: 'order:951', open: '42' },
  part: { address: '942', shipment: '971', shipmentId: 'shipment_id' },
} as const
const checkouts = {
  'spree-2.4': { fixture: of24, dump: { ...of24, cart: { ...of24.cart, open: '6' } } },
  'spree-4.10': {
    fixture: {
      ...older,
      order: {
        id: '47',
        about: 'order-R310000001',
        filled: '1-2',
        told: '3-22',
        between: '23-30',
        placed: '31-40',
      },
      cart: { id: '47', orderedAs: 'order:47', open: '46' },
      part: { address: '67', shipment: '58', shipmentId: 'shipment_id' },
    },
    dump: {
      ...older,
      order: {
        id: '3',
        about: 'order-R608302538',
        filled: '1-2',
        told: '3-31',
        between: '32-39',
        placed: '40',
      },
      cart: { id: '3', orderedAs: 'order:3', open: '9001' },
      part: { address: '3', shipment: '3', shipmentId: 'shipment_id' },
    },
  },
  'spree-6.0': {
    fixture: {
      ...six,
      order: {
        id: '46',
        about: 'order-R1046',
        filled: '1-4',
        told: '5-15',
        between: undefined,
        placed: '16-99',
      },
      cart: { id: '47', orderedAs: 'cart:47', open: '46' },
      part: { address: '67', shipment: '58', shipmentId: 'fulfillment_id' },
    },
    dump: {
      ...six,
      order: {
        id: '3',
        about: 'order-R1003',
        filled: '1-4',
        told: '5-21',
        between: undefined,
        placed: '22-99',
      },
      cart: { id: '1', orderedAs: 'cart:1', open: '9001' },
      part: { address: '23', shipment: '3', shipmentId: 'fulfillment_id' },
    },
  },
  'solidus-4': {
    fixture: {
      ...solidus,
      order: {
        id: '48',
        about: 'order-R340000001',
        filled: '1-4',
        told: '5-17',
        between: '18-23',
        placed: '24',
      },
      cart: { id: '48', orderedAs: 'order:48', open: '46' },
      part: { address: '67', shipment: '58', shipmentId: 'shipment_id' },
    },
    dump: {
      ...solidus,
      before: ['01-product-created', '02-price-changed', '03-stock-moved', '05-user-created', '06-cart-only'],
      order: {
        id: '4',
        about: 'order-R737693769',
        filled: '1-4',
        told: '5-17',
        between: '18-23',
        placed: '24',
      },
      cart: { id: '4', orderedAs: 'order:4', open: '9001' },
      part: { address: '3', shipment: '3', shipmentId: 'shipment_id' },
    },
  },
} as const

const all = (['fixture', 'dump'] as const).flatMap((source) =>
  (['spree-2.4', 'spree-4.10', 'spree-6.0', 'solidus-4'] as const).map((family) => ({ family, source })),
)
const possible = all.filter(({ source }) => source === 'fixture' || dumpsAvailable())

describe.each(possible)('carts of $family ($source)', ({ family, source }) => {
  const { before, checkout, order, cart, tables, part } = checkouts[family][source]
  // The statements and what follows are the same for the dump of 2.4 and its small shop.
  const recorded = family === 'spree-2.4' ? 'fixture' : source
  let db: TestDatabase
  let collecting: Collecting

  beforeAll(async () => {
    db = await createStore(family, source)
    if (cart.open === '9001') await db.pool.query(openCart(tables.carts))
    collecting = await startCollecting(db, { carts: 'on' })
    for (const step of before) await replay(db, family, step, recorded)
    await collecting.all()
  })
  afterAll(() => db.drop())

  const isAboutCart = ({ type }: { type: string }) => /^(cart|order):/.test(type)
  const toldBy = async (...statements: string[]) => {
    for (const statement of statements) await db.pool.query(statement)
    return (await collecting.all()).filter(isAboutCart)
  }
  const live = async (transactions: string) => {
    await replay(db, family, `${checkout}.${transactions}`, recorded)
    return toldBy()
  }
  /** Where a cart is the row of its order, the order is what it will be. */
  const expectedCart = (...steps: string[]) => ({
    cart: {
      ...(tables.carts === 'spree_orders' && readExpected(family, recorded, order.about, [checkout])),
      ...readExpected(family, recorded, `cart-${cart.id}`, steps),
    },
  })
  const drift = async () => {
    const options = { fix: false, stockMessages: 'change' } as const
    const { drift: differing } = await compareStates(
      db.pool,
      collecting.store,
      cartKind,
      [cart.id, cart.open],
      options,
    )
    const { drift: gone } = await compareGone(db.pool, collecting.store, 'cart', [`cart:${cart.id}`], options)
    return [...differing, ...gone]
  }

  test('those that were there before are learnt in silence, and told as changed', async () => {
    expect(collecting.first).toEqual([])
    const [told, ...more] = await toldBy(
      `update ${tables.carts} set email = 'nina@example.com' where id = ${cart.open}`,
    )
    expect(more).toEqual([])
    expect([told?.type, told?.payload['cart']]).toEqual([
      'cart:updated',
      expect.objectContaining({ id: Number(cart.open), email: 'nina@example.com', completed_at: null }),
    ])
  })

  test('a cart is told as the raw order that it may become', async () => {
    expect(await live(order.filled)).toEqual([
      { aggregate: cart.orderedAs, type: 'cart:new', payload: expectedCart('filled') },
    ])
  })

  test('so is each change of it, whatever it is in', async () => {
    const payload = expectedCart(...(family === 'spree-6.0' ? ['filled', 'checkout'] : ['checkout']))
    expect(await live(order.told)).toEqual([{ aggregate: cart.orderedAs, type: 'cart:updated', payload }])
    expect(announcedCartSchema.parse(payload)).toEqual(payload)
    const [moved] = await toldBy(`update spree_addresses set city = 'Salem' where id = ${part.address}`)
    expect(moved).toEqual({
      aggregate: cart.orderedAs,
      type: 'cart:updated',
      payload: { cart: { ...payload.cart, ship_address: { ...shipAddress(payload), city: 'Salem' } } },
    })
    const rate = `from ${tables.rates} where ${part.shipmentId} = ${part.shipment}`
    const [rated] = await toldBy(`update ${tables.rates} set cost = 7 where id = (select min(id) ${rate})`)
    const rates = [expect.objectContaining({ cost: '7.0' })]
    expect(rated?.payload).toMatchObject({
      cart: { shipments: [{ shipping_rates: expect.arrayContaining(rates) }] },
    })
    const [paid] = await toldBy(
      'update spree_payments set amount = 1 where id = (select max(id) from spree_payments)',
    )
    expect(paid?.payload).toMatchObject({ cart: { payments: [{ amount: '1.0' }] } })
  })

  test('what changes nothing says nothing; a preview and reconcile see it as it was told', async () => {
    expect(await toldBy(`update ${tables.carts} set updated_at = now()`)).toEqual([])
    const how = { kind: 'cart', name: cart.id, stockMessages: 'change', orderMessages: 'persist' } as const
    const preview = await previewMessages(db.pool, collecting.store, {
      ...how,
      shape: undefined,
      redact: undefined,
    })
    expect(preview?.messages).toMatchObject([
      { type: 'cart:updated', payload: { cart: { id: Number(cart.id) } } },
    ])
    expect(await drift()).toEqual([])
  })

  test('what is asked for its messages is asked for the cart', async () => {
    const [kind = '', id = ''] = cart.orderedAs.split(':')
    await request(db.pool, 'forget', [{ kind: kind === 'order' ? 'order' : 'cart', id }])
    expect(await toldBy()).toEqual([])
    await request(db.pool, 'announce', [{ kind: 'cart', id }])
    expect(await toldBy()).toMatchObject([
      { type: 'cart:updated', payload: { cart: { id: Number(cart.id) } } },
    ])
  })

  test('once it is an order, the order is told and the cart no more', async () => {
    if (order.between) expect(await live(order.between)).toEqual([])
    const told = await live(order.placed)
    expect(told.map(({ aggregate, type }) => [aggregate, type])).toEqual([
      [`order:${order.id}`, 'order:persist'],
    ])
    expect(told[0]?.payload['completed_at']).toEqual(expect.any(String))
    expect(
      await toldBy(`update ${tables.carts} set email = 'new@example.com' where id = ${cart.id}`),
    ).toHaveLength(family === 'spree-6.0' ? 0 : 1)
    expect(await drift()).toEqual([])
  })

  test('one that is removed says nothing', async () => {
    const lines = family === 'spree-6.0' ? 'cart_id' : 'order_id'
    const [less] = await toldBy(
      `delete from spree_line_items where id = (select max(id) from spree_line_items where ${lines} = ${cart.open})`,
    )
    expect(less?.payload).toMatchObject({ cart: { id: Number(cart.open), line_items: [] } })
    expect(await toldBy(`delete from ${tables.carts} where id = ${cart.open}`)).toEqual([])
    const { rows } = await db.pool.query(`select from bridge.baseline where aggregate = 'cart:${cart.open}'`)
    expect(rows).toEqual([])
  })
})

test('a fulfillment of a cart of 6.0 that is gone with its rates is a change of the cart', async () => {
  const db = await createStore('spree-6.0', 'fixture')
  try {
    const collecting = await startCollecting(db, { carts: 'on' })
    await db.pool.query(`insert into spree_fulfillments (id, status, cost, cart_id, stock_location_id, created_at, updated_at)
                         values (901, 'unfulfilled', 4, 46, 1, now(), now())`)
    const shipments = async () =>
      (await collecting.all()).map(({ payload }) => (payload['cart'] as Shipped).shipments)
    expect(await shipments()).toMatchObject([[{ id: 901, cost: '4.0', order_id: null }]])
    await db.pool.query(`with gone as (delete from spree_fulfillments where id = 901) select`)
    expect(await shipments()).toEqual([[]])
  } finally {
    await db.drop()
  }
})

describe.each(['spree-4.10', 'spree-6.0'] as const)('where carts are not told, on %s', (family) => {
  test('their own rows are not even recorded, and what was asked for while they were told is let go', async () => {
    const db = await createStore(family, 'fixture')
    try {
      const collecting = await startCollecting(db)
      const table = checkouts[family].fixture.tables.carts
      await db.pool.query(`update ${table} set email = 'nina@example.com' where id = 46`)
      const { rows } = await db.pool.query('select from bridge.outbox')
      expect(rows).toEqual([])
      await request(db.pool, 'announce', [{ kind: 'cart', id: '46' }])
      expect(await collecting.all()).toEqual([])
      expect((await db.pool.query('select from bridge.unmapped')).rows).toEqual([])
    } finally {
      await db.drop()
    }
  })
})

/** One with a line in it, for the real stores that have none. */
function openCart(table: 'spree_orders' | 'spree_carts'): string {
  const times = `'2026-04-01 09:00:00', '2026-04-01 09:00:00'`
  return `
    ${
      table === 'spree_carts'
        ? `insert into spree_carts (id, store_id, market_id, channel_id, currency, locale, token, created_at, updated_at)
           values (9001, 1, 1, 1, 'USD', 'en', 'cart-9001', ${times})`
        : `insert into spree_orders (id, number, state, currency, store_id, created_at, updated_at)
           values (9001, 'R900000001', 'cart', 'USD', 1, ${times})`
    };
    insert into spree_line_items (id, ${table === 'spree_carts' ? 'cart_id' : 'order_id'}, variant_id, quantity, price,
                                  created_at, updated_at)
    values (9001, 9001, (select min(id) from spree_variants where deleted_at is null), 2, 10, ${times})`
}

type Shipped = Readonly<{ shipments: unknown }>

function shipAddress({ cart }: Readonly<{ cart: Record<string, unknown> }>): object {
  return cart['ship_address'] as object
}
