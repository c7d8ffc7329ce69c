import { z } from 'zod'

import { type Answer, answer, notNow } from './answer.ts'
import type { Dialect } from './dialect.ts'
import type { Notification } from './handler.ts'
import { parsePayload } from './payload-fault.ts'

/** Names may come twice, and the last one wins; a value may be missing (protocol §3.1). */
const parameterList = z.array(z.object({ name: z.string(), value: z.unknown().optional() })).nullish()

/** Messages with an id; what is told to people are notifications (protocol §3). */
export const seed: Dialect = {
  name: 'seed',
  read({ parameters, ...content }) {
    const list = parsePayload(parameterList, parameters, ['payload', 'parameters']) ?? []
    return { content, parameters: new Map(list.map(({ name, value }) => [name, value])), at: ['payload'] }
  },
  applied: (messageId, { notifications, details }) =>
    answer(200, { message_id: messageId, notifications, ...details }),
  discarded: (messageId, type) =>
    told(200, messageId, 'warn', type, 'Not applied: an operator has discarded this message.'),
  notApplicable: (messageId, type, why) => told(500, messageId, 'error', type, why),
  fault: (messageId, why) => answer(400, { message_id: messageId, error: why }),
  bug: (messageId, errorId) =>
    answer(500, {
      message_id: messageId,
      error: 'This failed by a fault of ours; the log tells more under the id.',
      id: errorId,
    }),
  unavailable: (_messageId, why) => notNow({ error: why }),
}

/** Nothing was applied, and it is in order so. */
export function answerPassedOver(messageId: string, type: string, why: string): Answer {
  return told(200, messageId, 'info', type, why)
}

function told(
  status: number,
  messageId: string,
  level: Notification['level'],
  subject: string,
  description: string,
): Answer {
  return answer(status, { message_id: messageId, notifications: [{ level, subject, description }] })
}
