import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Chains } from '../../src/queue/chains.ts'
import type { QueuedMessage } from '../../src/queue/message.ts'
import { BEGINNING, isBefore } from '../../src/queue/position.ts'

const PER_RELOAD = 16

function message(id: number, over: Partial<QueuedMessage> = {}): QueuedMessage {
  return {
    id: String(id),
    xid: '7',
    lane: 0,
    aggregate: 'order:1',
    key: `key-${id}`,
    type: 'order:persist',
    payload: 'x'.repeat(10),
    subject: null,
    state: 'waiting',
    attempts: 0,
    hasFailed: false,
    carried: {},
    dueAt: 0,
    changedAt: new Date(0),
    createdAt: new Date(0),
    ...over,
  }
}

/** The table, its reader and its settler around the chains, one step at a time; all of it as slow as one likes. */
class World {
  readonly chains = new Chains()
  now = 0
  readonly table = new Map<string, QueuedMessage>()
  readonly accepted: QueuedMessage[] = []
  readonly inFlight = new Map<string, QueuedMessage>()
  readonly parked = new Set<string>()
  /** What lay there when the lane was read anew, and what has come since. */
  #all: QueuedMessage[] = []
  #news: QueuedMessage[] = []
  #late: QueuedMessage[] = []
  #unsettled: (() => void)[] = []
  #reading: (() => void) | undefined
  #releaseLater: QueuedMessage[] = []
  #nextId = 1

  insert(aggregate: number, subject: string | null): void {
    this.#commit(this.#newRow(`order:${aggregate}`, subject))
  }

  /** A transaction whose rows become visible only when `commitLate` is called; its aggregates are its own kind. */
  insertLate(aggregate: number): void {
    this.#late.push(this.#newRow(`late:${aggregate}`, null))
  }

  insertOnTime(aggregate: number): void {
    this.#commit(this.#newRow(`late:${aggregate}`, null))
  }

  commitLate(): void {
    const row = this.#late.shift()
    if (row) this.#commit(row)
  }

  beginForward(most: number): void {
    if (this.#reading) return
    const { aggregates, reach } = this.chains.withMore(1_000)
    const isPassedOver = (row: QueuedMessage) => aggregates.includes(row.aggregate)
    const isPassed =
      this.#all.length > 0 ? isPassedOver : (row: QueuedMessage) => isPassedOver(row) && isBefore(reach, row)
    const rows = (this.#all.length > 0 ? this.#all : this.#news)
      .splice(0, most)
      .flatMap(({ id }) => this.table.get(id) ?? [])
      .filter((row) => !isPassed(row))
    if (rows.length === 0) return
    this.#reading = () => this.chains.append(rows, this.now)
  }

  beginReload(most: number): void {
    if (this.#reading) return
    const reads = this.chains.dueForReload(this.now, most).map(({ aggregate, after }) => ({
      aggregate,
      rows: this.#rows(aggregate)
        .filter((row) => isBefore(after ?? BEGINNING, row))
        .filter((row) => !(row.state === 'parked' && row.subject !== null))
        .slice(0, PER_RELOAD),
    }))
    if (reads.length === 0) return
    this.#reading = () => {
      for (const { aggregate, rows } of reads) {
        this.chains.replace(aggregate, rows, rows.length === PER_RELOAD, this.now)
      }
    }
  }

  endRead(): void {
    this.#reading?.()
    this.#reading = undefined
    this.chains.release(this.#releaseLater.splice(0))
  }

  send(): void {
    const turn = this.chains.take()
    if (!turn) return
    expect(this.inFlight.has(turn.message.aggregate)).toBe(false)
    if (turn.superseded) {
      this.#settle(turn.message, () => this.table.delete(turn.message.id))
      this.accepted.push(turn.message)
      this.chains.finish(turn.message, this.now)
    } else this.inFlight.set(turn.message.aggregate, turn.message)
  }

  answer(outcome: 'accept' | 'retry' | 'park' | 'hold'): void {
    const [aggregate, sent] = [...this.inFlight][0] ?? []
    if (aggregate === undefined || !sent) return
    this.inFlight.delete(aggregate)
    if (outcome === 'accept') {
      this.accepted.push(sent)
      this.#settle(sent, () => this.table.delete(sent.id))
      this.chains.finish(sent, this.now)
    } else if (outcome === 'hold') this.chains.putBack(sent, this.now)
    else {
      const parks = outcome === 'park'
      this.#settle(sent, () => {
        const dueAt = this.now + 5
        this.table.set(sent.id, { ...sent, state: parks ? 'parked' : 'failing', dueAt })
        if (parks) this.parked.add(sent.id)
        if (parks && sent.subject !== null) this.chains.finish(sent, this.now)
        else this.chains.block(sent, parks ? Number.POSITIVE_INFINITY : dueAt, this.now)
      })
    }
  }

  settle(): void {
    this.#unsettled.shift()?.()
  }

  /** A person has put parked messages back: the lane is forgotten and read again from its beginning. */
  retryParked(): void {
    this.endRead()
    if (this.parked.size === 0) return
    for (const id of this.parked) {
      const row = this.table.get(id)
      if (row) this.table.set(id, { ...row, state: 'waiting', dueAt: 0 })
    }
    this.parked.clear()
    this.#startOver(new Set([0]))
  }

  /** Lanes have come, or a person has changed messages of another one. */
  lanesCame(): void {
    this.endRead()
    this.#startOver(new Set())
  }

  #startOver(revised: ReadonlySet<number>): void {
    this.chains.startOver(revised)
    this.#all = this.#rows()
    this.#news = []
  }

