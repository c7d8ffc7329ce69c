import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { readArguments } from '../../bench/arguments.ts'
import { type Figure, judge, quantile, type Round, toJson, turnsOf } from '../../bench/frame.ts'
import { readStep, replayStep } from '../../bench/recorded-checkout.ts'
import { figureLines, resultsPage } from '../../bench/report.ts'
import type { Db } from '../../src/postgres/pool.ts'

const rate: Figure = {
  name: 'drain against the bare client',
  unit: '×',
  measured: { variant: 'drain', metric: 'messages/s' },
  reference: { variant: 'client', metric: 'messages/s' },
  compare: 'ratio',
  must: 0.8,
  aim: 0.95,
  better: 'higher',
}
const rounds = (...pairs: [drain: number, client: number][]): Round[] =>
  pairs.map(([drain, client]) => ({ drain: { 'messages/s': drain }, client: { 'messages/s': client } }))

describe('judging a figure', () => {
  test('compares within each round, so that a slow minute hits both sides alike', () => {
    // By medians of the sides alone it would be 0.5.
    const result = judge(rate, rounds([900, 1_000], [90, 100], [4_500, 5_000]))
    expect(result.rounds).toEqual([0.9, 0.9, 0.9])
    expect(result).toMatchObject({ value: 0.9, measured: 900, reference: 1_000, verdict: 'must' })
  })

  test('takes the median of the rounds, between the middle two where they are even', () => {
    expect(judge(rate, rounds([10, 100], [80, 100], [90, 100])).value).toBe(0.8)
    expect(judge(rate, rounds([10, 100], [80, 100], [90, 100], [99, 100])).value).toBeCloseTo(0.85)
  })

  test('a bound itself is good enough, whichever way is better', () => {
    const lower = { ...rate, better: 'lower', must: 1.3, aim: 1.1 } as const
    const verdicts = (figure: Figure, values: number[]) =>
      values.map((value) => judge(figure, rounds([value, 1])).verdict)
    expect(verdicts(rate, [0.79, 0.8, 0.949, 0.95])).toEqual(['missed', 'must', 'must', 'aim'])
    expect(verdicts(lower, [1.31, 1.3, 1.11, 1.1])).toEqual(['missed', 'must', 'must', 'aim'])
  })

  test('takes a difference to its reference, or the number alone', () => {
    const [round] = rounds([140, 100])
    expect(judge({ ...rate, compare: 'difference' }, [round ?? {}]).value).toBe(40)
    expect(judge({ ...rate, compare: 'alone' }, [round ?? {}]).value).toBe(140)
  })

  test('refuses a measurement that is not there, instead of judging nothing', () => {
    expect(() => judge(rate, [{ drain: { 'messages/s': 1 } }])).toThrow(
      '"client" did not measure "messages/s"',
    )
    expect(judge(rate, []).verdict).toBe('missed')
  })
})

test('a quantile lies between its neighbours, whatever their order', () => {
  const numbers = Array.from({ length: 101 }, (_, index) => 100 - index)
  expect(quantile(numbers, 0.99)).toBe(99)
  expect(quantile([30, 10], 0.25)).toBe(15)
  expect(quantile([7], 0.99)).toBe(7)
})

test('every variant has its turn in each round and each begins one', () => {
  const turns = [0, 1, 2, 3].map((round) => turnsOf(['a', 'b', 'c'], round).join(''))
  expect(turns).toEqual(['abc', 'bca', 'cab', 'abc'])
})

