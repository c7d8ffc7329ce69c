import { type Evidence, type Finding, nameOf } from './evidence.ts'
import { aggregateOf } from './message.ts'

/** The workload writes this into whatever it is going to roll back. */
export const ROLLED_BACK = 'never-committed'

export function findRolledBack({ requests, store }: Evidence): Finding[] {
  return requests
    .filter(({ body }) => body.includes(ROLLED_BACK))
    .map((request) => ({
      rule: 'rolled back',
      about: aggregateOf(request, store),
      text: `${nameOf(request)} tells what was rolled back`,
    }))
}
