import type { RequestHandler } from 'express'

/** What every answer of the hub has, and what it makes of the forms in which old clients ask (protocol §2.1). */
export const conventions: RequestHandler = (request, response, next) => {
  response.set({ 'X-Hub': 'spree-bridge', 'Cache-Control': 'max-age=0, private, must-revalidate' })
  // `…/integrations.json` is `…/integrations`.
  request.url = request.url.replace(/^(\/api\/(?:stores|samples)\b[^?]*)\.json(?=\/?(?:\?|$))/, '$1')
  next()
}

/**
 * Pages of other origins may call with the token, which no browser sends of itself: that is why any origin will do. Not for
 * what this machine's own address opens.
 */
export const crossOrigin: RequestHandler = (request, response, next) => {
  const origin = request.get('origin')
  response.vary('Origin')
  if (origin !== undefined) {
    response.set({
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Expose-Headers': 'Link, X-Hub',
    })
  }
  if (request.method !== 'OPTIONS') return next()
  response.set({
    'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
    'Access-Control-Allow-Headers': 'Content-Type, Idempotency-Key, X-Augury-Token, X-Hub-Token',
    'Access-Control-Max-Age': '600',
  })
  response.status(204).end()
}
