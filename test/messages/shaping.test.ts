import { describe, expect, test } from '@jest/globals'

import { erasePersonal } from '../../src/messages/personal/erase-personal.ts'
import { learnFrom, newPerson, readText } from '../../src/messages/personal/person.ts'
import { differencesOf } from '../../src/messages/shaping/difference.ts'
import { compileExpression } from '../../src/messages/shaping/expression.ts'
import { compileFilters, type Filter, faultOf } from '../../src/messages/shaping/filter.ts'
import { nullAt, parsePath, valuesAt } from '../../src/messages/shaping/path.ts'
import { createShape, type ShapingRules } from '../../src/messages/shaping/shape.ts'

const order = {
  status: 'complete',
  channel: 'Amazon.com',
  number: 'R12',
  totals: { tax: 120, item: 99.95 },
  note: null,
  shipments: [{ items: [{ sku: 'SPR-00001' }, { sku: 'ROR-0001' }] }, { items: [] }],
}
const message = { message: 'order:new', payload: { order } }
const passes = (filter: Filter) => compileFilters([filter])(message)

describe('filters', () => {
  // The table of protocol §4.2, row by row.
  test.each([
    ['status', 'eq', 'complete', true],
    ['status', 'neq', 'complete', false],
    ['totals.tax', 'gt', '100', true],
    ['totals.tax', 'lt', '.5', false],
    ['totals.tax', 'gt', '-.5', true],
    ['totals.item', 'lt', '99.95', false],
    ['totals.tax', 'eq', '120', true],
    ['number', 'begin', 'R', true],
    ['channel', 'contains', 'azon', true],
    ['channel', 'end', '.com', true],
    ['note', 'present', undefined, false],
    ['note', 'empty', undefined, true],
    ['number', 'match', '^R[0-9]+$', true],
  ] as const)('%s %s %s: %s', (path, operator, value, holds) => {
    expect(passes({ path: `payload.order.${path}`, operator, value })).toBe(holds)
  })

  test.each([
    ['a missing step is null', { path: 'payload.order.gone.deeper', operator: 'empty' }, true],
    ['the text null is as good as null', { path: 'payload.order.state', operator: 'present' }, false],
    [
      'text that is no number counts as 0',
      { path: 'payload.order.status', operator: 'lt', value: '1' },
      true,
    ],
    ['comparison heeds case', { path: 'payload.order.status', operator: 'eq', value: 'Complete' }, false],
    [
      'a number is an element',
      { path: 'payload.order.shipments.0.items.1.sku', operator: 'eq', value: 'ROR-0001' },
      true,
    ],
  ] as const)('%s', (_, filter, holds) => {
    const filtered = compileFilters([filter])
    expect(filtered({ payload: { order: { ...order, state: 'null' } } })).toBe(holds)
  })

  test('over a list all targets decide, or any', () => {
    const filter = {
      path: 'payload.order.shipments.*.items.*.sku',
      operator: 'eq',
      value: 'ROR-0001',
    } as const
    expect(passes(filter)).toBe(false)
    expect(passes({ ...filter, match_rule: 'any' })).toBe(true)
    const none = { path: 'payload.order.gone.*.sku', operator: 'neq', value: 'ROR-0001' } as const
    expect([passes(none), passes({ ...none, match_rule: 'any' })]).toEqual([false, false])
    expect(passes({ ...none, operator: 'empty' })).toBe(true)
  })

  test('no expression takes for ever, whatever it is matched against', () => {
    const evil = { path: 'payload.text', operator: 'match', value: '^(a|a)+$' } as const
    expect(compileFilters([evil])({ payload: { text: `${'a'.repeat(10_000)}!` } })).toBe(false)
    expect(compileFilters([evil])({ payload: { text: `x\n${'a'.repeat(10_000)}` } })).toBe(true)
  })

  test('all filters have to hold', () => {
    const complete = { path: 'payload.order.status', operator: 'eq', value: 'complete' } as const
    const taxFree = { path: 'payload.order.totals.tax', operator: 'lt', value: '1' } as const
    expect(compileFilters([complete])(message)).toBe(true)
    expect(compileFilters([complete, taxFree])(message)).toBe(false)
  })

  test('one that could not be judged is told', () => {
    expect(faultOf({ path: 'payload.a', operator: 'match', value: '(' })).toMatch(/RE2 knows them: \($/)
    expect(faultOf({ path: 'payload.a', operator: 'match', value: '(?=a)b' })).toMatch(
      /RE2 knows them: \(\?=a\)b$/,
    )
    expect(faultOf({ path: 'payload.a', operator: 'eq' })).toBe('needs a value for eq')
    expect(faultOf({ path: 'payload.a', operator: 'empty' })).toBeUndefined()
  })
})

describe('paths', () => {
  test('a * is every element, or every value of an object', () => {
    expect(valuesAt(message, parsePath('payload.order.shipments.*.items.*.sku'))).toEqual([
      'SPR-00001',
      'ROR-0001',
    ])
    expect(valuesAt(message, parsePath('payload.order.totals.*'))).toEqual([120, 99.95])
    expect(valuesAt(message, parsePath('payload.order.gone.*'))).toEqual([])
  })

  test('null is put where they lead, into a copy, and nothing is added', () => {
    const root = { payload: { a: { b: 1, c: [{ d: 2 }, { d: 3, e: 4 }] } } }
    const before = structuredClone(root)
    expect(nullAt(root, parsePath('payload.a.c.*.d'))).toEqual({
      payload: { a: { b: 1, c: [{ d: null }, { d: null, e: 4 }] } },
    })
    expect(nullAt(root, parsePath('payload.a.*'))).toEqual({ payload: { a: { b: null, c: null } } })
    expect(nullAt(root, parsePath('payload.a.c.0'))).toEqual({
      payload: { a: { b: 1, c: [null, { d: 3, e: 4 }] } },
    })
    expect(nullAt(root, parsePath('payload.x.y'))).toEqual(before)
    expect(root).toEqual(before)
  })
})

describe('shaping a message', () => {
  const shape = async (rules: ShapingRules) => {
    const shaped = (await createShape(rules, 1_000))({
      type: 'stock:change',
      payload: { sku: 'BC-01', quantity: -2 },
    })
    if ('withheldBy' in shaped) return shaped.withheldBy
    return shaped.transform ? shaped.transform(shaped.payload) : shaped.payload
  }
  const filters = (value: string) => ({
    'stock:change': [{ path: 'payload.sku', operator: 'eq', value }] as const,
  })

  test('filters see what is redacted, expressions do not', async () => {
    const rules = {
      filters: filters('BC-01'),
      redact: { 'stock:change': ['payload.sku'] },
      transform: { 'stock:change': '{"known": $exists(sku) and sku != null, "pieces": -quantity}' },
    }
    expect(await shape(rules)).toEqual({ known: false, pieces: 2 })
  })

  test('what is off, or does not pass, is kept back, and told by which rule', async () => {
    expect(await shape({ filters: filters('SL-7') })).toBe('filters')
    expect(await shape({ announce: { 'stock:change': 'off' }, filters: filters('BC-01') })).toBe('announce')
    expect(await shape({ announce: { 'stock:change': 'on', 'product:new': 'off' } })).toEqual({
      sku: 'BC-01',
      quantity: -2,
    })
  })
})

describe('differences between two shapes', () => {
  const between = (live: object, shadow: object) =>
    differencesOf({ payload: { ...live } }, { payload: { ...shadow } }).map(Object.values)

  test('are told by path and kind of value, once for all elements of a list', () => {
    const order = {
      number: 'R1',
      note: null,
      total: 9.5,
      items: [
        { sku: 'A', price: 1 },
        { sku: 'B', price: 2 },
      ],
    }
    expect(between(order, structuredClone(order))).toEqual([])
    expect(
      between(order, {
        ...order,
        number: 'R2',
        note: 'x',
        total: undefined,
        items: order.items.map(({ sku }) => ({ sku, price: '1' })),
      }),
    ).toEqual([
      ['payload.number', 'text', 'another text'],
      ['payload.note', 'null', 'text'],
      ['payload.total', 'number', 'nothing'],
      ['payload.items.*.price', 'number', 'text'],
    ])
    expect(between(order, { ...order, items: [] })).toEqual([['payload.items', 'list of 2', 'list of 0']])
  })

  test('are no more than a screen or two', () => {
    const many = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`key${index}`, index]))
    expect(between(many, {})).toHaveLength(50)
  })

  test('of the whole message are told as such', () => {
    expect(differencesOf({ withheldBy: 'filters' }, { withheldBy: 'filters' })).toEqual([])
    expect(differencesOf({ payload: {} }, { failed: 'no brand' })).toEqual([
      { path: 'message', live: 'sent', shadow: 'fails: no brand' },
    ])
  })
})

