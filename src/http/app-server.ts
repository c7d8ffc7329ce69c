import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Express } from 'express'

/**
 * A server whose requests and responses come as the app wants them. Express gives each that comes its own prototype, and
 * objects of which the prototype was changed survive the quick collections of garbage, with all that hangs on them: under
 * load whole collections then followed one another by the quarter of a second.
 */
export function createAppServer(app: Express): Server {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, app.request)
  Object.setPrototypeOf(AppResponse.prototype, app.response)
  // What Express changes the prototypes to: they have it already.
  Object.assign(app, { request: AppRequest.prototype, response: AppResponse.prototype })
  return createServer({ IncomingMessage: AppRequest, ServerResponse: AppResponse }, app)
}
