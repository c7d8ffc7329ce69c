import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Handler } from '../../src/apply/handler.ts'
import { setInventory } from '../../src/apply/set-inventory.ts'
import { setPrice } from '../../src/apply/set-price.ts'
import type { Connection } from '../../src/postgres/pool.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { applyMessage } from '../support/applying.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { type AnyStore, createStore } from '../support/stores.ts'
import { differences, takePicture } from '../support/table-diff.ts'

const families: AnyStore[] = ['spree-4.10', 'spree-6.0', 'solidus-4', 'spree-2.4']
const touch = { updated_at: '<time>' }

describe.each(families)('what handlers do to a store of %s', (family) => {
  const isSix = family === 'spree-6.0'
  const isOld = family === 'spree-2.4'
  let database: TestDatabase
  let store: Store
  let db: Connection

  beforeAll(async () => {
    database = await createStore(family, 'fixture')
    store = await openStore(database.pool)
  })
  afterAll(() => database.drop())

  // What a test changes is rolled back.
  beforeEach(async () => {
    db = await database.pool.connect()
    await db.query('begin')
  })
  afterEach(async () => {
    await db.query('rollback')
    db.release()
  })

  const ask = async <Payload>(handler: Handler<Payload>, payload: unknown) => {
    const { notifications } = await applyMessage(db, store, handler, payload)
    return notifications.map(({ description }) => description).join('. ')
  }
  /** What a request changes in all tables of the store. */
  const written = async <Payload>(handler: Handler<Payload>, payload: unknown) => {
    const before = await takePicture(db)
    await ask(handler, payload)
    return differences(before, await takePicture(db))
  }
  const rows = async (text: string, values: unknown[] = []) => (await db.query(text, values)).rows

  // What stands where in the shops of the tests.
  const thing = isOld
    ? { sku: 'CC', location: 'default', level: 3, elsewhere: 'east', price: '24.0' }
    : { sku: 'TM-1', location: 'Portland warehouse', level: 25, elsewhere: 'Kiel depot', price: '9.95' }
  const touched = (table: string, columns: object = {}) => ({
    table,
    was: 'changed',
    columns: { ...columns, ...touch },
  })
  /** Such variants are in no order, and their products in no taxon. */
  const touchedAbove = (columns: object = {}) => [
    touched('spree_products'),
    touched('spree_variants', columns),
  ]

  describe('set_inventory', () => {
    const inventory = (more: object = {}) => ({
      inventory: { id: 12, location: thing.location, product_id: thing.sku, quantity: 93, ...more },
    })

    test('C161 sets the level at a location, as a movement of the shop; the second time nothing', async () => {
      const changes = await written(setInventory, inventory())
      expect(changes).toEqual([
        ...[touched('spree_products')],
        touched(isSix ? 'spree_stock_levels' : 'spree_stock_items', { count_on_hand: 93 }),
        {
          table: 'spree_stock_movements',
          was: 'inserted',
          columns: expect.objectContaining({ quantity: 93 - thing.level }),
        },
        touched('spree_variants'),
      ])
      expect(await written(setInventory, inventory())).toEqual([])
      const [from, to] = [
        `Set inventory for ${thing.sku} at ${thing.location} from 93 to`,
        inventory({ quantity: -4 }),
      ]
      expect(await ask(setInventory, to)).toBe(`${from} -4`)
    })

    test('C161 finds a location by its name in the administration, too', async () => {
      if (isOld) return
      expect(await ask(setInventory, inventory({ location: 'PWM' }))).toBe(
        'Set inventory for TM-1 at PWM from 25 to 93',
      )
    })

    test.each([
      [{ location: 'Nowhere' }, 'Stock location with name Nowhere was not found'],
      [{ location: 'Nowhere', product_id: 'NO-1' }, 'Stock location with name Nowhere was not found'],
      [{ product_id: 'NO-1' }, 'Product with SKU NO-1 was not found'],
      [{ product_id: 5 }, 'Product with SKU 5 was not found'],
      [
        { location: thing.elsewhere },
        `Stock location '${thing.elsewhere}' does not has any stock_items for ${thing.sku}`,
      ],
    ])('C161 %j is not found, and says so', async (more, message) => {
      await expect(ask(setInventory, inventory(more))).rejects.toMatchObject({
        name: 'NotApplicable',
        message,
      })
    })
  })

  describe('set_price', () => {
    const price = (more: object = {}) => ({
      price: { product_id: thing.sku, price: 12.95, list_price: 13.5, cost_price: 6.25, ...more },
    })

    test('sets the price of a variant and what it cost, with its history; the second time nothing', async () => {
      const changes = await written(setPrice, price())
      const history = {
        table: 'spree_price_histories',
        was: 'inserted',
        columns: expect.objectContaining({ amount: 12.95, currency: 'USD', compare_at_amount: null }),
      }
      expect(changes).toEqual([
        ...(isSix ? [history] : []),
        isOld
          ? { table: 'spree_prices', was: 'changed', columns: { amount: 12.95 } }
          : touched('spree_prices', { amount: 12.95 }),
        ...touchedAbove({ cost_price: 6.25 }),
      ])
      expect(await written(setPrice, price())).toEqual([])
      expect(await ask(setPrice, price({ price: '13' }))).toBe(
        `Set price for ${thing.sku} from 12.95 USD to 13.0 USD`,
      )
    })

    test('names the price as it was; knows the object of the hub’s makers, which has a SKU only', async () => {
      expect(await ask(setPrice, { price: { id: thing.sku, sku: thing.sku, price: 12.95 } })).toBe(
        `Set price for ${thing.sku} from ${thing.price} USD to 12.95 USD`,
      )
    })

    test('a price in another currency is that currency’s', async () => {
      if (isOld) return
      expect(await ask(setPrice, price({ currency: 'EUR' }))).toBe(
        'Set price for TM-1 from  EUR to 12.95 EUR',
      )
      expect(
        await rows('select currency, amount::float8 from spree_prices where variant_id = 112 order by 1'),
      ).toEqual([
        { currency: 'EUR', amount: 12.95 },
        { currency: 'USD', amount: 9.95 },
      ])
      await expect(ask(setPrice, price({ currency: 'JPY' }))).rejects.toMatchObject({
        code: 'unknown_currency',
      })
    })

    test.each([
      [{ price: undefined }, 'Missing price information'],
      [{ price: null, product_id: 'NO-1' }, 'Missing price information'],
      [{ product_id: 'NO-1' }, 'Product with SKU NO-1 was not found'],
    ])('C162 %j is refused, and says so', async (more, message) => {
      await expect(ask(setPrice, price(more))).rejects.toMatchObject({ name: 'NotApplicable', message })
    })
  })
})
