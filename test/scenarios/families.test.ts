import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { previewMessages } from '../../src/operator/preview-messages.ts'
import { type Collecting, startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore, replay } from '../support/stores.ts'
import { levelOf, otherKinds, steps, type Version } from './other-kinds.ts'

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