  /** Everything is answered and read until nothing moves any more. */
  finish(): void {
    while (this.#late.length > 0) this.commitLate()
    for (let round = 0; round < 20_000; round++) {
      if (this.table.size === 0 && this.#unsettled.length === 0) break
      this.now += 1
      this.beginForward(50)
      this.endRead()
      this.beginReload(50)
      this.endRead()
      this.send()
      this.answer('accept')
      this.settle()
      if (round % 1_000 === 999) this.retryParked()
    }
    this.endRead()
  }

  #newRow(aggregate: string, subject: string | null): QueuedMessage {
    const id = this.#nextId++
    const type = subject ? 'product:update' : 'order:persist'
    return message(id, { aggregate, subject, type, xid: String(id), payload: 'x'.repeat(1 + (id % 7)) })
  }

  #commit(row: QueuedMessage): void {
    this.table.set(row.id, row)
    this.#news.push(row)
  }

  #rows(aggregate?: string): QueuedMessage[] {
    return [...this.table.values()]
      .filter((row) => aggregate === undefined || row.aggregate === aggregate)
      .sort((a, b) => Number(a.id) - Number(b.id))
  }

  #settle(sent: QueuedMessage, write: () => void): void {
    this.#unsettled.push(() => {
      write()
      if (this.#reading) this.#releaseLater.push(sent)
      else this.chains.release([sent])
    })
  }
}

const ACTIONS = {
  insert: (world: World, number: number) => world.insert(number % 3, number > 15 ? 'catalogue' : null),
  burst: (world: World, number: number) => {
    for (let i = 0; i < 20; i++) world.insert(number % 3, number > 15 ? 'catalogue' : null)
  },
  insertLate: (world: World, number: number) => world.insertLate(number % 2),
  insertOnTime: (world: World, number: number) => {
    for (let i = 0; i < number; i++) world.insertOnTime(number % 2)
  },
  commitLate: (world: World) => world.commitLate(),
  beginForward: (world: World, number: number) => world.beginForward(number),
  beginReload: (world: World, number: number) => world.beginReload(number),
  endRead: (world: World) => world.endRead(),
  send: (world: World) => world.send(),
  accept: (world: World) => world.answer('accept'),
  retry: (world: World) => world.answer('retry'),
  park: (world: World) => world.answer('park'),
  hold: (world: World) => world.answer('hold'),
  settle: (world: World) => world.settle(),
  wait: (world: World) => {
    world.now += 6
  },
  retryParked: (world: World) => world.retryParked(),
  lanesCame: (world: World) => world.lanesCame(),
}
const often = [
  ...([
    'insert',
    'insertOnTime',
    'insertLate',
    'commitLate',
    'endRead',
    'endRead',
    'send',
    'send',
    'accept',
    'accept',
    'settle',
    'settle',
  ] as const),
  ...(['beginForward', 'beginReload'] as const),
]
const seldom = [...(['burst', 'retry', 'park', 'hold', 'wait', 'retryParked', 'lanesCame'] as const)]
const step = fc.tuple(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...often) },
    { weight: 1, arbitrary: fc.constantFrom(...seldom) },
  ),
  fc.integer({ min: 1, max: 20 }),
)

