import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express'
import helmet from 'helmet'
import { z } from 'zod'
import type { Log } from '../observe/log.ts'
import { type OperatorAccess, operatorOnly } from './operator-guard.ts'
import { type ReadyChecks, readiness } from './readiness.ts'

export type AppOptions = Readonly<{
  log: Log
  readyChecks: ReadyChecks
  metrics: Readonly<{ contentType: string; render(): Promise<string> }>
  operator: OperatorAccess
  /** What this process answers besides. */
  routers?: readonly Router[]
}>

/** What every process with a port answers: alive, ready, metrics, its own routes, and errors that tell no internals. */
export function createApp({ log, readyChecks, metrics, operator, routers = [] }: AppOptions): Express {
  const app = express()
  app.use(helmet())

  app.get('/healthz', notStored, (_request, response) => {
    response.json({ alive: true })
  })
  app.get('/readyz', notStored, readiness(readyChecks, log))
  app.get('/metrics', notStored, operatorOnly(operator), async (_request, response) => {
    response.set('Content-Type', metrics.contentType).send(await metrics.render())
  })

  for (const router of routers) app.use(router)
  app.use(notFound)
  app.use(answerError(log))
  return app
}

const notStored: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store')
  next()
}

const notFound: RequestHandler = (request, response) => {
  response.status(404).json({ error: `There is nothing at ${request.method} ${request.path}.` })
}

// How Express and its body parsers mark what the caller did wrong, in a message meant for them.
const callersFault = z.object({
  status: z.int().min(400).max(499),
  expose: z.literal(true),
  message: z.string(),
})

function answerError(log: Log): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const fault = callersFault.safeParse(error)
    if (fault.success && !response.headersSent) {
      response.status(fault.data.status).json({ error: fault.data.message })
      return
    }
    const errorId = randomUUID()
    log.error('A request failed by a fault of ours.', {
      error_id: errorId,
      method: request.method,
      path: request.path,
      error,
    })
    // Half an answer is out: the connection is cut, so that nobody takes it for whole.
    if (response.headersSent) response.destroy()
    else
      response
        .status(500)
        .json({ error: 'This failed by a fault of ours; the log tells more under the id.', id: errorId })
  }
}
