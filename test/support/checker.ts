import { findUnannounced } from '../checker/announced.ts'
import { findAnnouncedTwice, findMisintroduced, findUncommitted } from '../checker/committed.ts'
import { type Disturbance, type Evidence, type Finding, gatherEvidence } from '../checker/evidence.ts'
import { aggregateOf, isSetAside } from '../checker/message.ts'
import { findDisorder, findMalformed, findNeedlessRepeats } from '../checker/repeats.ts'
import { findRolledBack } from '../checker/rolled-back.ts'
import { findWrongStock } from '../checker/stock.ts'
import type { Audit } from './audit.ts'
import type { RecordedRequest } from './recorded-request.ts'

export type Run = Readonly<{
  audit: Audit
  /** What the recording hub heard. */
  requests: readonly RecordedRequest[]
  disturbances?: readonly Disturbance[]
}>

/**
 * The oracle: after a run that has come to rest, what of the promises was broken. It knows the store (by its own triggers
 * and its own SQL) and what the hub heard, and nothing of the bridge. Empty: all is well.
 */
export async function check({ audit, requests, disturbances = [] }: Run): Promise<Finding[]> {
  return checkPushes(await gatherEvidence(audit, requests, disturbances))
}

/** What was told to the hub, held against what happened in the store. */
export function checkPushes(evidence: Evidence): Finding[] {
  const { requests, disturbances, store } = evidence
  const link = {
    requests,
    yes: 201,
    patienceMs: 10_000,
    aggregateOf: (request: RecordedRequest) => aggregateOf(request, store),
    isSetAside,
    disturbances,
  }
  return [
    ...[
      findMalformed,
      findRolledBack,
      findUnannounced,
      findUncommitted,
      findMisintroduced,
      findAnnouncedTwice,
      findWrongStock,
    ].flatMap((rule) => rule(evidence)),
    ...findNeedlessRepeats(link),
    ...findDisorder(link),
  ]
}
