import { channel } from 'node:diagnostics_channel'

/** The awaits of the collect and send path at which a crash must lose nothing: the named kill points of the fault suite. */
export const WORKER_STEPS = [
  'collect.read',
  'collect.resolve',
  'collect.snapshot',
  'collect.seed',
  'collect.messages',
  'collect.baseline',
  'collect.outbox',
  'collect.fence',
  'collect.commit',
  'lane.take',
  'lane.read',
  'lane.renew',
  'send.push',
  'send.settle',
] as const

/** The same of the hub: taking a push in, routing, delivery. Its lanes are kept by the code of the worker's. */
export const HUB_STEPS = [
  'push.key',
  'push.insert',
  'push.commit',
  'push.reply',
  'route.subscriptions',
  'route.copies',
  'route.derived',
  'route.order',
  'deliver.target',
  'deliver.post',
  'deliver.effects',
  'send.settle',
  'conclude.settle',
  'conclude.commit',
] as const

/** The same of the web: from an inbound message to the answer. */
export const WEB_STEPS = [
  'apply.inbox',
  'apply.write',
  'apply.answer',
  'apply.commit',
  'apply.failure',
  'apply.reply',
] as const

export type Step = (typeof WORKER_STEPS)[number] | (typeof HUB_STEPS)[number] | (typeof WEB_STEPS)[number]

const steps = channel('spree-bridge:step')

/**
 * Runs one await of the path and publishes its beginning and end on the diagnostics channel `spree-bridge:step`
 * as `<step>:before` and `<step>:after`. Without a subscriber, which is always but in fault tests, it costs one comparison.
 */
export function atStep<T>(step: Step, work: () => Promise<T>): Promise<T> {
  return steps.hasSubscribers ? publishAround(step, work) : work()
}

async function publishAround<T>(step: Step, work: () => Promise<T>): Promise<T> {
  steps.publish(`${step}:before`)
  const result = await work()
  steps.publish(`${step}:after`)
  return result
}
