import type { Applied, Notification } from './handler.ts'

/** What the sender is answered; `body` is the text of a JSON object, kept and given again to every repeat. */
export type Answer = Readonly<{ status: number; body: string; retryAfterSeconds?: number }>

/** For as long the sender of a message that met a trouble of ours is asked to wait. */
const RETRY_AFTER_SECONDS = 5

export function answerApplied(messageId: string, { notifications, details }: Applied): Answer {
  return answer(200, { message_id: messageId, notifications, ...details })
}

/** Nothing was applied, and it is in order so. */
export function answerPassedOver(messageId: string, type: string, why: string): Answer {
  return answer(200, {
    message_id: messageId,
    notifications: [notification('info', type, why)],
  })
}

/** A person has decided that it shall not be applied: the hub need not send it again. */
export function answerDiscarded(messageId: string, type: string): Answer {
  return answer(200, {
    message_id: messageId,
    notifications: [notification('warn', type, 'Not applied: an operator has discarded this message.')],
  })
}

/** This store cannot take it: 500, so that the hub shows the notification and sends it again (protocol §3.5, §7.6). */
export function answerNotApplicable(messageId: string, type: string, why: string): Answer {
  return answer(500, { message_id: messageId, notifications: [notification('error', type, why)] })
}

export function answerFault(messageId: string, why: string): Answer {
  return answer(400, { message_id: messageId, error: why })
}

/** `errorId` is to be found in the log, which tells what the sender must not see. */
export function answerBug(messageId: string, errorId: string): Answer {
  return answer(500, {
    message_id: messageId,
    error: 'This failed by a fault of ours; the log tells more under the id.',
    id: errorId,
  })
}

/** Nothing was applied; the same message may well be later. */
export function answerUnavailable(why: string): Answer {
  return { ...answer(503, { error: why }), retryAfterSeconds: RETRY_AFTER_SECONDS }
}

function notification(level: Notification['level'], subject: string, description: string): Notification {
  return { level, subject, description }
}

function answer(status: number, body: Readonly<Record<string, unknown>>): Answer {
  return { status, body: JSON.stringify(body) }
}
