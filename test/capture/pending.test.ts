import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { ResolvedRow } from '../../src/capture/outbox-row.ts'
import { Pending } from '../../src/capture/pending.ts'

const settle = { quietMilliseconds: 500, atMostMilliseconds: 3_000 }

function row(id: number, aggregates: string[], kind: ResolvedRow['kind'] = 'product', xid = 1): ResolvedRow {
  return {
    id: String(id),
    xid: String(xid),
    at: new Date(0),
    kind,
    tableName: 't',
    rowId: '1',
    op: 'update',
    parent: null,
    parentOld: null,
    delta: null,
    origin: null,
    aggregates,
  }
}

describe('settling', () => {
  test('an order is due 500 ms after its last row', () => {
    const pending = new Pending()
    pending.add([row(1, ['order:1'], 'order')], 0)
    pending.add([row(2, ['order:1'], 'order')], 400)
    expect(pending.due(899, settle, 10)).toEqual([])
    expect(pending.due(900, settle, 10)).toEqual(['order:1'])
  })

  test('at most 3 s after its first, however long changes go on', () => {
    const pending = new Pending()
    for (let at = 0; at < 3_000; at += 100) pending.add([row(at, ['order:1'], 'order')], at)
    expect(pending.due(2_999, settle, 10)).toEqual([])
    expect(pending.due(3_000, settle, 10)).toEqual(['order:1'])
  })

  test('stock alone is due at once, and waits for the catalogue of its own product only', () => {
    const pending = new Pending()
    pending.add(
      [row(1, ['product:1'], 'product'), row(2, ['product:1'], 'stock'), row(3, ['product:2'], 'stock')],
      0,
    )
    expect(pending.due(0, settle, 10)).toEqual(['product:2'])
    expect(pending.nextDueAt(settle)).toBe(0)
    pending.collected(['product:2'])
    expect(pending.nextDueAt(settle)).toBe(500)
    expect(pending.due(500, settle, 10)).toEqual(['product:1'])
    pending.add([row(4, ['product:3'], 'stock'), row(5, ['product:3'], 'product')], 0)
    expect(pending.due(499, settle, 10)).toEqual([])
  })

  test('stock rows do not prolong the settling of a product', () => {
    const pending = new Pending()
    pending.add([row(1, ['product:1'])], 0)
    pending.add([row(2, ['product:1'], 'stock')], 450)
    expect(pending.due(500, settle, 10)).toEqual(['product:1'])
  })
})

test('rows come in the order of their transactions, not of their reading', () => {
  const pending = new Pending()
  pending.add(
    [
      row(12, ['order:1'], 'order', 100),
      row(9, ['order:1'], 'order', 100),
      row(1, ['order:1'], 'order', 101),
    ],
    0,
  )
  pending.add([row(200, ['order:1'], 'order', 99)], 0)
  expect(pending.rowsOf('order:1').map(({ id }) => id)).toEqual(['200', '9', '12', '1'])
})

test('a row of two aggregates is finished when both are collected', () => {
  const pending = new Pending()
  pending.add([row(1, ['order:1', 'order:2'], 'order')], 0)
  expect(pending.finishedBy(['order:1'])).toEqual([])
  pending.collected(['order:1'])
  expect(pending.finishedBy(['order:2']).map(({ id }) => id)).toEqual(['1'])
  pending.collected(['order:2'])
  expect(pending.size).toBe(0)
})

test('a row of very many products is finished with the last of them', () => {
  const products = Array.from({ length: 1_000 }, (_, id) => `product:${id}`)
  const pending = new Pending()
  pending.add([row(1, products), row(2, ['product:7'])], 0)
  const finished: string[] = []
  for (let at = 0; at < products.length; at += 200) {
    const page = products.slice(at, at + 200)
    finished.push(...pending.finishedBy(page).map(({ id }) => `${id} with ${at}`))
    pending.collected(page)
  }
  expect(finished).toEqual(['2 with 0', '1 with 800'])
})

test('stock that waits with its product goes along where its variant goes', () => {
  const pending = new Pending()
  const sale = { ...row(2, ['product:1'], 'stock'), parent: '5' }
  pending.add([row(1, ['product:1']), sale, { ...sale, id: '3', parent: '6' }], 0)
  const move = { tableName: 'spree_variants', rowId: '5', parent: '2', parentOld: '1' }
  pending.add([{ ...row(4, ['product:1', 'product:2']), ...move }], 10)
  const waiting = (aggregate: string) => pending.rowsOf(aggregate).map(({ id }) => id)
  expect(waiting('product:1')).toEqual(['1', '3', '4'])
  expect(waiting('product:2')).toEqual(['2', '4'])
  pending.add([sale], 20)
  expect(waiting('product:1')).toEqual(['1', '3', '4'])
  expect(pending.finishedBy(['product:2']).map(({ id, aggregates }) => [id, aggregates])).toEqual([
    ['2', ['product:2']],
  ])
})

test('whatever is added, read again and collected, each row is finished exactly once', () => {
  const rows = fc.array(
    fc.record({
      id: fc.integer({ min: 1, max: 40 }),
      owners: fc.subarray(['order:1', 'order:2', 'product:3']),
    }),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(rows, fc.infiniteStream(fc.nat(3)), (drawn, choices) => {
      const unique = [...new Map(drawn.map((entry) => [entry.id, entry])).values()]
      const pending = new Pending()
      const finished: string[] = []
      for (const { id, owners } of unique) {
        const changed = row(id, owners, owners.includes('product:3') ? 'product' : 'order')
        pending.add([changed], 0)
        pending.add([changed], 10)
        if (choices.next().value === 0) collect(1)
      }
      collect(10)
      collect(10)
      expect(finished.sort()).toEqual(unique.map(({ id }) => String(id)).sort())

      function collect(limit: number): void {
        const due = pending.due(Number.POSITIVE_INFINITY, settle, limit)
        finished.push(...pending.finishedBy(due).map(({ id }) => id))
        pending.collected(due)
      }
    }),
  )
})