describe('expressions', () => {
  const evaluate = async (text: string, budget = 1_000) => {
    const expression = await compileExpression('product:update', text, budget)
    return expression({ name: 'Clara Bell', price: '35.0', variants: [{ sku: 'A' }] })
  }

  test('give the object that is sent', async () => {
    expect(await evaluate('$merge([$, {"price": $number(price)}])')).toEqual({
      name: 'Clara Bell',
      price: 35,
      variants: [{ sku: 'A' }],
    })
  })

  test.each([
    ['nowhere', 'transform of product:update: it gives nothing, not an object'],
    ['name', 'transform of product:update: it gives a string, not an object'],
    ['variants', 'transform of product:update: it gives a list, not an object'],
    ['function($x) { $x }', 'transform of product:update: it gives a function, not an object'],
    ['$error("no brand")', 'transform of product:update: no brand (D3137, character 7)'],
    [
      '{"n": $number(name)}',
      'transform of product:update: Unable to cast value to a number: … (D3030, character 14)',
    ],
  ])('%s is refused without a word of the payload', async (text, reason) => {
    await expect(evaluate(text)).rejects.toMatchObject({
      code: 'expression',
      type: 'product:update',
      message: reason,
    })
  })

  test('one that does not end is ended, as is one that calls itself too deep', async () => {
    await expect(evaluate('($f := function($n) { $f($n + 1) }; $f(0))', 20)).rejects.toThrow(
      'transform of product:update: it took longer than 20 ms',
    )
    await expect(evaluate('($f := function($n) { 1 + $f($n + 1) }; $f(0))')).rejects.toThrow(/D1011/)
    await expect(evaluate('{"all": [1..9000000]}')).rejects.toThrow(/D2015/)
  })

  test('one that cannot be read says where', async () => {
    await expect(evaluate('{"price": $number(price}')).rejects.toMatchObject({
      message: expect.stringMatching(/character 24\)$/),
    })
  })
})

