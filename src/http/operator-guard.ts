import { isIPv4 } from 'node:net'
import type { Request, RequestHandler } from 'express'

import { oneOf } from './secret.ts'

export type OperatorAccess = Readonly<{
  /** The token of `variable`; without one only this machine is let in. */
  token?: string | undefined
  /** What operators know the token by. */
  variable?: 'OPERATOR_TOKEN' | 'HUB_ADMIN_TOKEN'
  /** A header in which the token may come as well. */
  header?: 'X-Augury-Token'
  /** HOST: where this process listens. */
  host: string
}>

/** Lets operators through: by `Authorization: Bearer` (or `header`), or, where no token is set, from this very machine. */
export function operatorOnly(access: OperatorAccess): RequestHandler {
  const { token, variable = 'OPERATOR_TOKEN', header, host } = access
  if (token === undefined) return localOnly(variable, host)

  const isToken = oneOf([token])
  return (request, response, next) => {
    const bearer = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1]
    const given = bearer ?? (header && request.get(header)) ?? ''
    if (isToken(given)) return next()
    response.set('WWW-Authenticate', 'Bearer')
    response
      .status(401)
      .json({ error: `This needs the ${variable}, sent as "Authorization: Bearer <token>".` })
  }
}

function localOnly(variable: string, host: string): RequestHandler {
  return (request, response, next) => {
    if (isLoopback(host) && !isForwarded(request) && isLoopback(namedHost(request)) && !isForeign(request)) {
      return next()
    }
    response.status(403).json({
      error:
        `Without ${variable} this answers only requests from the machine itself, to a loopback HOST, through no ` +
        `proxy and from no other site's page. Set ${variable} and send it as "Authorization: Bearer <token>".`,
    })
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

function isForwarded(request: Request): boolean {
  return request.get('forwarded') !== undefined || request.get('x-forwarded-for') !== undefined
}

// A page of some other site, whose name was made to resolve to 127.0.0.1, still sends that name.
function namedHost(request: Request): string {
  const url = `http://${request.get('host')}`
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : ''
}

// Any site's page may make the browser of this machine send a request here; it cannot keep the browser from saying so.
function isForeign(request: Request): boolean {
  const origin = request.get('origin')
  return origin !== undefined && origin !== `http://${request.get('host')}`
}
