import { finished } from 'node:stream/promises'
import express, { type ErrorRequestHandler, type Request, type Response, Router } from 'express'
import { z } from 'zod'

import { type Answer, answerPassedOver, answerUnavailable } from '../apply/answer.ts'
import type { Handler } from '../apply/handler.ts'
import { type Handlers, handlerOf, serviceName } from '../apply/handlers.ts'
import type { Inbox } from '../apply/inbox.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { onceInAWhile } from '../observe/once-in-a-while.ts'
import { atStep } from '../observe/steps.ts'
import { authenticate } from './authenticate.ts'
import { describeEndpoint, ICON } from './endpoint.ts'
import { type Envelope, readEnvelope } from './envelope.ts'
import { limitInHand } from './limits.ts'
import { NoMessage, readBody } from './read-body.ts'
import { requireSignature } from './signature.ts'

export type WebhookOptions = Readonly<{
  /** WEBHOOK_TOKEN; without any, every message is refused. */
  tokens: readonly string[]
  /** WEBHOOK_SECRET; with any, what is not signed by one of them is refused as well. */
  secrets: readonly string[]
  handlers: Handlers
  inbox: Inbox
  /** Why nothing may be applied at present, in words fit for the sender; undefined while all is well. */
  refusal(): string | undefined
  /** The `payload.source` of this installation's own pushes. */
  source(): string
  metrics: Metrics
  log: Log
}>

/** An order of a few hundred lines has a tenth of this. */
const LARGEST_BODY_BYTES = 2 ** 20

/** `POST /webhook` and `/webhook/:service`, with what the endpoint says of itself. */
export function webhookRoutes(options: WebhookOptions): Router {
  const { handlers, refusal, log } = options
  const endpoint = describeEndpoint(handlers)
  const router = Router()

  router.get('/endpoint.json', (_request, response) => {
    response.json(endpoint)
  })
  router.get('/icon.svg', (_request, response) => {
    response.type('svg').send(ICON)
  })
  router.get('/auth', (_request, response) => {
    response.end()
  })
  router.post(
    ['/webhook', '/webhook/:service'],
    authenticate(options.tokens, log),
    (_request, response, next) => {
      const why = refusal()
      if (why === undefined) next()
      else send(response, answerUnavailable(why))
    },
    limitInHand(LARGEST_BODY_BYTES),
    express.raw({ type: () => true, limit: LARGEST_BODY_BYTES }),
    requireSignature(options.secrets),
    async (request, response) => {
      const answer = await receive(request, options)
      await atStep('apply.reply', async () => {
        send(response, answer)
        await finished(response).catch(() => undefined) // the sender is gone: it will ask again
      })
    },
  )
  router.use('/webhook', answerNoMessage(log))
  return router
}

async function receive(request: Request, { handlers, inbox, source, metrics, log }: WebhookOptions) {
  const from = performance.now()
  const body = readBody(request.body, request.get('content-type'))
  const service = serviceOf(request, handlers)
  const envelope = readEnvelope(body)
  const handler = service ?? handlerFor(envelope, handlers)
  const type = handler.message
  if (envelope.payload['source'] === source()) {
    metrics.appliedTotal.inc({ type, outcome: 'own' })
    return answerPassedOver(envelope.messageId, type, 'Not applied: this store itself has announced it.')
  }
  const { outcome, answer } = await inbox.receive(handler, envelope)
  if (outcome === 'repeated') metrics.repeatedTotal.inc()
  else metrics.appliedTotal.inc({ type, outcome })
  if (outcome === 'applied') metrics.acceptToApplySeconds.observe((performance.now() - from) / 1_000)
  log[outcome === 'failed' ? 'warn' : 'debug'](`a message was ${WORDS[outcome]}`, {
    message_id: envelope.messageId,
    type,
    status: answer.status,
  })
  return answer
}

const WORDS = {
  applied: 'applied',
  repeated: 'repeated',
  failed: 'not applied; `spree-bridge inbox` tells why',
  unavailable: 'put off',
} as const

/** @throws NoMessage 404 for a service that this endpoint does not have. */
function serviceOf({ params }: Request, handlers: Handlers): Handler<unknown> | undefined {
  const name = params['service']
  if (name === undefined) return undefined
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

function send(response: Response, { status, body, retryAfterSeconds }: Answer): void {
  if (retryAfterSeconds !== undefined) response.set('Retry-After', String(retryAfterSeconds))
  response.status(status).type('json').send(body)
}

const tooLarge = z.object({ type: z.literal('entity.too.large') })

function answerNoMessage(log: Log): ErrorRequestHandler {
  const seldom = onceInAWhile(log)
  return (error, _request, response, next) => {
    const refused = tooLarge.safeParse(error).success
      ? new NoMessage(413, `The body is larger than ${LARGEST_BODY_BYTES} bytes, the most that is taken.`)
      : error
    if (!(refused instanceof NoMessage)) return next(error)
    seldom(`${refused.status}`, 'warn', 'a request to the webhook was no message', {
      status: refused.status,
      why: refused.message,
    })
    response.status(refused.status).json({ error: refused.message })
  }
}
