import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { HANDLERS } from '../../src/apply/handlers.ts'
import { ANNOUNCED_TYPES, type MessageType } from '../../src/messages/message.ts'
import { STATE_KINDS } from '../../src/messages/state-kinds.ts'
import { previewMessages } from '../../src/operator/preview-messages.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { type Collecting, startCollecting } from '../support/collecting.ts'
import { OBJECT_PROOFS, OBJECT_PROOFS_IN_PART, PROOFS } from '../support/evidence.ts'
import {
  appliedIn,
  FAMILIES,
  familiesReference,
  HAS_NONE,
  isApplied,
  OF_THE_RAW_ORDER,
  proofsOf,
} from '../support/families-page.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore, replay } from '../support/stores.ts'
import { returnObjectOf, type Version } from './old-returns.ts'
import { levelOf, otherKinds, steps } from './other-kinds.ts'
import type { Payload } from './told.ts'

const versions = Object.keys(steps) as Version[]

describe.each(versions)('what the day of %s leaves out', (version) => {
  let db: TestDatabase
  let collecting: Collecting

  beforeAll(async () => {
    db = await createStore(version, 'fixture')
    collecting = await startCollecting(db, { carts: 'on' })
    for (const step of steps[version]) await replay(db, version, step, 'fixture')
    await collecting.all()
  })
  afterAll(() => db.drop())

  test.each(otherKinds(version))('$name', async ({ statements, tells }) => {
    await db.pool.query(statements.join(';\n'))
    expect((await collecting.all()).map(({ type, payload }) => [type, payload])).toEqual(tells)
  })

  const object = returnObjectOf(version)
  if (object)
    test('what came back, as an object', async () => {
      const store = await openStore(db.pool, { hubDialect: 'wombat' })
      const { messages } = (await previewMessages(db.pool, store, {
        kind: 'order',
        name: String((object['return_items'] as Payload[])[0]?.['order_number']),
        stockMessages: 'actual',
        orderMessages: 'generic',
        shape: undefined,
        redact: undefined,
      }))!
      expect(messages.filter(({ type }) => type === 'customer_returns')).toEqual([
        { type: 'customer_returns', payload: object, withheldBy: null },
      ])
    })

  test('the level of a SKU', async () => {
    const { sku, quantity } = levelOf(version)
    const asked = {
      kind: 'stock',
      name: String(sku),
      stockMessages: 'actual',
      orderMessages: 'persist',
    } as const
    const { messages } = (await previewMessages(db.pool, collecting.store, {
      ...asked,
      shape: undefined,
      redact: undefined,
    }))!
    expect(messages).toEqual([{ type: 'stock:actual', payload: { sku, quantity }, withheldBy: null }])
  })
})

describe('the page of families', () => {
  const families = Object.keys(FAMILIES) as (keyof typeof FAMILIES)[]
  const root = path.resolve(import.meta.dirname, '../..')
  const textOf = (file: string) => readFileSync(path.join(root, 'test', file), 'utf8')

  test('is as it is committed: else `npm run docs`', () => {
    expect(readFileSync(path.join(root, 'docs/families.md'), 'utf8')).toBe(familiesReference())
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
        const untested = ANNOUNCED_TYPES.filter((type) => !none.includes(type) && !shown.includes(type))
        expect(untested.filter((type) => !OF_THE_RAW_ORDER.includes(type))).toEqual([])
        expect(shown.filter((type) => none.includes(type))).toEqual([])
      } finally {
        await db.drop()
      }
    },
  )

  test.each([...PROOFS, ...OBJECT_PROOFS, ...OBJECT_PROOFS_IN_PART])(
    'has its word from $file: $title',
    ({ file, title, shows }) => {
      const text = textOf(file)
      expect(text).toContain(title)
      const helpers = [...text.matchAll(/from '\.\/([\w-]+\.ts)'/g)].map(([, name]) =>
        textOf(path.join(path.dirname(file), name!)),
      )
      const named = [text, ...helpers].join('\n')
      for (const version of Object.keys(shows)) expect(named).toContain(`'${version}'`)
    },
  )

  test('says what is applied where, each shown by a test', () => {
    const shownIn = families.flatMap((family) => HANDLERS.map(({ message }) => appliedIn(message, family)))
    for (const file of shownIn) expect(existsSync(path.join(root, 'test', file))).toBe(true)
    const refused = families.flatMap((family) =>
      HANDLERS.filter(({ message }) => !isApplied(message, family)).map(({ message }) => [family, message]),
    )
    expect(refused).toEqual([['spree-2.1', 'shipment:confirm']])
  })
})

/** By what the code reads of the store. */
function isTold(type: MessageType, store: Store): boolean {
  if (type.startsWith('return_authorization:')) return store.returnTables.length > 0
  if (type.startsWith('customer_return:')) return store.tables.includes('spree_customer_returns')
  const about = STATE_KINDS.find(({ types }) => types.first === type || types.later === type)
  return about === undefined || store.kinds.includes(about.kind)
}
