import express, { type ErrorRequestHandler, type Request, type RequestHandler, Router } from 'express'
import { z } from 'zod'

import { type Answer, answer } from '../apply/answer.ts'
import { type Handlers, handlerOf } from '../apply/handlers.ts'
import { answerFailed, wombat } from '../apply/wombat-dialect.ts'
import { type IsSecret, oneOf } from '../http/secret.ts'
import { onceInAWhile, type Seldom } from '../observe/once-in-a-while.ts'
import { bearsBearer, bearsToken } from './authenticate.ts'
import { type Delivering, deliver } from './deliver.ts'
import { limitInHand, limitWrongTokens } from './limits.ts'
import { bodyRefused, NoMessage, readBody } from './read-body.ts'
import { reply } from './reply.ts'
import { readWombatRequest, requestIdOf, WOMBAT_FORM } from './wombat-request.ts'

export type WombatOptions = Delivering &
  Readonly<{
    tokens: readonly string[]
    /** What takes the bytes of a body, and looks whether they may be taken. */
    body: readonly RequestHandler[]
    /** Those of this dialect. */
    handlers: Handlers
    /** Why nothing may be applied at present, in words fit for the sender; undefined while all is well. */
    refusal(): string | undefined
  }>

/** `/webhook/:name` for the names of handlers: of others the seed's route lets none come here. */
const PATHS = ['/wombat/:name', '/flowlink/:name', '/webhook/:name']

/** Of who has no right token; apart from what is in hand of those who have one, whom it must not keep out. */
const STRANGERS_BODY_BYTES = 2 ** 16
const STRANGERS_BYTES_IN_HAND = 2 ** 22

/**
 * `POST /wombat/:name` and `/flowlink/:name` (protocol §9.2), and `/webhook/:name`. The token comes before the name; the body
 * before both, for every answer says the request's id.
 */
export function wombatRoutes(options: WombatOptions): Router {
  const { body, log } = options
  const isToken = oneOf(options.tokens)
  const seldom = onceInAWhile(log)
  const router = Router()
  router.post(
    PATHS,
    (request, _response, next) => next(isKnown(request, isToken) ? 'route' : undefined),
    limitWrongTokens(),
    limitInHand(STRANGERS_BODY_BYTES, STRANGERS_BYTES_IN_HAND),
    (request, response, next) => takeStrangersBody(request, response, () => next()),
    (request, response) => reply(response, refuseStranger(request, seldom)),
  )
  router.post(PATHS, ...body, async (request, response) =>
    reply(response, await receive(request, nameIn(request), options, seldom)),
  )
  // What takes the body has found it too large, or in a form that is no JSON.
  const answerNoBody: ErrorRequestHandler = (error, _request, response, next) => {
    const noBody = bodyRefused(error)
    if (noBody instanceof NoMessage) return reply(response, refused(null, noBody, seldom))
    const { data: told } = bodyFault.safeParse(noBody)
    if (!told) return next(error)
    const why = new NoMessage(told.status, `The body cannot be taken: ${told.message}.`)
    return reply(response, refused(null, why, seldom))
  }
  router.use(['/wombat', '/flowlink'], answerNoBody)
  return router
}

/** One that cannot be taken tells no id. */
const takeStrangersBody = express.raw({ type: () => true, limit: STRANGERS_BODY_BYTES })

const bodyFault = z.object({ status: z.int().min(400).max(499), message: z.string() })

function refused(requestId: string | null, { status, message: summary }: NoMessage, seldom: Seldom): Answer {
  seldom(`${status}`, 'warn', 'a request to the webhook was no message', { status, why: summary })
  return answer(status, { request_id: requestId, summary })
}

function refuseStranger(request: Request, seldom: Seldom): Answer {
  seldom('token', 'warn', 'a message without the right WEBHOOK_TOKEN was refused', { from: request.ip })
  const summary = isToFlowLink(request) ? `Unauthorized! ${request.ip}` : 'Unauthorized!'
  return answer(401, { request_id: requestIdOf(readJson(request)), summary })
}

async function receive(
  request: Request,
  name: string,
  { handlers, refusal, ...delivering }: WombatOptions,
  seldom: Seldom,
): Promise<Answer> {
  const from = performance.now()
  const body = readJson(request)
  const requestId = requestIdOf(body)
  const handler = handlerOf(handlers, name)
  if (!handler)
    return answerFailed(requestId, `uninitialized constant ${handlerClass(name, isToFlowLink(request))}`)
  const why = refusal()
  if (why !== undefined) return wombat.unavailable(requestId, why)
  try {
    if (body instanceof NoMessage) throw body
    return await deliver(handler, readWombatRequest(body), from, delivering)
  } catch (error) {
    if (error instanceof NoMessage) return refused(requestId, error, seldom)
    throw error
  }
}

/** FlowLink has a way of its own to bring the token (protocol §9.2). */
function isKnown(request: Request, isToken: IsSecret): boolean {
  return bearsToken(request, isToken) || (isToFlowLink(request) && bearsBearer(request, isToken))
}

function isToFlowLink({ path }: Request): boolean {
  return path.startsWith('/flowlink/')
}

/** The protocol knows no 406 here: what is not JSON is no request. */
function readJson(request: Request): unknown {
  try {
    return readBody(request.body, request.get('content-type'), WOMBAT_FORM)
  } catch (error) {
    if (!(error instanceof NoMessage)) throw error
    return error.status === 406 ? new NoMessage(400, error.message) : error
  }
}

/** Of the handler or service that a path names; '' where it names none. */
export function nameIn({ params }: Request): string {
  const { name } = params
  return typeof name === 'string' ? name : ''
}

/** `upblate_order` → `Spree::Wombat::Handler::UpblateOrderHandler`, the class that the store's own code looks for. */
function handlerClass(name: string, isFlowLink: boolean): string {
  const camel = name.replace(/(?:^|_)([a-z\d]?)/g, (_, first: string) => first.toUpperCase())
  return `Spree::${isFlowLink ? 'Flowlink' : 'Wombat'}::Handler::${camel}Handler`
}
