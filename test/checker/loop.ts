import { checkPushes } from '../support/checker.ts'
import type { Relayed } from '../support/relay.ts'
import { findMisapplied, findUnaccepted, findWrongLevels } from './applied.ts'
import {
  findEchoes,
  findLeft,
  findReturned,
  findUndelivered,
  findUnderived,
  findUnpassed,
  findUntoldImports,
  findUntoldNotifications,
} from './delivered.ts'
import type { Finding } from './evidence.ts'
import { type LoopEvidence, orderedBy } from './loop-evidence.ts'
import { findDisorder, findNeedlessRepeats } from './repeats.ts'

const RULES = [
  findUnaccepted,
  findMisapplied,
  findWrongLevels,
  findReturned,
  findUndelivered,
  findUnpassed,
  findUnderived,
  findUntoldImports,
  findEchoes,
  findUntoldNotifications,
  findLeft,
]

/** The oracle in both directions: what of the promises was broken in a run that has come to rest. Empty: all is well. */
export function checkLoop(evidence: LoopEvidence): Finding[] {
  const { outward, toStore, toConsumer, disturbances } = evidence
  const links = [toStore, toConsumer].map((requests) => {
    const places = new Map(requests.map((request) => [request.sequence, orderedBy(request, evidence)]))
    const aggregateOf = ({ sequence }: Pick<Relayed, 'sequence'>) => places.get(sequence) ?? ''
    // Neither receiver refuses for good in these runs.
    return {
      requests,
      yes: 200,
      patienceMs: 180_000,
      aggregateOf,
      isSetAside: () => false,
      disturbances,
    }
  })
  return [
    ...checkPushes(outward),
    ...RULES.flatMap((rule) => rule(evidence)),
    ...links.flatMap((link) => [...findNeedlessRepeats(link), ...findDisorder(link)]),
  ]
}
