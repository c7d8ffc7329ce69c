import type { Waiting } from '../../hub/waiting.ts'
import type { Trouble } from './trouble.ts'

/** What of the hub's state a person has to know at once. Pure. */
export function hubTroubles({ counts, oldestSeconds }: Waiting, lagSeconds: number): Trouble[] {
  const parked = counts.filter(({ state }) => state === 'parked')
  return [
    ...parked.map(
      ({ queue, count }): Trouble => ({
        cause: 'parked',
        subject: queue,
        text: `${count} in the hub's queue \`${queue}\`: ${queue === 'accepted' ? 'consumers refuse them' : 'they cannot be routed'}. The hub's page says which and why; try them again or archive them there.`,
      }),
    ),
    ...(oldestSeconds > lagSeconds
      ? [
          {
            cause: 'lag',
            subject: '',
            text: `The oldest message that the hub has not delivered is ${Math.round(oldestSeconds)} s old; the limit is ${lagSeconds} s (ALARM_LAG_SECONDS). The hub's page says which consumer does not take what.`,
          } as const,
        ]
      : []),
  ]
}
