import { isIPv4 } from 'node:net'
import type { Request, RequestHandler } from 'express'

import { isOneOf } from './secret.ts'

export type OperatorAccess = Readonly<{
  /** OPERATOR_TOKEN; without one only this machine is let in. */
  token?: string | undefined
  /** HOST: where this process listens. */
  host: string
}>

/** Lets operators through: by `Authorization: Bearer`, or, where no token is set, from this very machine. */
export function operatorOnly({ token, host }: OperatorAccess): RequestHandler {
  if (token === undefined) return localOnly(host)

  return (request, response, next) => {
    const given = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1] ?? ''
    if (isOneOf(given, [token])) return next()
    response.set('WWW-Authenticate', 'Bearer')
    response
      .status(401)
      .json({ error: 'This needs the OPERATOR_TOKEN, sent as "Authorization: Bearer <token>".' })
  }
}

function localOnly(host: string): RequestHandler {
  return (request, response, next) => {
    if (isLoopback(host) && !isForwarded(request) && isLoopback(namedHost(request))) return next()
    response.status(403).json({
      error:
        'Without OPERATOR_TOKEN this answers only requests from the machine itself, to a loopback HOST and through ' +
        'no proxy. Set OPERATOR_TOKEN and send it as "Authorization: Bearer <token>".',
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
