import { type ErrorRequestHandler, type Request, type RequestHandler, Router } from 'express'

import { notNow } from '../apply/answer.ts'
import { dialectOf } from '../apply/dialects.ts'
import type { Handler } from '../apply/handler.ts'
import { type Handlers, handlerOf, serviceName } from '../apply/handlers.ts'
import { answerPassedOver } from '../apply/seed-dialect.ts'
import type { Log } from '../observe/log.ts'
import { onceInAWhile } from '../observe/once-in-a-while.ts'
import { authenticate } from './authenticate.ts'
import { type Delivering, deliver } from './deliver.ts'
import { describeEndpoint, ICON } from './endpoint.ts'
import { type Envelope, FORM, readEnvelope } from './envelope.ts'
import { limitInHand } from './limits.ts'
import { bodyRefused, LARGEST_BODY_BYTES, NoMessage, readBody, takeBody } from './read-body.ts'
import { reply, send } from './reply.ts'
import { requireSignature } from './signature.ts'
import { nameIn, wombatRoutes } from './wombat.ts'

export type WebhookOptions = Delivering &
  Readonly<{
    /** WEBHOOK_TOKEN; without any, every message is refused. */
    tokens: readonly string[]
    /** WEBHOOK_SECRET; with any, what is not signed by one of them is refused as well. */
    secrets: readonly string[]
    handlers: Handlers
    /** Why nothing may be applied at present, in words fit for the sender; undefined while all is well. */
    refusal(): string | undefined
    /** The `payload.source` of this installation's own pushes. */
    source(): string
  }>

/** The ways in of both dialects; `POST /webhook` and `/webhook/:name`, with what the endpoint says of itself, is the seed's. */
export function webhookRoutes({ handlers: all, ...given }: WebhookOptions): Router {
  const of = (name: string) => all.filter((handler) => dialectOf(handler).name === name)
  const options = { ...given, handlers: of('seed') }
  const objectHandlers = of('wombat')
  const { handlers, refusal, log } = options
  const endpoint = describeEndpoint(handlers)
  const router = Router()

  const body: RequestHandler[] = [
    limitInHand(LARGEST_BODY_BYTES),
    takeBody,
    requireSignature(options.secrets),
  ]
  // First what comes most: Express asks its routes one after the other.
  router.post(
    ['/webhook', '/webhook/:name'],
    (request, _response, next) => next(handlerOf(objectHandlers, nameIn(request)) ? 'route' : undefined),
    authenticate(options.tokens, log),
    (_request, response, next) => {
      const why = refusal()
      if (why === undefined) next()
      else send(response, notNow({ error: why }))
    },
    ...body,
    async (request, response) => reply(response, await receive(request, options)),
  )
  router.use(wombatRoutes({ ...given, body, handlers: objectHandlers }))
  router.use('/webhook', answerNoMessage(log))
  router.get('/endpoint.json', (_request, response) => {
    response.json(endpoint)
  })
  router.get('/icon.svg', (_request, response) => {
    response.type('svg').send(ICON)
  })
  router.get('/auth', (_request, response) => {
    response.end()
  })
  return router
}

async function receive(request: Request, { handlers, source, ...delivering }: WebhookOptions) {
  const from = performance.now()
  const body = readBody(request.body, request.get('content-type'), FORM)
  const service = serviceOf(request, handlers)
  const envelope = readEnvelope(body)
  const handler = service ?? handlerFor(envelope, handlers)
  const type = handler.message
  if (envelope.payload['source'] === source()) {
    delivering.metrics.appliedTotal.inc({ type, outcome: 'own' })
    return answerPassedOver(envelope.messageId, type, 'Not applied: this store itself has announced it.')
  }
  return deliver(handler, envelope, from, delivering)
}

/** @throws NoMessage 404 for a service that this endpoint does not have. */
function serviceOf(request: Request, handlers: Handlers): Handler<unknown> | undefined {
  const name = nameIn(request)
  if (name === '') return undefined
  const handler = handlers.find((offered) => serviceName(offered) === name)
  if (!handler)
    throw new NoMessage(404, 'There is no such service: GET /endpoint.json lists those there are.')
  return handler
}

/** @throws NoMessage 404 */
function handlerFor({ message }: Envelope, handlers: Handlers): Handler<unknown> {
  const handler = handlerOf(handlers, message)
  if (!handler)
    throw new NoMessage(404, `There is no service for ${message}: GET /endpoint.json lists those there are.`)
  return handler
}

function answerNoMessage(log: Log): ErrorRequestHandler {
  const seldom = onceInAWhile(log)
  return (error, _request, response, next) => {
    const refused = bodyRefused(error)
    if (!(refused instanceof NoMessage)) return next(error)
    seldom(`${refused.status}`, 'warn', 'a request to the webhook was no message', {
      status: refused.status,
      why: refused.message,
    })
    response.status(refused.status).json({ error: refused.message })
  }
}
