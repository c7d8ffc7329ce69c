import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { productNaturalKey, productPayload } from '../../src/messages/product.ts'
import { rawOrder } from '../../src/messages/raw-order.ts'
import { announcedOrderSchema } from '../../src/messages/schemas/order-message.ts'
import { announcedProductSchema } from '../../src/messages/schemas/product-message.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { readExpected } from '../expected/read-expected.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore, dumpsAvailable, replay, type StoreFamily, type StoreSource } from '../support/stores.ts'

// What the steps make, by its ids; the payloads are in the files of that name.
const days = {
  dump: {
    'spree-4.10': {
      product: { id: '117', file: 'product-117' },
      doomed: { id: '118', file: 'product-118' },
      order: { id: '3', file: 'order-R608302538' },
      canceled: { id: '4', file: 'order-R561862494' },
      stocked: { id: '234', sku: 'ACT-DAY1-0' },
    },
    'spree-6.0': {
      product: { id: '39', file: 'product-39' },
      doomed: { id: '40', file: 'product-40' },
      order: { id: '3', file: 'order-R1003' },
      canceled: { id: '4', file: 'order-R1004' },
      stocked: { id: '127', sku: 'ACT-DAY1-0' },
    },
  },
  fixture: {
    'spree-4.10': {
      product: { id: '19', file: 'product-19' },
      doomed: { id: '20', file: 'product-20' },
      order: { id: '47', file: 'order-R310000001' },
      canceled: { id: '48', file: 'order-R310000002' },
      stocked: { id: '116', sku: 'DS-41' },
    },
    'spree-6.0': {
      product: { id: '19', file: 'product-19' },
      doomed: { id: '20', file: 'product-20' },
      order: { id: '46', file: 'order-R1046' },
      canceled: { id: '47', file: 'order-R1047' },
      stocked: { id: '116', sku: 'DS-41' },
    },
  },
} as const

// A sale takes from stock at once, on 6.0 when it ships; there one of the two pieces comes back.
const levels = {
  'spree-4.10': { afterCheckout: 25, afterReturn: 27 },
  'spree-6.0': { afterCheckout: 27, afterReturn: 26 },
} as const

const runs: [StoreFamily, StoreSource][] = [
  ['spree-4.10', 'fixture'],
  ['spree-6.0', 'fixture'],
  ['spree-4.10', 'dump'],
  ['spree-6.0', 'dump'],
]
const possible = runs.filter(([, source]) => source === 'fixture' || dumpsAvailable())
const impossible = runs.filter(([, source]) => source === 'dump' && !dumpsAvailable())

for (const [family] of impossible)
  test.skip(`a recorded day in a real store of ${family} needs STORE_DUMPS`, () => {})

// Each step builds on the one before.
describe.each(possible)('a recorded day in a store of %s (%s)', (family, source) => {
  const day = days[source][family]
  let db: TestDatabase
  let store: Store

  beforeAll(async () => {
    db = await createStore(family, source)
    store = await openStore(db.pool)
  })
  afterAll(() => db.drop())

  const productOf = async (id: string) => {
    const product = (await store.products(db.pool, [id])).get(id)
    if (product === undefined || product instanceof Error) throw product ?? new Error(`no product ${id}`)
    return product
  }
  const orderOf = async (id: string) => {
    const order = (await store.orders(db.pool, [id])).get(id)
    if (order === undefined || order instanceof Error) throw order ?? new Error(`no order ${id}`)
    return rawOrder(order)
  }
  const levelOf = async () => (await store.stock(db.pool, [day.stocked.id])).get(day.stocked.id)

  test('every order and product that the store came with can be told', async () => {
    const orders = await store.orders(db.pool, await store.roots(db.pool, 'order', '0', 200))
    const products = await store.products(db.pool, await store.roots(db.pool, 'product', '0', 200))
    const known = source === 'fixture' ? [5, 8] : [2, family === 'spree-4.10' ? 116 : 38]
    expect([orders.size, products.size]).toEqual(known)
    for (const order of orders.values()) {
      if (order instanceof Error) throw order
      announcedOrderSchema.parse(rawOrder(order))
    }
    for (const product of products.values()) {
      if (product instanceof Error) throw product
      announcedProductSchema.parse(productPayload(product, undefined))
    }
  })

  test('a product made with two variants, then renamed and repriced', async () => {
    await replay(db, family, '01-create-product', source)
    const made = await productOf(day.product.id)
    expect(productPayload(made, undefined)).toEqual(
      readExpected(family, source, day.product.file, ['01-create-product']),
    )
    await replay(db, family, '02-change-product', source)
    expect(productPayload(await productOf(day.product.id), productNaturalKey(made))).toEqual(
      readExpected(family, source, day.product.file, ['01-create-product', '02-change-product']),
    )
  })

  test('stock that comes in', async () => {
    await replay(db, family, '03-stock-movement', source)
    expect(await levelOf()).toMatchObject({
      productId: day.product.id,
      sku: day.stocked.sku,
      level: 27,
      living: true,
    })
  })

  test('an order from checkout to its return', async () => {
    const steps = [
      '04-checkout',
      '05-update-order',
      '06-capture-payment',
      '07-ship',
      '08a-refund',
      '08b-return',
    ]
    const done: string[] = []
    for (const step of steps) {
      await replay(db, family, step, source)
      done.push(step)
      expect({ step, order: await orderOf(day.order.id) }).toEqual({
        step,
        order: readExpected(family, source, day.order.file, done),
      })
      if (step === '04-checkout')
        expect(await levelOf()).toMatchObject({ level: levels[family].afterCheckout })
    }
    expect(await levelOf()).toMatchObject({ level: levels[family].afterReturn })
  })

  test('an order that is canceled', async () => {
    await replay(db, family, '09a-create-order-to-cancel', source)
    expect(await orderOf(day.canceled.id)).toEqual(
      readExpected(family, source, day.canceled.file, ['09a-create-order-to-cancel']),
    )
    await replay(db, family, '09b-cancel-order', source)
    expect(await orderOf(day.canceled.id)).toEqual(
      readExpected(family, source, day.canceled.file, ['09a-create-order-to-cancel', '09b-cancel-order']),
    )
  })

  test('a product that is deleted softly', async () => {
    if (source === 'dump') await replay(db, family, '10-create-user', source)
    await replay(db, family, '11a-create-product-to-delete', source)
    const made = await productOf(day.doomed.id)
    expect(productPayload(made, undefined)).toEqual(
      readExpected(family, source, day.doomed.file, ['11a-create-product-to-delete']),
    )
    await replay(db, family, '11b-delete-product', source)
    expect(productPayload(await productOf(day.doomed.id), productNaturalKey(made))).toEqual(
      readExpected(family, source, day.doomed.file, ['11a-create-product-to-delete', '11b-delete-product']),
    )
  })

  test('what was rolled back is not seen', async () => {
    await replay(db, family, '12-rollback-stock', source)
    expect(await levelOf()).toMatchObject({ level: levels[family].afterReturn })
  })
})
