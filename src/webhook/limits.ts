import type { RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'

import { notNow } from '../apply/answer.ts'
import { send } from './reply.ts'

/** So many wrong tokens in a minute have no innocent reason. */
const WRONG_TOKENS_A_MINUTE = 100
/** Bytes of bodies that memory holds at a time: read, parsed and waiting for a connection they are some times as large. */
const MOST_BYTES_IN_HAND = 64 * 2 ** 20
/** What a request takes besides its body. */
const REQUEST_BYTES = 2 ** 14

/** For who has no right token, by address; those who have one are not counted and not held up, from whatever address. */
export function limitWrongTokens(): RequestHandler {
  return rateLimit({
    windowMs: 60_000,
    limit: WRONG_TOKENS_A_MINUTE,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // Whoever claims to be forwarded for somebody is counted as who he is, and not worth a line on the console.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    message: { error: 'Too many requests without a right token: come again later, with one.' },
  })
}

/**
 * Bounds what is held in memory, however much is sent at once: the others are asked to come again. A body that does not
 * say how large it will be counts as the largest that is taken.
 */
export function limitInHand(largestBodyBytes: number, most = MOST_BYTES_IN_HAND): RequestHandler {
  let inHand = 0
  return (request, response, next) => {
    const length = Number(request.get('content-length') ?? Number.NaN)
    const isKnown = request.get('content-encoding') === undefined && Number.isSafeInteger(length)
    const bytes = REQUEST_BYTES + (isKnown ? Math.min(length, largestBodyBytes) : largestBodyBytes)
    if (inHand + bytes > most) {
      return send(response, notNow({ error: 'Too much at a time: send the message again later.' }))
    }
    inHand += bytes
    response.once('close', () => {
      inHand -= bytes
    })
    next()
  }
}
