import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express'
import helmet from 'helmet'
import { z } from 'zod'
import type { Log } from '../observe/log.ts'
import { createAppServer } from './app-server.ts'
import { type Operations, openApi } from './open-api.ts'
import { type OperatorAccess, operatorOnly } from './operator-guard.ts'
import { type ReadyChecks, readiness } from './readiness.ts'

export type AppOptions = Readonly<{
  log: Log
  readyChecks: ReadyChecks
  metrics: Readonly<{ contentType: string; render(): Promise<string> }>
  operator: OperatorAccess
  /** What this process answers besides, and how that is described. */
  routers?: readonly Router[]
  /** The same for what only programs call: without the headers that tell browsers what to do with an answer. */
  services?: readonly Router[]
  operations?: Operations
  /** Of the bridge, for `/openapi.json`. */
  version?: string
}>

/** What every process with a port answers. */
const COMMON: Operations = {
  'GET /healthz': { summary: 'Alive', by: 'anybody', answers: { 200: 'It is' } },
  'GET /readyz': {
    summary: 'Able to work',
    by: 'anybody',
    answers: { 200: 'All checks hold', 503: 'Which checks do not, and why' },
  },
  'GET /metrics': { summary: 'Prometheus metrics', by: 'operator', answers: { 200: 'As text' } },
  'GET /openapi.json': { summary: 'This description', by: 'anybody', answers: { 200: 'OpenAPI 3.1' } },
}

/** All that a process with these operations answers, as OpenAPI has it: its `/openapi.json`. `version` is the bridge's. */
export function describeApp(version: string, operations: Operations): Readonly<Record<string, unknown>> {
  return openApi('spree-bridge', version, { ...COMMON, ...operations })
}

/** What every process with a port answers: alive, ready, metrics, its own routes, and errors that tell no internals. */
export function createApp(options: AppOptions): Server {
  const {
    log,
    readyChecks,
    metrics,
    operator,
    routers = [],
    services = [],
    operations = {},
    version = '',
  } = options
  const described = describeApp(version, operations)
  const app = express()
  app.disable('x-powered-by') // helmet takes it from the others only
  for (const service of services) app.use(service)
  app.use(helmet())

  app.get('/healthz', notStored, (_request, response) => {
    response.json({ alive: true })
  })
  app.get('/readyz', notStored, readiness(readyChecks, log))
  app.get('/metrics', notStored, operatorOnly(operator), async (_request, response) => {
    response.set('Content-Type', metrics.contentType).send(await metrics.render())
  })

  app.get('/openapi.json', (_request, response) => {
    response.json(described)
  })

  for (const router of routers) app.use(router)
  app.use(notFound)
  app.use(answerError(log))
  return createAppServer(app)
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

const UNDECODABLE = { status: 400, expose: true, message: 'The address of the request is not well encoded.' }

function answerError(log: Log): ErrorRequestHandler {
  return (error, request, response, _next) => {
    // Of a path with `%ff` in it Express says what, but not that the caller may know.
    const fault = callersFault.safeParse(error instanceof URIError ? UNDECODABLE : error)
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
