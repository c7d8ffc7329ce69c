import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Behaviour } from '../support/hub-behaviour.ts'
import { lostAnswers, passingTrouble, slowAnswers } from '../support/hub-trouble.ts'
import { createRandom } from '../support/random.ts'
import type { StoreFamily } from '../support/stores.ts'
import type { Trial } from '../support/trial.ts'
import { nameOf, type Result } from './result.ts'
import { BOTH, expectThat, inTrial, type Scenario } from './scenario.ts'

export const HUBS: readonly Scenario[] = [
  {
    name: 'a hub that is down for a minute',
    families: ['spree-4.10'],
    run: (family, seed) =>
      inTrial(family, async (trial) => {
        trial.startWorker()
        const workload = await trial.startWorkload({ seed, writers: 3, pauseMs: 200 })
        await pause(3000)
        await trial.hub.down()
        await pause(60_000)
        await trial.hub.up()
        await pause(3000)
        await workload.stop()
        return { 'minutes down': 1 }
      }),
  },
  {
    name: 'a hub that resets, refuses for the moment and loses answers',
    families: BOTH,
    run: (family, seed) => troubled(family, seed, passingTrouble(seed, 0.15)),
  },
  {
    name: 'a hub that loses every third answer',
    families: ['spree-4.10'],
    run: (family, seed) => troubled(family, seed, lostAnswers(seed, 0.33)),
  },
  {
    name: 'a slow hub',
    families: ['spree-4.10'],
    run: (family, seed) => troubled(family, seed, slowAnswers(seed, 200, 1500)),
  },
  {
    name: 'a hub that hangs, drips, and answers what no hub should',
    families: ['spree-4.10'],
    run: (family, seed) => troubled(family, seed, oddAnswers(seed)),
  },
  {
    name: 'a hub that gives every answer there is, one after the other',
    families: ['spree-4.10'],
    run: (family, seed) => {
      const { shuffle, pick } = createRandom(seed)
      const three = [...PASSING, ...PARKING, ...PATIENT].flatMap((each) => [each, each, each])
      return everyAnswer(
        family,
        seed,
        shuffle([...three, ...HOLDING, redirect(pick([301, 302, 307, 308]))]),
        100,
      )
    },
  },
]

const ACCEPTED_BETWEEN = 5
const ANSWERED_WITHIN_MS = 300_000
const ACCEPT: Behaviour = { kind: 'accept' }
const UNDER_ANOTHER_ID: Behaviour = {
  kind: 'answer',
  status: 201,
  body: '{"message_id":"ffffffffffffffffffffffff"}',
  accepted: true,
}

const json = (status: number, headers: Readonly<Record<string, string>> = {}): Behaviour => ({
  kind: 'answer',
  status,
  body: '{"error":"planted"}',
  headers,
})
/** They stop everything until the circuit asks again, which takes 30 s: once each. */
const HOLDING = [json(401), json(404), json(410)]
/** A person puts these back. */
export const PARKING = [json(400), json(413), json(422)]
export const PASSING: readonly Behaviour[] = [
  json(500),
  json(503, { 'retry-after': '2' }),
  json(429, { 'retry-after': '2' }),
  json(429, { 'retry-after': new Date(Date.now() + 3000).toUTCString() }),
  json(409),
  { kind: 'answer', status: 500, body: '<html>Oops</html>', headers: { 'content-type': 'text/html' } },
  { kind: 'answer', status: 200, body: '<html>Welcome</html>', headers: { 'content-type': 'text/html' } },
  { kind: 'answer', status: 200, body: '{}', accepted: true },
  { kind: 'answer', status: 201, body: '{}', accepted: true },
  { kind: 'answer', status: 201, body: '', accepted: true },
  UNDER_ANOTHER_ID,
  { kind: 'reset', accepted: true },
]
/** They cost a sender its whole patience. */
const PATIENT: readonly Behaviour[] = [{ kind: 'hang' }, { kind: 'drip', everyMs: 1000 }]
/** To the server beside the hub. */
const redirect = (status: number): Behaviour => json(status, { location: ELSEWHERE })
const ELSEWHERE = 'elsewhere'

/**
 * Each answer meets a message of its own, after some that went well. What is parked is put back as an operator would; and a
 * redirect leads to a server that notes what it is told, which must be nothing.
 */
export async function everyAnswer(
  family: StoreFamily,
  seed: number,
  answers: readonly Behaviour[],
  pauseMs: number,
): Promise<Result> {
  const other = await startOther()
  const left = answers.map((answer) =>
    answer.kind === 'answer' && answer.headers?.['location'] === ELSEWHERE
      ? { ...answer, headers: { location: `${other.url}/elsewhere` } }
      : answer,
  )
  try {
    return await inTrial(family, async (trial) => {
      let accepted = 0
      // Of a message whose answer was lost, the next one names another id than the hub had given it.
      const lost = new Set<string>()
      trial.hub.misbehave(({ key, method }) => {
        if (method !== 'POST') return ACCEPT
        if (lost.delete(key)) return UNDER_ANOTHER_ID
        if (++accepted <= ACCEPTED_BETWEEN) return ACCEPT
        accepted = 0
        const next = left.pop() ?? ACCEPT
        if (next.kind === 'hang' || next.kind === 'reset') lost.add(key)
        return next
      })
      trial.startWorker()
      const workload = await trial.startWorkload({ seed, writers: 3, pauseMs })
      const deadline = Date.now() + ANSWERED_WITHIN_MS
      while (left.length > 0 && Date.now() < deadline) {
        await pause(5000)
        await putBack(trial)
      }
      expectThat(left.length === 0, `the hub gave all its answers, but not ${JSON.stringify(left)}`)
      await workload.stop()
      trial.hub.misbehave()
      await pause(3000)
      await putBack(trial)
      expectThat(other.heard.length === 0, `nobody follows a redirect: ${JSON.stringify(other.heard)}`)
      return { 'answers that accept nothing, or do not say so': answers.length }
    })
  } finally {
    await other.close()
  }
}

async function putBack(trial: Trial): Promise<void> {
  const { code, lines } = await trial.run(['messages', 'retry', '--state', 'parked', '--yes'])
  expectThat(code === 0, `messages retry ended with ${code}: ${lines.join('\n')}`)
}

async function startOther() {
  const heard: unknown[] = []
  const server = createServer((request, response) => {
    heard.push({ method: request.method, url: request.url, headers: request.headers })
    response.writeHead(201).end('{"message_id":"elsewhere"}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    heard,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Things that cost a sender its whole patience (10 s) are rare, so that the run ends. */
function oddAnswers(seed: number): () => Behaviour {
  const random = createRandom(seed)
  const odd: readonly Behaviour[] = [
    { kind: 'hang' },
    { kind: 'drip', everyMs: 200 },
    { kind: 'answer', status: 201, body: '{}', accepted: true },
    { kind: 'answer', status: 200, body: '<html>Welcome</html>', headers: { 'content-type': 'text/html' } },
    { kind: 'answer', status: 500, body: '' },
  ]
  return () => (random.chance(0.02) ? random.pick(odd) : { kind: 'accept' })
}

function troubled(family: StoreFamily, seed: number, decide: () => Behaviour): Promise<Result> {
  return inTrial(family, async (trial) => {
    const met: Record<string, number> = {}
    trial.hub.misbehave(() => {
      const behaviour = decide()
      const name = nameOf(behaviour)
      if (name) met[name] = (met[name] ?? 0) + 1
      return behaviour
    })
    trial.startWorker()
    const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 100 })
    await pause(20_000)
    await workload.stop()
    trial.hub.misbehave()
    return met
  })
}
