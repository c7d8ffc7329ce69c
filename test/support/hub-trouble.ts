import type { Behaviour } from './hub-behaviour.ts'
import { createRandom } from './random.ts'

const ACCEPT: Behaviour = { kind: 'accept' }
const LOST_ANSWER: Behaviour = { kind: 'reset', accepted: true }

/** Troubles that pass: a sender that repeats, in order and with the same key, gets everything across. */
const PASSING: readonly Behaviour[] = [
  LOST_ANSWER,
  LOST_ANSWER,
  { kind: 'reset', accepted: false },
  { kind: 'answer', status: 500, body: '{"error":"planted"}' },
  { kind: 'answer', status: 502, body: '<html>Bad gateway</html>', headers: { 'content-type': 'text/html' } },
  { kind: 'answer', status: 503, headers: { 'retry-after': '1' } },
  { kind: 'answer', status: 429, headers: { 'retry-after': '1' } },
  { kind: 'answer', status: 504, body: '' },
]

/** Decides by the seed alone: the same sequence of requests meets the same troubles. */
export function passingTrouble(seed: number, probability: number): () => Behaviour {
  const random = createRandom(seed)
  return () => (random.chance(probability) ? random.pick(PASSING) : ACCEPT)
}

/** Loses the answers of every so many requests, and nothing else. */
export function lostAnswers(seed: number, probability: number): () => Behaviour {
  const random = createRandom(seed)
  return () => (random.chance(probability) ? LOST_ANSWER : ACCEPT)
}

export function slowAnswers(seed: number, leastMs: number, mostMs: number): () => Behaviour {
  const random = createRandom(seed)
  return () => ({ kind: 'accept', afterMs: random.between(leastMs, mostMs) })
}
