import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import fc from 'fast-check'

import { type Circuit, type CircuitView, createCircuit } from '../../src/push/circuit.ts'
import {
  type CircuitReport,
  type CircuitSignal,
  type CircuitState,
  closeCircuit,
  halfOpenCircuit,
  type Permit,
  REFUSED_AGGREGATES,
  receiveReport,
  takePermit,
  UNAVAILABLE_AGGREGATES,
} from '../../src/push/circuit-state.ts'

const SIGNALS: readonly CircuitSignal[] = ['success', 'refusedUs', 'unavailable', 'refusedMessage', 'nothing']

const report = (signal: CircuitSignal, aggregate = 'order:1', pauseSeconds?: number): CircuitReport => ({
  signal,
  aggregate,
  text: `text of ${signal}`,
  ...(pauseSeconds === undefined ? {} : { pauseSeconds }),
})

/** Reports of different aggregates, one after the other, to a closed circuit. */
function receiveAll(circuit: CircuitState, reports: readonly CircuitReport[]): CircuitState {
  return reports.reduce((state, each) => {
    const { permit } = takePermit(state)
    return permit === undefined ? state : receiveReport(state, permit, each, 0)
  }, circuit)
}

const many = (signal: CircuitSignal, count: number) =>
  Array.from({ length: count }, (_, i) => report(signal, `order:${i}`))

describe('a closed circuit', () => {
  test('opens at once when the hub refuses us', () => {
    expect(receiveAll(closeCircuit(0), [report('refusedUs')])).toEqual({
      state: 'open',
      since: 0,
      cause: 'refusedUs',
      text: 'text of refusedUs',
      failedProbes: 0,
      nextProbeAt: 30_000,
    })
  })

  test('opens at once when the hub asks all of us to pause, for as long as it asks', () => {
    expect(receiveAll(closeCircuit(0), [report('unavailable', 'order:1', 17)])).toMatchObject({
      state: 'open',
      cause: 'unavailable',
      nextProbeAt: 17_000,
    })
  })

  test('opens when several aggregates in a row find no hub, and not before', () => {
    const failures = many('unavailable', UNAVAILABLE_AGGREGATES)
    expect(receiveAll(closeCircuit(0), failures.slice(1)).state).toBe('closed')
    expect(receiveAll(closeCircuit(0), failures)).toMatchObject({
      state: 'open',
      cause: 'unavailable',
      nextProbeAt: 1_000,
    })
  })

  test('opens with the twentieth refused aggregate in a row, and not before', () => {
    const refusals = many('refusedMessage', REFUSED_AGGREGATES)
    expect(REFUSED_AGGREGATES).toBe(20)
    expect(receiveAll(closeCircuit(0), refusals.slice(1)).state).toBe('closed')
    expect(receiveAll(closeCircuit(0), refusals)).toMatchObject({ state: 'open', cause: 'refusals' })
  })

  test.each(['unavailable', 'refusedMessage'] as const)(
    'one aggregate alone never opens it: %s',
    (signal) => {
      expect(receiveAll(closeCircuit(0), Array(100).fill(report(signal))).state).toBe('closed')
    },
  )

  test.each([
    ['success between absences', [...many('unavailable', 4), report('success'), ...many('unavailable', 4)]],
    [
      'success between refusals',
      [...many('refusedMessage', 19), report('success'), ...many('refusedMessage', 19)],
    ],
    [
      'a refusal, which shows a hub',
      [...many('unavailable', 4), report('refusedMessage'), ...many('unavailable', 4)],
    ],
  ])('in a row means: without %s', (_, reports) => {
    expect(receiveAll(closeCircuit(0), reports).state).toBe('closed')
  })

  test('an absence between refusals does not make them fewer', () => {
    const reports = [
      ...many('refusedMessage', 19),
      report('unavailable'),
      report('refusedMessage', 'order:19'),
    ]
    expect(receiveAll(closeCircuit(0), reports)).toMatchObject({ state: 'open', cause: 'refusals' })
  })
})

