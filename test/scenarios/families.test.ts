import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { HANDLERS } from '../../src/apply/handlers.ts'
import type { Kind } from '../../src/messages/aggregate.ts'
import { ANNOUNCED_TYPES, type MessageType } from '../../src/messages/message.ts'
import { messageSchemas } from '../../src/messages/schemas/message-schemas.ts'
import { STATE_KINDS } from '../../src/messages/state-kinds.ts'
import { previewMessages } from '../../src/operator/preview-messages.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { type Collecting, startCollecting } from '../support/collecting.ts'
import { OBJECT_PROOFS, PROOFS } from '../support/evidence.ts'
import {
  appliedIn,
  FAMILIES,
  familiesReference,
  HAS_NONE,
  isApplied,
  proofsOf,
} from '../support/families-page.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore, dumpsAvailable, replay } from '../support/stores.ts'
import { ACCOUNTS_AND_TRANSFERS } from './accounts-of-old.ts'
import { objectsOf } from './kinds-as-objects.ts'
import { returnObjectOf, type Version } from './old-returns.ts'
import { orderLife } from './order-life.ts'
import { isOldest, levelOf, otherKinds, placesOf, steps } from './other-kinds.ts'
import { removals } from './removals.ts'
import { type Payload, withNow } from './told.ts'
import { CATALOGUE_TABLES, wholeProduct, wordsOfOrder } from './whole-words.ts'

const versions = Object.keys(steps) as Version[]

describe.each(versions)('what the day of %s leaves out', (version) => {
  let db: TestDatabase
  let collecting: Collecting

  beforeAll(async () => {
    db = await createStore(version, 'fixture')
    if (isOldest(version)) await db.pool.query(CATALOGUE_TABLES)
    collecting = await startCollecting(db, { carts: 'on' })
    for (const step of steps[version]) await replay(db, version, step, 'fixture')
    await collecting.all()
  })
  afterAll(() => db.drop())

  test.each([...otherKinds(version), ...(isOldest(version) ? wholeProduct(version) : [])])(
    '$name',
    async ({ statements, tells }) => {
      await db.pool.query(statements.join(';\n'))
      expect((await collecting.all()).map(({ type, payload }) => [type, payload])).toEqual(tells)
    },
  )

  const objectsTold = async (kind: Kind, name: string) => {
    const store = await openStore(db.pool, { hubDialect: 'wombat', carts: 'on' })
    const { messages } = (await previewMessages(db.pool, store, {
      ...{ kind, name, stockMessages: 'actual', stockBy: 'location', orderMessages: 'generic' },
      shape: undefined,
      redact: undefined,
    }))!
    // Of two places neither comes first.
    return messages
      .flatMap(({ type, payload, withheldBy }) => (withheldBy ? [] : [[type, payload as Payload] as const]))
      .sort(([type, one], [, other]) =>
        type === 'inventories' ? Number(one['id']) - Number(other['id']) : 0,
      )
  }

  const life = orderLife(version)
  if (life) {
    test.each(life.steps)(
      'where orders are told in their generic form: $name',
      async ({ statements, tells }) => {
        await db.pool.query(statements.join(';\n'))
        const told = await collecting.telling('generic').all()
        expect(told.map(({ type, payload }) => [type, payload])).toEqual(tells)
        for (const { type, payload } of told) messageSchemas[type as MessageType].parse(payload)
      },
    )

    test('the order and its shipment, as objects', async () => {
      expect(await objectsTold('order', life.number)).toEqual(life.objects)
    })

    const { name, statements, tells } = wordsOfOrder(version, life.last)
    test(name, async () => {
      await db.pool.query(statements.join(';\n'))
      const told = (await collecting.all()).map(({ type, payload }) => [type, payload])
      expect(told.filter(([type]) => type === 'order:persist')).toEqual(tells)
    })
  }

  test.each(objectsOf(version))('%s %s, as objects', async (kind, name, objects) => {
    expect(await objectsTold(kind, name)).toEqual(objects)
  })

  const object = returnObjectOf(version)
  if (object)
    test('what came back, as an object', async () => {
      const number = String((object['return_items'] as Payload[])[0]?.['order_number'])
      const objects = await objectsTold('order', number)
      expect(objects.filter(([type]) => type === 'customer_returns')).toEqual([['customer_returns', object]])
    })

  test('the level of a SKU, and of each place', async () => {
    const { sku, quantity } = levelOf(version)
    const levels = async (stockBy: 'variant' | 'location') => {
      const { messages } = (await previewMessages(db.pool, collecting.store, {
        ...{ kind: 'stock', name: String(sku), stockMessages: 'actual', stockBy, orderMessages: 'persist' },
        shape: undefined,
        redact: undefined,
      }))!
      return messages.toSorted((one, other) =>
        JSON.stringify(one.payload) < JSON.stringify(other.payload) ? -1 : 1,
      )
    }
    expect(await levels('variant')).toEqual([
      { type: 'stock:actual', payload: { sku, quantity }, withheldBy: null },
    ])
    expect(await levels('location')).toEqual(
      placesOf(version).map((payload) => ({ type: 'stock:actual', payload, withheldBy: null })),
    )
  })

  const ends = removals(version)
  if (ends.length > 0)
    test.each(ends)('$name', async ({ statements, tells }) => {
      const from = Date.now()
      await db.pool.query(statements.join(';\n'))
      const told = await collecting.all()
      const episode = { name: '', requests: [], from, to: Date.now() }
      expect(
        told.map(({ type, payload }) => [type, withNow({ about: '', type, payload }, episode).payload]),
      ).toEqual(tells)
    })
})

