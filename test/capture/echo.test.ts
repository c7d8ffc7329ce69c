import { expect, test } from '@jest/globals'
import { isEcho, type Told } from '../../src/capture/echo.ts'
import type { OutboxRow } from '../../src/capture/outbox-row.ts'

const MADE = Date.UTC(2026, 0, 1, 12)
const SKEW = 5 * 60_000
const NOTHING_TOLD: Told = { waiting: false, acknowledgedAt: undefined }

function row(origin: string | null): OutboxRow {
  return {
    id: '1',
    xid: '1',
    at: new Date(),
    kind: 'product',
    tableName: 'spree_prices',
    rowId: '1',
    op: 'update',
    parent: '1',
    parentOld: '1',
    delta: null,
    origin,
  }
}

const fromHub = row(`${MADE}:52811a8584a8169f7a000001`)
const acknowledged = (at: number) => (): Told => ({ waiting: false, acknowledgedAt: new Date(at) })

test('what only the hub wrote, and nobody spoke of since, is an echo', () => {
  expect(isEcho([fromHub, fromHub], ['product:update'], () => NOTHING_TOLD)).toBe(true)
  expect(isEcho([fromHub], ['product:update'], acknowledged(MADE - SKEW - 1))).toBe(true)
})

test.each([
  ['a person wrote one of the rows', [fromHub, row(null)], () => NOTHING_TOLD],
  ['the origin does not say when it was made', [row('somebody')], () => NOTHING_TOLD],
  ['a message of the type waits', [fromHub], () => ({ waiting: true, acknowledgedAt: undefined })],
  ['one was acknowledged after the hub made its own', [fromHub], acknowledged(MADE + 1)],
  ['one was acknowledged so shortly before that clocks may err', [fromHub], acknowledged(MADE - SKEW)],
  [
    'of two applied messages the older crossed one of ours',
    [row(`${MADE + 9 * SKEW}:a`), fromHub],
    acknowledged(MADE),
  ],
] as const)('it is told when %s', (_, rows, told) => {
  expect(isEcho(rows, ['product:new', 'product:update'], told)).toBe(false)
})
