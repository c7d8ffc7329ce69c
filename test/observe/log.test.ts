import { Writable } from 'node:stream'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import fc from 'fast-check'
import { createLog, type LogOptions } from '../../src/observe/log.ts'
import { onceInAWhile } from '../../src/observe/once-in-a-while.ts'
import { maskPasswords } from '../../src/observe/redact.ts'

class Lines extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.text += chunk
    done()
  }
  get all() {
    return this.text.split('\n').slice(0, -1)
  }
  get parsed() {
    return this.all.map((line) => JSON.parse(line))
  }
}

function logTo(options: Partial<LogOptions> = {}) {
  const lines = new Lines()
  return { lines, ...createLog({ level: 'info', stream: lines, ...options }) }
}

describe('a log line', () => {
  test('is one JSON object with time, level and message first, then the fields of the child and its own', async () => {
    const { log, lines, closeLog } = logTo()
    log
      .child({ worker: 'w1', lane: 3 })
      .child({ lane: 4 })
      .warn('Message refused.', { message_id: '17', at: new Date(0) })
    await closeLog()

    expect(lines.all).toHaveLength(1)
    expect(lines.all[0]).toMatch(
      /^{"time":"\d{4}-[^"]+Z","level":"warn","message":"Message refused.","worker":"w1","lane":4,"message_id":"17","at":"1970-01-01T00:00:00.000Z"}$/,
    )
  })

  test('is written from its level up', async () => {
    for (const [level, expected] of [
      ['error', ['error']],
      ['info', ['error', 'warn', 'info']],
      ['debug', ['error', 'warn', 'info', 'debug']],
    ] as const) {
      const { log, lines, closeLog } = logTo({ level })
      for (const at of ['error', 'warn', 'info', 'debug'] as const) log[at]('x')
      await closeLog()
      expect(lines.parsed.map((line) => line.level)).toEqual(expected)
    }
  })

  test('hides what looks like a secret, at any depth, and the password of an address wherever it stands', async () => {
    const { log, lines, closeLog } = logTo()
    log.info('Connecting to postgres://bridge:s3cret@db/spree', {
      hub_token: 's3cret',
      databaseUrl: 'postgres://bridge:s3cret@db:5432/spree?sslmode=require',
      request: { headers: [{ 'X-Augury-Token': 's3cret', Authorization: 'Bearer s3cret', 'X-Hub': 'ours' }] },
      error: Object.assign(new Error('no route to https://u:s3cret@hub/ ?access_token=s3cret'), {
        code: 'ECONNREFUSED',
        config: { headers: { token: 's3cret' } },
        cause: new Error('postgres://bridge:s3cret@db failed'),
      }),
      has_token: true,
      key: 'c0ffee00-0000-4000-8000-000000000000',
    })
    await closeLog()

    expect(lines.text).not.toContain('s3cret')
    expect(lines.parsed[0]).toMatchObject({
      message: 'Connecting to postgres://bridge:***@db/spree',
      hub_token: '[hidden]',
      databaseUrl: 'postgres://bridge:***@db:5432/spree?sslmode=require',
      request: { headers: [{ 'X-Augury-Token': '[hidden]', Authorization: '[hidden]', 'X-Hub': 'ours' }] },
      has_token: true,
      key: 'c0ffee00-0000-4000-8000-000000000000',
    })
  })

  test('tells a foreseen error by code and message, its stack only at debug; an unforeseen one with its stack', async () => {
    const foreseen = Object.assign(new Error('lease lost', { cause: new RangeError('bug') }), {
      code: '40001',
      detail: 'row',
    })
    const several = Object.assign(new AggregateError([foreseen], ''), { code: 'ECONNREFUSED' })
    const atLevel = async (level: 'info' | 'debug') => {
      const { log, lines, closeLog } = logTo({ level })
      log.error('Failed.', { error: foreseen, other: several })
      await closeLog()
      return lines.parsed[0]
    }

    expect(await atLevel('info')).toMatchObject({
      error: {
        code: '40001',
        message: 'lease lost',
        cause: { name: 'RangeError', message: 'bug', stack: expect.any(String) },
      },
      other: { name: 'AggregateError', code: 'ECONNREFUSED', message: '', errors: [{ code: '40001' }] },
    })
    expect((await atLevel('info')).error).not.toHaveProperty('stack')
    expect((await atLevel('info')).error).not.toHaveProperty('detail')
    expect((await atLevel('debug')).error.stack).toContain('log.test.ts')
  })

  test('is valid JSON whatever the fields hold', async () => {
    const circular: Record<string, unknown> = {
      big: 10n,
      bytes: Buffer.from('abc'),
      at: new Date(Number.NaN),
    }
    circular['self'] = circular
    const { log, lines, closeLog } = logTo()
    log.info('odd', circular)
    fc.assert(
      fc.property(fc.object({ withBigInt: true, withDate: true, withTypedArray: true }), (nested) =>
        log.info('any', { nested }),
      ),
    )
    await closeLog()

    expect(lines.parsed[0]).toMatchObject({ big: '10', bytes: '[3 bytes]', at: 'invalid date' })
    expect(lines.parsed.length).toBe(101)
  })

  test('is for a person in the pretty form, and text from outside cannot forge a second line', async () => {
    const { log, lines, closeLog } = logTo({ format: 'pretty' })
    log.warn('Refused.\n12:00:00.000 error forged', { order: 'R1', why: 'not\nnow', count: 2 })
    log.error('Broke.', { error: new TypeError('undefined is no order') })
    await closeLog()

    expect(lines.all[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} warn {2}Refused. 12:00:00.000 error forged order=R1 why="not\\nnow" count=2$/,
    )
    expect(lines.all[1]).toMatch(/error Broke. error={"name":"TypeError","message":"undefined is no order"}$/)
    expect(lines.all[2]).toBe('    TypeError: undefined is no order')
    expect(lines.all[3]).toMatch(/^ {4} +at .*log.test.ts/)
  })

  test('a terminal gets the pretty form, anything else JSON, where nothing is set', async () => {
    const terminal = Object.assign(new Lines(), { isTTY: true })
    for (const [stream, begin] of [
      [terminal, /^\d\d:/],
      [new Lines(), /^{"time"/],
    ] as const) {
      const { log, closeLog } = createLog({ level: 'info', stream })
      log.info('x')
      await closeLog()
      expect(stream.text).toMatch(begin)
    }
  })
})

test('no password of an address survives, whatever characters it is made of', () => {
  const user = fc.stringMatching(/^[!-.0-9;-~]{0,20}$/)
  const password = fc.stringMatching(/^[ -~]{8,30}$/)
  fc.assert(
    fc.property(user, password, (name, secret) => {
      expect(maskPasswords(`at postgres://${name}:${secret}@db/spree today`)).toBe(
        `at postgres://${name}:***@db/spree today`,
      )
    }),
  )
})

test('an address without a password stands as it is', () => {
  for (const text of [
    'https://hub.example.com:4000/api is not there',
    'postgres://bridge@srv1:5432/spree',
    'https://hub.example.com/api said: jane@example.com is unknown',
  ])
    expect(maskPasswords(text)).toBe(text)
})

describe('closing', () => {
  test('waits until a slow reader has every line, and a later line is dropped without harm', async () => {
    class Slow extends Lines {
      override _write(chunk: Buffer, encoding: string, done: () => void) {
        setImmediate(() => super._write(chunk, encoding, done))
      }
    }
    const stream = new Slow()
    const { log, closeLog } = createLog({ level: 'info', stream })
    for (let line = 0; line < 2000; line++) log.info('line', { line })
    await Promise.all([closeLog(), closeLog()])
    log.error('too late')

    expect(stream.parsed.map(({ line }) => line)).toEqual(Array.from({ length: 2000 }, (_, line) => line))
  })
})

describe('once in a while', () => {
  afterEach(() => {
    jest.useRealTimers()
  })

  test('a repeating cause writes one line a second, with the number of those held back, and no other is held up', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] })
    const { log, lines, closeLog } = logTo()
    const seldom = onceInAWhile(log)
    for (let tenth = 0; tenth < 25; tenth++) {
      seldom('hub', 'warn', 'The hub is down.', { tenth })
      if (tenth === 3) seldom('database', 'error', 'The database is down.')
      jest.advanceTimersByTime(100)
    }
    jest.advanceTimersByTime(10_000)
    seldom('hub', 'warn', 'The hub is down again.')
    jest.useRealTimers()
    await closeLog()

    expect(lines.parsed.map(({ message, tenth, suppressed }) => ({ message, tenth, suppressed }))).toEqual([
      { message: 'The hub is down.', tenth: 0 },
      { message: 'The database is down.' },
      { message: 'The hub is down.', tenth: 9, suppressed: 8 },
      { message: 'The hub is down.', tenth: 19, suppressed: 9 },
      { message: 'The hub is down.', tenth: 24, suppressed: 4 },
      { message: 'The hub is down again.' },
    ])
  })
})
