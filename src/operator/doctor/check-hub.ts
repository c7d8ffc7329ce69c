import type { ProbeOutcome } from '../../push/outcome.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

/** By so much the hub's clock may differ; what it tells is told to the second, and was under way. */
const CLOCK_SECONDS = 30

/**
 * The hub, by its answer to a harmless question with our token, which came `at` that moment; `ordersAs` is what the bridge
 * will send of orders: to one that takes objects it is `orders`, of which such a hub names no types and derives nothing.
 */
export function checkHub(outcome: ProbeOutcome, ordersAs: string, at: Date): Finding[] {
  const takesObjects = ordersAs === 'orders'
  if (outcome.kind !== 'reachable') return [notReached(outcome, takesObjects)]
  const { isOurs, types, date } = outcome
  return [
    ...(takesObjects
      ? [ok('hub', 'it takes batches of objects, and knows store and token')]
      : checkMessages(isOurs, types, ordersAs)),
    ...(date ? [checkClock((date.getTime() - at.getTime()) / 1_000)] : []),
  ]
}

function checkClock(ahead: number): Finding {
  if (Math.abs(ahead) <= CLOCK_SECONDS) return ok('hub clock', 'this machine and the hub agree')
  return warning(
    'hub clock',
    `the hub is ${Math.abs(Math.round(ahead))} s ${ahead > 0 ? 'ahead of' : 'behind'} this machine`,
    'Let both follow the network time (NTP): whether the hub made a change after it had heard of another is told by its times.',
  )
}

function checkMessages(isOurs: boolean, types: readonly string[], ordersAs: string): Finding[] {
  return [
    ok('hub', isOurs ? 'it is a spree-bridge hub, and knows store and token' : 'it knows store and token'),
    isOurs || types.includes(ordersAs)
      ? ok('hub messages', `the hub knows ${ordersAs}`)
      : warning(
          'hub messages',
          `${ordersAs} is not among the messages that the hub names as available`,
          ordersAs === 'order:persist'
            ? 'A hub that does not derive order:new and order:updated from it wants `orders: generic` in the configuration.'
            : `A hub that derives ${ordersAs} from order:persist wants \`orders: persist\`, the default.`,
        ),
  ]
}

function notReached(outcome: Exclude<ProbeOutcome, { kind: 'reachable' }>, takesObjects: boolean): Finding {
  switch (outcome.kind) {
    case 'refused':
      return failed('hub', outcome.text, mendRefusal(outcome.status, takesObjects))
    case 'misdirected':
    case 'unconfirmed':
      return failed(
        'hub',
        outcome.text,
        takesObjects
          ? 'HUB_URL is not where the hub takes pushes (HUB_DIALECT is wombat: nothing is added to it, and only 202 is yes).'
          : 'HUB_URL is not the base of a hub: /api/stores/… is added to it.',
      )
    case 'unreachable':
      return failed('hub', outcome.text, 'Is the hub running, and are host and port in HUB_URL right?')
    case 'failed':
    case 'reset':
    case 'timedOut':
    case 'tooLarge':
    case 'aborted':
      return failed('hub', outcome.text, 'The hub has a trouble of its own: messages wait until it has not.')
  }
}

function mendRefusal(status: number, takesObjects: boolean): string {
  if (status === 401 || status === 403)
    return takesObjects
      ? 'Check HUB_STORE_ID and HUB_TOKEN: they must be id and token of this connection at the hub.'
      : 'Check HUB_TOKEN: it must be the token of this store at the hub.'
  if (status === 404)
    return takesObjects
      ? 'Check HUB_URL: with HUB_DIALECT=wombat it is the very address that takes pushes.'
      : 'Check HUB_STORE_ID and HUB_URL: the hub knows no such store.'
  return 'Ask whoever runs the hub what it has against this request.'
}
