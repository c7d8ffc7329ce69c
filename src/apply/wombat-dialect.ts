import { type Answer, answer, notNow } from './answer.ts'
import type { Dialect } from './dialect.ts'

/**
 * Objects under a request id; what is told to people is one summary (protocol §9.2, §9.3). Wombat, FlowLink, Cangaroo. Every
 * 5xx has a `backtrace` of one string: an empty one, for what is inside is nobody's business but the log's.
 */
export const wombat: Dialect = {
  name: 'wombat',
  read({ parameters, ...content }) {
    // Only an object is taken for parameters: anything else says nothing.
    const isObject = typeof parameters === 'object' && parameters !== null && !Array.isArray(parameters)
    return { content, parameters: new Map(isObject ? Object.entries(parameters) : []), at: [] }
  },
  applied: (requestId, { notifications, details }) =>
    answer(200, {
      request_id: requestId,
      summary: notifications.map(({ description }) => description).join('. '),
      ...details,
    }),
  discarded: (requestId) =>
    answer(200, {
      request_id: requestId,
      summary: 'Not applied: an operator has discarded this request.',
    }),
  notApplicable: (requestId, _type, why, code) =>
    code !== undefined && NO_OBJECT.has(code)
      ? answer(400, { request_id: requestId, summary: why })
      : answerFailed(requestId, why),
  fault: (requestId, why) => answerFailed(requestId, why),
  bug: (requestId, errorId) =>
    answerFailed(requestId, `This failed by a fault of ours; the log tells more under the id ${errorId}.`),
  unavailable: (requestId, why) => notNow(failure(requestId, why)),
}

/** What brings no object that could be added at all: 400, of `add_customer_return` alone (protocol §9.3). */
const NO_OBJECT: ReadonlySet<string> = new Set(['no_customer_return', 'invalid_return'])

/** 500; of a request whose id is not known, too. */
export function answerFailed(requestId: string | null, summary: string): Answer {
  return answer(500, failure(requestId, summary))
}

function failure(requestId: string | null, summary: string) {
  return { request_id: requestId, summary, backtrace: '' }
}