describe('a probe', () => {
  /** The circuit after `signal` opened it and its probe reported `probed`. */
  function afterProbe(opening: readonly CircuitReport[], probed: CircuitReport): CircuitState {
    const { circuit, permit } = takePermit(halfOpenCircuit(receiveAll(closeCircuit(0), opening)))
    if (permit === undefined) throw new Error('no probe to be had')
    return receiveReport(circuit, permit, probed, 5_000)
  }
  const absent = many('unavailable', UNAVAILABLE_AGGREGATES)
  const refusing = many('refusedMessage', REFUSED_AGGREGATES)

  test.each([[absent], [refusing], [[report('refusedUs')]]])('that succeeds closes (%#)', (opening) => {
    expect(afterProbe(opening, report('success'))).toMatchObject({ state: 'closed', since: 5_000 })
  })

  test('that fails opens again, with the time of the first opening and the newest reason', () => {
    expect(afterProbe(absent, report('refusedUs', 'order:9'))).toMatchObject({
      state: 'open',
      since: 0,
      cause: 'refusedUs',
      text: 'text of refusedUs',
      nextProbeAt: 35_000,
    })
  })

  test('that is refused as a message closes a circuit that was open for another cause', () => {
    expect(afterProbe(absent, report('refusedMessage')).state).toBe('closed')
    expect(afterProbe([report('refusedUs')], report('refusedMessage')).state).toBe('closed')
    expect(afterProbe(refusing, report('refusedMessage'))).toMatchObject({ state: 'open', cause: 'refusals' })
  })

  test('that tells nothing leaves the probe to the next', () => {
    const left = afterProbe(absent, report('nothing'))
    expect(left.state).toBe('halfOpen')
    expect(takePermit(left).permit).toEqual({ probe: true })
  })

  test.each([
    ['unavailable', absent, [1, 2, 4, 8, 16, 32, 60, 60]],
    ['refusedUs', [report('refusedUs')], [30, 60, 120, 240, 300, 300]],
    ['refusedMessage', refusing, [1, 2, 4, 8, 16, 32, 60, 60]],
  ] as const)('is made at growing distances: %s', (signal, opening, seconds) => {
    let circuit = receiveAll(closeCircuit(0), opening)
    const waits = seconds.map(() => {
      const wait = circuit.state === 'open' ? circuit.nextProbeAt / 1_000 : Number.NaN
      const taken = takePermit(halfOpenCircuit(circuit))
      circuit = receiveReport(taken.circuit, taken.permit ?? { probe: true }, report(signal), 0)
      return wait
    })
    expect(waits).toEqual(seconds)
  })

  test('waits longer than its turn when the hub asks for it', () => {
    expect(afterProbe(absent, report('unavailable', 'order:1', 600))).toMatchObject({ nextProbeAt: 605_000 })
  })
})

describe('in any course of events', () => {
  type Event =
    | Readonly<{ do: 'ask' }>
    | Readonly<{ do: 'answer'; which: number; report: CircuitReport }>
    | Readonly<{ do: 'wait'; seconds: number }>

  const events: fc.Arbitrary<readonly Event[]> = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant<Event>({ do: 'ask' }) },
      {
        weight: 4,
        arbitrary: fc
          .tuple(
            fc.nat(),
            fc.constantFrom(...SIGNALS),
            fc.nat(25),
            fc.option(fc.nat(100), { nil: undefined }),
          )
          .map(
            ([which, signal, n, pause]): Event => ({
              do: 'answer',
              which,
              report: report(signal, `order:${n}`, pause),
            }),
          ),
      },
      { weight: 1, arbitrary: fc.nat(400).map((seconds): Event => ({ do: 'wait', seconds })) },
    ),
    { maxLength: 200, size: 'max' },
  )

  beforeEach(() => {
    jest.useFakeTimers()
  })
  afterEach(() => {
    jest.useRealTimers()
  })

  type Change = Readonly<{ view: CircuitView; at: number }>

  /** Plays the events on a real circuit, whose changes it returns; `check` sees it after each, with the permits that are out. */
  async function play(
    course: readonly Event[],
    check: (circuit: Circuit, out: readonly Permit[]) => void,
  ): Promise<readonly Change[]> {
    const changes: Change[] = []
    const circuit = createCircuit((view) => changes.push({ view, at: Date.now() }))
    const out: Permit[] = []
    const stop = new AbortController()
    for (const event of course) {
      if (event.do === 'ask') void circuit.permit(stop.signal).then((permit) => permit && out.push(permit))
      if (event.do === 'answer' && out.length > 0) {
        const [permit] = out.splice(event.which % out.length, 1)
        circuit.report(permit!, event.report)
      }
      if (event.do === 'wait') jest.advanceTimersByTime(event.seconds * 1_000)
      await jest.advanceTimersByTimeAsync(0)
      check(circuit, out)
    }
    stop.abort()
    return changes
  }

  test('at most one probe is under way, only while half-open, and nothing else then', async () => {
    let probes = 0
    await fc.assert(
      fc.asyncProperty(events, async (course) => {
        await play(course, (circuit, out) => {
          const probing = out.filter((permit) => permit.probe).length
          probes += probing
          expect(probing).toBeLessThanOrEqual(circuit.state().state === 'halfOpen' ? 1 : 0)
        })
      }),
    )
    expect(probes).toBeGreaterThan(0)
  })

  test('an open circuit becomes half-open at its announced time, and nothing else', async () => {
    let openings = 0
    await fc.assert(
      fc.asyncProperty(events, async (course) => {
        const changes = await play(course, (circuit) => {
          const view = circuit.state()
          if (view.state === 'open') expect(view.nextProbeAt.getTime()).toBeGreaterThan(Date.now())
        })
        for (const [i, { view, at }] of changes.entries()) {
          const before = changes[i - 1]?.view
          if (before?.state === 'open') {
            openings++
            expect([view.state, at]).toEqual(['halfOpen', before.nextProbeAt.getTime()])
          } else {
            expect(view.state).not.toBe('halfOpen')
          }
        }
      }),
    )
    expect(openings).toBeGreaterThan(0)
  })
})

