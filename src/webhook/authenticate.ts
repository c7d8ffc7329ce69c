import type { Request, RequestHandler } from 'express'

import { type IsSecret, oneOf } from '../http/secret.ts'
import type { Log } from '../observe/log.ts'
import { onceInAWhile } from '../observe/once-in-a-while.ts'
import { limitWrongTokens } from './limits.ts'

/** As hubs of several ages send it; some servers between hub and us turn dashes into underscores. */
const HEADERS = ['x-augury-token', 'x-hub-token', 'x_augury_token', 'x_hub_token']

/** Lets through who brings one of the tokens; all others, and everybody where there is none, get 401, and soon 429. */
export function authenticate(tokens: readonly string[], log: Log): RequestHandler {
  const seldom = onceInAWhile(log)
  const limit = limitWrongTokens()
  const isToken = oneOf(tokens)
  return (request, response, next) => {
    if (bearsToken(request, isToken)) return next()
    seldom('token', 'warn', 'a message without the right WEBHOOK_TOKEN was refused', { from: request.ip })
    return limit(request, response, () => {
      response
        .status(401)
        .json({ error: 'Token is invalid: send the one of this webhook in X-Augury-Token.' })
    })
  }
}

/** Whether one of the tokens is in one of the headers in which hubs send it. */
export function bearsToken(request: Request, isToken: IsSecret): boolean {
  return HEADERS.some((name) => {
    const given = request.get(name)
    return given !== undefined && isToken(given)
  })
}

/** FlowLink's way (protocol §9.2): `Authorization: Bearer <token>`. */
export function bearsBearer(request: Request, isToken: IsSecret): boolean {
  const [, token = ''] = /^Bearer +(\S+) *$/i.exec(request.get('authorization') ?? '') ?? []
  return isToken(token)
}