const hasReal = dumpsAvailable() ? describe : describe.skip
hasReal('customers and stock transfers of a real store of 2.4', () => {
  let db: TestDatabase
  let collecting: Collecting

  beforeAll(async () => {
    db = await createStore('spree-2.4', 'dump')
    collecting = await startCollecting(db)
  })
  afterAll(() => db.drop())

  test.each(ACCOUNTS_AND_TRANSFERS)('$name', async ({ statements, tells }) => {
    const from = Date.now()
    await db.pool.query(statements.join(';\n'))
    const told = await collecting.all()
    const episode = { name: '', requests: [], from, to: Date.now() }
    expect(
      told
        .map(({ type, payload }) => [type, withNow({ about: '', type, payload }, episode).payload])
        .sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
    ).toEqual(tells)
    for (const { type, payload } of told) messageSchemas[type as MessageType].parse(payload)
  })
})

describe('the page of families', () => {
  const families = Object.keys(FAMILIES) as (keyof typeof FAMILIES)[]
  const root = path.resolve(import.meta.dirname, '../..')
  const textOf = (file: string) => readFileSync(path.join(root, 'test', file), 'utf8')

  test('is as it is committed: else `npm run docs`', () => {
    expect(readFileSync(path.join(root, 'docs/families.md'), 'utf8')).toBe(familiesReference())
    expect(familiesReference()).not.toContain('untested')
  })

  test.each(families)(
    'says of %s what the code tells of such a store, each shown by a test',
    async (family) => {
      const db = await createStore(FAMILIES[family].store, 'fixture')
      try {
        const store = await openStore(db.pool, { carts: 'on' })
        expect(store.family).toBe(family)
        const none = HAS_NONE[family]?.types ?? []
        expect(ANNOUNCED_TYPES.filter((type) => !isTold(type, store))).toEqual(none)
        const shown = ANNOUNCED_TYPES.filter((type) => proofsOf(type, family).length > 0)
        expect(ANNOUNCED_TYPES.filter((type) => !none.includes(type) && !shown.includes(type))).toEqual([])
        expect(shown.filter((type) => none.includes(type))).toEqual([])
      } finally {
        await db.drop()
      }
    },
  )

  test.each([...PROOFS, ...OBJECT_PROOFS])('has its word from $file: $title', ({ file, title, shows }) => {
    const text = textOf(file)
    expect(text).toContain(title)
    const helpers = [...text.matchAll(/from '\.\/([\w-]+\.ts)'/g)].map(([, name]) =>
      textOf(path.join(path.dirname(file), name!)),
    )
    const named = [text, ...helpers].join('\n')
    for (const version of Object.keys(shows)) expect(named).toContain(`'${version}'`)
  })

  test('says what is applied where, each shown by a test', () => {
    const shownIn = families.flatMap((family) => HANDLERS.map(({ message }) => appliedIn(message, family)))
    for (const file of shownIn) expect(existsSync(path.join(root, 'test', file))).toBe(true)
    const refused = families.flatMap((family) =>
      HANDLERS.filter(({ message }) => !isApplied(message, family)).map(({ message }) => [family, message]),
    )
    expect(refused).toEqual([
      ['spree-2.1', 'shipment:confirm'],
      ['spree-2.1', 'order:capture'],
      ['spree-2.1', 'update_shipment'],
    ])
  })
})

/** By what the code reads of the store. */
function isTold(type: MessageType, store: Store): boolean {
  if (type.startsWith('return_authorization:')) return store.returnTables.length > 0
  if (type.startsWith('customer_return:')) return store.tables.includes('spree_customer_returns')
  const about = STATE_KINDS.find(({ types }) => types.first === type || types.later === type)
  return about === undefined || store.kinds.includes(about.kind)
}