describe('of a person who is forgotten', () => {
  const address = {
    firstname: 'Ottilie',
    lastname: 'Querfurth',
    address1: '77 Larch Row',
    phone: 3615550142,
    city: 'Erfurt',
  }
  const order = {
    number: 'R70',
    email: 'Ottilie@querfurth.example',
    bill_address: { ...address, country: { iso: 'DE' } },
  }
  const erase = (text: string, isTheirs = false) => {
    const person = newPerson('ottilie@querfurth.example')
    learnFrom(person, readText(JSON.stringify(order)))
    const clean = erasePersonal(text, person, isTheirs)
    expect(erasePersonal(clean, person, isTheirs)).toBe(clean)
    return clean
  }
  const nobody = { firstname: null, lastname: null, address1: null, phone: null, city: null }

  test('fields become null, also in a diff and in what was; numbers stay as they are written', () => {
    const text = `{"order":${JSON.stringify(order)},"diff":{"email":[null,"a@b.example"],"city":"Erfurt"},"total":10.00,"id":12345678901234567890}`
    const erased = { number: 'R70', email: null, bill_address: { ...nobody, country: { iso: 'DE' } } }
    expect(erase(text)).toBe(
      `{"order":${JSON.stringify(erased)},"diff":{"email":[null,null],"city":"Erfurt"},"total":10.00,"id":12345678901234567890}`,
    )
  })

  test('a message that names the order alone is theirs; a product with the same name is not', () => {
    expect(JSON.parse(erase(JSON.stringify({ order_number: 'R70', shipping_address: address })))).toEqual({
      order_number: 'R70',
      shipping_address: nobody,
    })
    const product = JSON.stringify({ product: { name: 'Ottilie', permalink: 'larch-row' } })
    expect(erase(product)).toBe(product)
    expect(erase(JSON.stringify({ payload: address }), true)).toBe(JSON.stringify({ payload: nobody }))
  })

  test("in a list, what is somebody else's stays", () => {
    const other = {
      number: 'R71',
      email: 'jo.ottilie@querfurth.example',
      bill_address: { ...address, firstname: 'Jo' },
    }
    const orders = JSON.parse(erase(JSON.stringify({ orders: [order, other] })))
    expect(orders).toEqual({
      orders: [{ number: 'R70', email: null, bill_address: expect.objectContaining(nobody) }, other],
    })
  })

  test('in a sentence, they alone are taken out', () => {
    expect(
      erase(
        'R70 of Ottilie Querfurth <ottilie@querfurth.example>: 77 larch row is unknown to jo.ottilie@querfurth.example.',
      ),
    ).toBe('R70 of [erased] <[erased]>: [erased] is unknown to jo.ottilie@querfurth.example.')
  })
})
