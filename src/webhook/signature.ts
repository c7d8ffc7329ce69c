import type { RequestHandler } from 'express'

import { oneOf } from '../http/secret.ts'
import { NoMessage } from './read-body.ts'
import { signatureOf } from './sign.ts'

/** Older ones may be somebody's who has listened, ones from the future nobody's. */
const WINDOW_SECONDS = 5 * 60

/**
 * Lets through what one of the secrets has signed within the last five minutes, as Standard Webhooks has it
 * (https://www.standardwebhooks.com, "v1"); without any secret, everything. The signed bytes are the body's, before it was
 * compressed on its way.
 * @throws NoMessage 401
 */
export function requireSignature(secrets: readonly string[], now: () => number = Date.now): RequestHandler {
  return (request, _response, next) => {
    if (secrets.length === 0) return next()
    const id = request.get('webhook-id') ?? ''
    const timestamp = request.get('webhook-timestamp') ?? ''
    const given = (request.get('webhook-signature') ?? '').split(' ').filter((one) => one.startsWith('v1,'))
    if (id === '' || !/^\d{1,12}$/.test(timestamp) || given.length === 0)
      throw new NoMessage(
        401,
        'Not signed: webhook-id, webhook-timestamp and webhook-signature are missing or malformed.',
      )
    if (Math.abs(now() / 1_000 - Number(timestamp)) > WINDOW_SECONDS)
      throw new NoMessage(
        401,
        `The signature is not of now: webhook-timestamp is more than ${WINDOW_SECONDS} seconds off.`,
      )
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const isRight = oneOf(secrets.map((secret) => signatureOf(secret, id, timestamp, body)))
    if (!given.some(isRight))
      throw new NoMessage(401, 'The signature is not one of this webhook over these bytes.')
    next()
  }
}