describe('what is printed', () => {
  const result = judge(rate, rounds([777.77, 1_000], [333.333, 500]))

  test('the JSON has the public names and no others', () => {
    expect(JSON.parse(toJson([result]))).toEqual({
      figures: [
        {
          name: 'drain against the bare client',
          value: 0.7222,
          reference: 750,
          unit: '×',
          must: 0.8,
          aim: 0.95,
          better: 'higher',
          rounds: [0.7778, 0.6667],
        },
      ],
    })
  })

  test('a missed bound is seen in the table and on the page', () => {
    expect(figureLines([result])[1]).toMatch(
      /drain.*0\.72 ×.*0\.67–0\.78.*≥ 0\.8.*≥ 0\.95.*MISSED.*556 messages\/s.*750/,
    )
    const finding = {
      experiment: 'drain',
      rounds: rounds([777, 1_000]),
      results: [result],
      othersCores: [0.1, 0.5],
    }
    const machine = {
      date: '2026-01-02 03:04 UTC',
      cores: 2,
      processor: 'abacus',
      node: '20.0.0',
      postgres: '18.4',
      store: 'a shop',
    }
    const page = resultsPage([finding], machine, 'npm run bench -- drain')
    expect(page).toContain(
      '2026-01-02 03:04 UTC, `npm run bench -- drain`. 2 cores (abacus), Node 20.0.0, PostgreSQL 18.4',
    )
    expect(page).toMatch(/\| drain against the bare client \| 0\.72 × .*MISSED/)
    expect(page).toContain('Other processes kept 0.30 cores busy (0.10–0.50)')
    expect(page).toContain('| client | 1000 (1000–1000) |')
  })
})

describe('the command line', () => {
  const known = ['drain', 'whole-path']

  test('takes names and options in any order; no name means all', () => {
    expect(readArguments(['--quick', 'drain', '--json'], known)).toEqual({
      names: ['drain'],
      quick: true,
      json: true,
    })
    expect(readArguments([], known)).toEqual({ names: known, quick: false, json: false })
  })

  test('a wrong name or option is answered with those there are', () => {
    expect(readArguments(['drian'], known)).toBe('No such bench: drian. There are: drain, whole-path.')
    expect(readArguments(['--fast'], known)).toMatch(/--fast.*\nUsage: npm run bench.*drain, whole-path/s)
  })
})

describe('replaying a recorded checkout', () => {
  const script = readFileSync(
    path.resolve(import.meta.dirname, '../fixtures/stores/spree-4.10/04-checkout.sql'),
    'utf8',
  )

  /** Runs it against a database that hands out ids from 9000 on. */
  async function statementsOf(run: number): Promise<string[]> {
    const texts: string[] = []
    let id = 9_000
    const query = async (text: string) => {
      texts.push(text)
      return { rows: text.endsWith('RETURNING "id"') ? [{ id: String(id++) }] : [] }
    }
    await replayStep({ query } as unknown as Db, readStep(script), run)
    return texts
  }

  test('names the rows that this run inserted, and leaves what was there before', async () => {
    const texts = await statementsOf(1)
    const [order, line, shipAddress, billAddress] = ['9000', '9001', '9002', '9003']
    const changes = texts.filter((text) => !text.startsWith('INSERT'))
    expect(texts).toContainEqual(
      expect.stringContaining(`"bill_address_id" = '${billAddress}', "ship_address_id" = '${shipAddress}'`),
    )
    expect(texts).toContainEqual(
      expect.stringMatching(new RegExp(`^UPDATE "spree_line_items" .* = '${line}';$`)),
    )
    expect(
      changes
        .filter((text) => text.startsWith('UPDATE "spree_orders"'))
        .every((text) => text.endsWith(`= '${order}';`)),
    ).toBe(true)
    expect(changes).toContainEqual(
      expect.stringMatching(/UPDATE "spree_variants" .* "spree_variants"."id" = '116';$/),
    )
    // The ids of the recording are gone.
    expect(changes.join('\n')).not.toMatch(/"(order_id|shipment_id)" = '(47|58)'|"spree_orders"."id" = '47'/)
  })

  test('sells again in each run, under new numbers', async () => {
    const numbers = (texts: string[]) => texts.flatMap((text) => text.match(/'[RHP]BENCH\d+'/g) ?? [])
    expect(numbers(await statementsOf(7))).toEqual(["'RBENCH7'", "'HBENCH7'", "'PBENCH7'"])
    expect(await statementsOf(1)).toContainEqual(
      expect.stringContaining('"count_on_hand" = "count_on_hand" - 2'),
    )
  })
})