describe('the gate', () => {
  let changes: CircuitView[]
  let circuit: Circuit
  const never = new AbortController().signal

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000 })
    changes = []
    circuit = createCircuit((view) => changes.push(view))
  })
  afterEach(() => {
    jest.useRealTimers()
  })

  async function openIt(
    signal: 'refusedUs' | 'unavailable' = 'refusedUs',
    pauseSeconds?: number,
  ): Promise<void> {
    circuit.report(await permitNow(), report(signal, 'order:1', pauseSeconds))
  }

  async function permitNow(): Promise<Permit> {
    const permit = await circuit.permit(never)
    if (permit === undefined) throw new Error('no permit')
    return permit
  }

  /** Asks in this order; the list names those that got a permit. */
  function ask(
    names: readonly string[],
    signal = never,
  ): { names: string[]; permits: (Permit | undefined)[] } {
    const got = { names: [] as string[], permits: [] as (Permit | undefined)[] }
    for (const name of names) {
      void circuit.permit(signal).then((permit) => {
        got.names.push(name)
        got.permits.push(permit)
      })
    }
    return got
  }

  test('lets everybody through while closed', async () => {
    const got = ask(['a', 'b', 'c'])
    await jest.advanceTimersByTimeAsync(0)
    expect(got.names).toEqual(['a', 'b', 'c'])
    expect(circuit.state()).toEqual({ state: 'closed', since: new Date(1_000_000) })
  })

  test('lets one through after the wait, and the rest, in order, when it succeeded', async () => {
    await openIt()
    const got = ask(['a', 'b', 'c'])
    await jest.advanceTimersByTimeAsync(29_999)
    expect(got.names).toEqual([])
    expect(circuit.state()).toEqual({
      state: 'open',
      since: new Date(1_000_000),
      cause: 'refusedUs',
      text: 'text of refusedUs',
      nextProbeAt: new Date(1_030_000),
    })

    await jest.advanceTimersByTimeAsync(1)
    expect(got.names).toEqual(['a'])
    expect(circuit.state()).toMatchObject({ state: 'halfOpen', cause: 'refusedUs' })

    circuit.report(got.permits[0]!, report('success'))
    await jest.advanceTimersByTimeAsync(0)
    expect(got.names).toEqual(['a', 'b', 'c'])
    expect(changes.map(({ state }) => state)).toEqual(['open', 'halfOpen', 'closed'])
  })

  test('lets the next one try after a failed probe, so that one bad message is not every probe', async () => {
    await openIt('unavailable', 1)
    const got = ask(['bad', 'good'])
    await jest.advanceTimersByTimeAsync(1_000)
    circuit.report(got.permits[0]!, report('unavailable'))
    const again = ask(['bad'])
    await jest.advanceTimersByTimeAsync(2_000)
    expect(got.names).toEqual(['bad', 'good'])
    expect(again.names).toEqual([])
  })

  test('hands a probe that was broken off to the next at once', async () => {
    await openIt()
    const got = ask(['a', 'b'])
    await jest.advanceTimersByTimeAsync(30_000)
    circuit.report(got.permits[0]!, report('nothing'))
    await jest.advanceTimersByTimeAsync(0)
    expect(got.names).toEqual(['a', 'b'])
    expect(circuit.state().state).toBe('halfOpen')
  })

  test('pays no heed to what was under way when it opened, nor to what is left from before it closed', async () => {
    const early = await permitNow()
    const alsoEarly = await permitNow()
    const stillEarly = await permitNow()
    await openIt()
    circuit.report(early, report('success'))
    expect(circuit.state().state).toBe('open')

    await jest.advanceTimersByTimeAsync(30_000)
    const probe = await permitNow()
    circuit.report(alsoEarly, report('success'))
    expect(circuit.state().state).toBe('halfOpen')
    circuit.report(probe, report('success'))
    circuit.report(stillEarly, report('refusedUs'))
    expect(circuit.state().state).toBe('closed')
  })

  test('an abort ends the waiting of those who asked with that signal, and of nobody else', async () => {
    await openIt()
    const stop = new AbortController()
    const stopped = ask(['a'], stop.signal)
    const staying = ask(['b'])
    stop.abort()
    await jest.advanceTimersByTimeAsync(0)
    expect(stopped.permits).toEqual([undefined])
    expect(await circuit.permit(stop.signal)).toBeUndefined()

    await jest.advanceTimersByTimeAsync(30_000)
    expect(staying.permits).toEqual([{ probe: true }])
  })
})
