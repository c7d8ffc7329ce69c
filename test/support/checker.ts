import { findUnannounced } from '../checker/announced.ts'
import { findAnnouncedTwice, findMisintroduced, findUncommitted } from '../checker/committed.ts'
import { type Disturbance, type Finding, gatherEvidence } from '../checker/evidence.ts'
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
  const evidence = await gatherEvidence(audit, requests, disturbances)
  return [
    findMalformed,
    findRolledBack,
    findUnannounced,
    findUncommitted,
    findMisintroduced,
    findAnnouncedTwice,
    findWrongStock,
    findNeedlessRepeats,
    findDisorder,
  ].flatMap((rule) => rule(evidence))
}