test('whatever happens in whatever order: one in flight, in order, none lost, none twice, nothing kept in memory', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 200, maxLength: 200 }), (steps) => {
      const world = new World()
      for (const [name, number] of steps) ACTIONS[name](world, number)
      world.finish()

      expect(world.table.size).toBe(0)
      const ids = world.accepted.map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
      expect(world.chains.heldMessages).toBe(0)
      expect(world.chains.heldCharacters).toBe(0)
      // A parked state-like message is passed by, so that only history is in order throughout.
      for (let number = 0; number < 3; number++) {
        const sent = world.accepted.filter(
          (one) => one.aggregate === `order:${number}` && one.subject === null,
        )
        expect(sent.map(({ id }) => Number(id))).toEqual(
          sent.map(({ id }) => Number(id)).sort((a, b) => a - b),
        )
      }
    }),
    { numRuns: 100 },
  )
})

describe('one chain', () => {
  const forward = (count: number, over: Partial<QueuedMessage> = {}, from = 1) =>
    Array.from({ length: count }, (_, place) => message(from + place, over))

  test('keeps 16 messages in memory and knows that there are more', () => {
    const chains = new Chains()
    chains.append(forward(1_000), 0)
    expect(chains.heldMessages).toBe(16)
    for (let sent = 0; sent < 16; sent++) chains.finish(chains.take()!.message, 0)
    expect(chains.take()).toBeUndefined()
    expect(chains.dueForReload(0, 10)).toEqual([
      { aggregate: 'order:1', after: expect.objectContaining({ id: '16' }) },
    ])
  })

  test('that fails keeps nothing in memory, and is read again when it is due, not before', () => {
    const chains = new Chains()
    chains.append(forward(10), 0)
    const { message: head } = chains.take()!
    chains.block(head, 100, 0)
    chains.release([head])
    expect([chains.heldMessages, chains.heldCharacters]).toEqual([0, 0])
    expect(chains.nextDueAt()).toBe(100)
    expect(chains.dueForReload(99, 10)).toEqual([])
    chains.append(forward(5, {}, 11), 99)
    expect(chains.heldMessages).toBe(0)
    expect(chains.dueForReload(100, 10)).toHaveLength(1)
  })

  test('held by a parked message waits for a person, while old news that is parked holds nothing', () => {
    const chains = new Chains()
    chains.append([message(1, { state: 'parked' }), message(2)], 0)
    expect(chains.take()).toBeUndefined()
    expect(chains.nextDueAt()).toBeUndefined()
    expect(chains.dueForReload(Number.MAX_SAFE_INTEGER, 10)).toEqual([])
    const news = { aggregate: 'product:1', type: 'product:update', subject: 'catalogue' }
    chains.append([message(3, { ...news, state: 'parked' }), message(4, news)], 0)
    expect(chains.take()?.message.id).toBe('4')
  })

  test('closes a state-like message unsent where a newer one of its type is behind it, and nothing else', () => {
    const chains = new Chains()
    const news = { aggregate: 'product:1', type: 'product:update', subject: 'catalogue' }
    const level = { aggregate: 'product:2', type: 'stock:actual' }
    chains.append(
      [message(1, news), message(2, { ...news, type: 'stock:actual' }), message(3, news), message(4)],
      0,
    )
    chains.append(
      [message(5, { ...level, subject: 'stock:1' }), message(6, { ...level, subject: 'stock:2' })],
      0,
    )
    const turns: [string, boolean][] = []
    for (let turn = chains.take(); turn; turn = chains.take()) {
      turns.push([turn.message.id, turn.superseded])
      chains.finish(turn.message, 0)
    }
    expect(turns).toEqual([
      ['1', true],
      ['4', false],
      ['5', false],
      ['2', false],
      ['6', false],
      ['3', false],
    ])
  })

  test('whose failed message is due loads nothing newer before it was read again', () => {
    const chains = new Chains()
    chains.append(forward(1), 0)
    chains.block(chains.take()!.message, 100, 0)
    chains.append(forward(1, {}, 2), 100)
    expect(chains.take()).toBeUndefined()
    expect(chains.dueForReload(100, 10)).toHaveLength(1)
    chains.append(forward(1, {}, 3), 101)
    expect(chains.take()).toBeUndefined()
  })

  test('that failed with others loaded behind it passes none of them by', () => {
    const chains = new Chains()
    chains.append(forward(20), 0)
    chains.block(chains.take()!.message, 1, 0)
    expect(chains.dueForReload(1, 10)).toEqual([{ aggregate: 'order:1', after: undefined }])
    // More came before them meanwhile than one reload brings.
    chains.replace('order:1', forward(10), true, 1)
    for (let turn = chains.take(); turn; turn = chains.take()) chains.finish(turn.message, 1)
    expect(chains.dueForReload(1, 10)).toEqual([{ aggregate: 'order:1', after: { xid: '7', id: '10' } }])
  })

  test('loads nothing behind a message that is not due', () => {
    const chains = new Chains()
    chains.append([message(1, { state: 'failing', dueAt: 50 }), message(2)], 0)
    expect(chains.take()).toBeUndefined()
    expect([chains.heldMessages, chains.nextDueAt()]).toEqual([0, 50])
  })

  test('of history closes nothing unsent, whatever else is of its type', () => {
    const chains = new Chains()
    chains.append([message(1), message(2, { subject: 'catalogue' })], 0)
    expect(chains.take()?.superseded).toBe(false)
  })

  test('is read from its oldest message on when one that committed late was left in the table', () => {
    const chains = new Chains()
    chains.append(forward(20, {}, 10), 0)
    const { message: head } = chains.take()!
    chains.append([message(9)], 0)
    chains.finish(head, 0)
    for (let turn = chains.take(); turn; turn = chains.take()) chains.finish(turn.message, 0)
    expect(chains.dueForReload(0, 10)).toEqual([{ aggregate: 'order:1', after: undefined }])
  })

  test('takes turns with the others', () => {
    const chains = new Chains()
    chains.append([...forward(3), ...forward(3, { aggregate: 'order:2' }, 10)], 0)
    const sent: string[] = []
    for (let turn = chains.take(); turn; turn = chains.take()) {
      sent.push(turn.message.aggregate)
      chains.finish(turn.message, 0)
    }
    expect(sent).toEqual(['order:1', 'order:2', 'order:1', 'order:2', 'order:1', 'order:2'])
  })

  test('of a lane that shall go stops after the message under way, however many there are', () => {
    const chains = new Chains()
    chains.append([...forward(16), message(100, { lane: 1, aggregate: 'order:9' })], 0)
    const { message: head } = chains.take()!
    expect(chains.drain(new Set([0]))).toEqual([])
    chains.finish(head, 0)
    expect(chains.takeable).toBe(1)
    expect(chains.dueForReload(0, 10)).toEqual([])
    expect(chains.drain(new Set([0]))).toEqual([])
    chains.release([head])
    expect(chains.drain(new Set([0]))).toEqual([0])
    expect(chains.take()?.message.id).toBe('100')
  })

  test('is read from its oldest message on when a person has put one back that lies before the one under way', () => {
    const chains = new Chains()
    const news = { type: 'product:update', subject: 'catalogue' }
    chains.append([message(1, { ...news, state: 'parked' }), message(2, { type: 'stock:change' })], 0)
    const { message: underWay } = chains.take()!
    chains.startOver(new Set([0]))
    chains.finish(underWay, 0)
    chains.release([underWay])
    expect(chains.dueForReload(0, 10)).toEqual([{ aggregate: 'order:1', after: undefined }])
  })

  test('is read again, not sent from memory, after a person changed it while a message was put back', () => {
    const chains = new Chains()
    chains.append(forward(2), 0)
    const { message: head } = chains.take()!
    chains.startOver(new Set([0]))
    chains.putBack(head, 0)
    expect(chains.take()).toBeUndefined()
    expect(chains.dueForReload(0, 10)).toEqual([{ aggregate: 'order:1', after: undefined }])
    expect(chains.heldMessages).toBe(0)
  })
})

