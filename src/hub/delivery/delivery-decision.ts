import type { ConsumerAnswer } from '../../push/consumer-client.ts'
import type { FaultOutcome } from '../../push/outcome.ts'
import type { Decision } from '../../queue/message.ts'
import { type ConsumerReply, readReply } from './consumer-answer.ts'

/** What follows from a delivery besides the fate of its message. */
export type Effects = Readonly<{
  messages: ConsumerReply['messages']
  notifications: ConsumerReply['notifications']
  parameters: ConsumerReply['parameters']
  /** The answer to a failed delivery, kept for people; that to a successful one goes into the archive. */
  result: Readonly<{ code: number; response: string }> | undefined
  /** Where the consumer wants to be asked next time; undefined where it did not say. */
  pollUrl: string | undefined
}>

export type DeliveryVerdict = Readonly<{
  decision: Decision
  /** Undefined where nothing follows. */
  effects: Effects | undefined
  /** For the metrics. */
  outcome: 'delivered' | 'scheduled' | 'refused' | 'failed' | 'aborted'
}>

/** The copy that was delivered, and what its mapping says. */
export type Delivered = Readonly<{ messageId: string; type: string; url: string; retriesAllowed: boolean }>

/**
 * What the outcome of a delivery means (protocol §1.4, §3.2-3.6). Only 200 with a JSON object that does not name another
 * message is success; an answer without `message_id` counts, because several known consumers give none (§11 #26).
 */
export function decideDelivery(
  outcome: ConsumerAnswer | FaultOutcome,
  delivered: Delivered,
): DeliveryVerdict {
  if (outcome.kind === 'aborted')
    return { decision: { do: 'hold', reason: outcome.text }, effects: undefined, outcome: 'aborted' }
  if (outcome.kind !== 'answered') return failure(delivered, outcome.text, undefined, undefined)

  const { status, body, retryAfterSeconds } = outcome
  const reply = readReply(body, delivered.type)
  const result = { code: status, response: body }
  if (status !== 200) {
    const reason = `Endpoint response code was '${status}', expected '200'`
    // Of a failed answer only the notifications count, and only of a 500 (§3.2).
    const notifications = status === 500 ? (reply?.notifications ?? []) : []
    return failure(
      delivered,
      reason,
      { ...NO_EFFECTS, notifications, result: reply ? result : undefined },
      retryAfterSeconds,
    )
  }
  if (!reply) return failure(delivered, 'The endpoint answered 200, but not with a JSON object.', undefined)
  if (reply.messageId !== undefined && reply.messageId !== delivered.messageId) {
    const reason = `The endpoint answered for message ${reply.messageId.slice(0, 50)} instead of this one.`
    return failure(delivered, reason, { ...NO_EFFECTS, result })
  }
  if (reply.delayed) return schedule(reply.delayed, delivered)

  const { messages, notifications, parameters } = reply
  const follows = messages.length + notifications.length + parameters.length > 0
  return {
    decision: { do: 'acknowledge', answer: `{"code":"200","response":${body}}` },
    effects: follows ? { ...NO_EFFECTS, messages, notifications, parameters } : undefined,
    outcome: 'delivered',
  }
}

const NO_EFFECTS: Effects = {
  messages: [],
  notifications: [],
  parameters: [],
  result: undefined,
  pollUrl: undefined,
}

function failure(
  { retriesAllowed }: Delivered,
  reason: string,
  effects: Effects | undefined,
  retryAfterSeconds?: number,
): DeliveryVerdict {
  if (!retriesAllowed) return { decision: { do: 'park', reason }, effects, outcome: 'refused' }
  const wait = retryAfterSeconds === undefined ? {} : { afterSeconds: retryAfterSeconds }
  return { decision: { do: 'retry', reason, ...wait }, effects, outcome: 'failed' }
}

/** To the mapping's own host only: its token must not travel to another because an answer says so. */
function schedule(
  { seconds, updateUrl }: NonNullable<ConsumerReply['delayed']>,
  { url }: Delivered,
): DeliveryVerdict {
  const target = URL.canParse(updateUrl, url) ? new URL(updateUrl, url) : undefined
  if (target === undefined || target.origin !== new URL(url).origin) {
    const reason = `The endpoint asks to be polled at ${updateUrl.slice(0, 200)}, which is not on its own host.`
    return { decision: { do: 'park', reason }, effects: undefined, outcome: 'refused' }
  }
  return {
    decision: { do: 'retry', reason: `Asked for ${seconds} s of time.`, afterSeconds: seconds },
    effects: { ...NO_EFFECTS, pollUrl: target.href },
    outcome: 'scheduled',
  }
}
