import Sequencer from '@jest/test-sequencer'

/** What takes longest, some of it waiting and some of it working, so that nobody works alone in the end. */
const LONGEST = [
  'scenarios/day',
  'operator/operations',
  'operator/reconcile',
  'scenarios/objects',
  'postgres/lease',
  'scenarios/loop-kill-points',
  'queue/queue',
  'operator/alarms',
  'apply/inbox',
  'scenarios/kill-points',
  'scenarios/faults',
  'operator/pages',
  'scenarios/demo',
  'scenarios/generic-orders',
  'apply/echo',
  'demo/embedded-postgres',
  'capture/collect',
  'apply/order-services',
  'hub/flow',
  'scenarios/old-stores',
  'operator/migrate',
  'operator/doctor',
  'scenarios/loop',
  'checker/loop',
  'operator/backfill',
]

/** A clean checkout knows no durations: by size the shortest files would come last, which start the longest runs. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => {
      const index = LONGEST.findIndex((name) => path.endsWith(`test/${name}.test.ts`))
      return index === -1 ? LONGEST.length : index
    }
    return super.sort(tests).sort((a, b) => place(a) - place(b))
  }
}