describe('chains of several receivers', () => {
  const shares = {
    groupOf: ({ aggregate }: QueuedMessage) => aggregate.split('/')[0] ?? '',
    mostInFlight: 2,
    mostHeld: 10,
    characters: 9_000,
  }
  const queued = (receiver: string, from: number, count: number) =>
    Array.from({ length: count }, (_, place) =>
      message(from + place, { aggregate: `${receiver}/${from + place}` }),
    )

  test('one that does not answer holds its share of the slots and of the memory, and the others go on', () => {
    const chains = new Chains(shares)
    chains.append([...queued('slow', 1, 100), ...queued('quick', 200, 3)], 0)
    expect(chains.heldMessages).toBe(13)
    const taken = Array.from({ length: 5 }, () => chains.take()?.message.aggregate.split('/')[0])
    expect(taken).toEqual(['slow', 'quick', 'slow', 'quick', undefined])
    expect(chains.takeable).toBe(0)
  })

  test('one of long messages holds no more of them than its share of the memory', () => {
    const chains = new Chains(shares)
    const long = Array.from({ length: 5 }, (_, n) =>
      message(n + 1, { aggregate: `slow/${n}`, payload: 'x'.repeat(400) }),
    )
    chains.append(long, 0)
    expect([chains.heldMessages, chains.heldCharacters]).toEqual([3, 1_200])
    chains.append([message(10, { aggregate: 'quick/1' })], 0)
    expect(chains.heldMessages).toBe(4)
  })

  test('however many do not answer, those that do find a slot, and one alone comes to all that it is allowed', () => {
    const chains = new Chains({ ...shares, mostInFlight: 8, mostHeld: 64, characters: 1_000_000 }, 256)
    const takeAll = () => {
      const taken: QueuedMessage[] = []
      for (let turn = chains.take(); turn; turn = chains.take()) taken.push(turn.message)
      return taken
    }
    chains.append(queued('slow 0', 1, 10), 0)
    expect(takeAll()).toHaveLength(8)
    for (let n = 1; n < 200; n++) chains.append(queued(`slow ${n}`, 100 * n, 10), 0)
    expect(takeAll().length).toBeLessThan(248)
    expect(chains.takeable).toBe(0)

    chains.append(queued('quick', 100_000, 10), 0)
    for (let sent = 0; sent < 10; sent++) {
      expect(chains.takeable).toBeGreaterThan(0)
      const [quick, second] = takeAll()
      expect([quick?.id, second]).toEqual([`${100_000 + sent}`, undefined])
      if (quick) chains.finish(quick, 0)
    }
  })

  test('where there is one, all slots are its own', () => {
    const chains = new Chains(undefined, 32)
    chains.append(queued('only', 1, 40), 0)
    expect(chains.takeable).toBe(40)
    for (let n = 0; n < 32; n++) expect(chains.take()).toBeDefined()
    expect(chains.takeable).toBe(8)
  })

  test('however many hold long messages, the memory of all has room for another', () => {
    const chains = new Chains({ ...shares, mostHeld: 64, characters: 16_000 })
    const long = { payload: 'x'.repeat(100) }
    for (let n = 0; n < 60; n++)
      chains.append(
        queued(`slow ${n}`, 100 * n, 20).map((one) => ({ ...one, ...long })),
        0,
      )
    expect(chains.heldCharacters).toBeLessThan(16_000 + 60 * 100)
    chains.append(queued('quick', 100_000, 1), 0)
    expect(chains.heldIds).toContain('100000')
  })

  test('what did not fit is read again once there is room, and not before', () => {
    const chains = new Chains(shares)
    chains.append(queued('slow', 1, 12), 0)
    expect(chains.dueForReload(0, 50)).toEqual([])
    const { message: head } = chains.take()!
    chains.finish(head, 0)
    chains.release([head])
    expect(chains.dueForReload(0, 50).map(({ aggregate }) => aggregate)).toEqual(['slow/11', 'slow/12'])
    chains.replace('slow/11', queued('slow', 11, 1), false, 0)
    chains.replace('slow/12', queued('slow', 12, 1), false, 0)
    expect([chains.heldMessages, chains.dueForReload(0, 50)]).toEqual([10, []])
  })
})
