import { finished } from 'node:stream/promises'
import { type RequestHandler, Router } from 'express'
import { z } from 'zod'

import { atStep } from '../../observe/steps.ts'
import type { Pool } from '../../postgres/pool.ts'
import { ApiError, notFound, parseObject } from './api-error.ts'
import { decideByHand, order } from './by-hand.ts'
import { pushMessage } from './push-message.ts'
import { readPushed } from './pushed.ts'
import { bodyOrQuery, jsonBody, readBytes, readForm } from './request-body.ts'
import { showMessage } from './show-message.ts'
import type { StorePath } from './store-access.ts'

/** The draft standard has the key in quotes, as a structured field; most clients send it bare. */
const idempotencyKey = z
  .string()
  .trim()
  .regex(/^("?)[\x21\x23-\x7e]{1,255}\1$/)
  .transform((key) => key.replaceAll('"', ''))
  .optional()

const aggregateHint = z.string().regex(/^[a-z_]{1,32}:[\x21-\x7e]{1,200}$/)

type MessagePath = StorePath & Readonly<{ id: string }>

/** `POST messages`, `GET` and `PUT messages/:id` (protocol §2.2, §2.3). */
export function createMessageApi(pool: Pool, laneCount: number): Router {
  const router = Router({ mergeParams: true })

  const push: RequestHandler<StorePath> = async (request, response) => {
    const pushed = readPushed(jsonBody(request))
    const messageId = await pushMessage(pool, laneCount, {
      storeId: request.params.store,
      pushed,
      idempotencyKey: readKey(request.get('idempotency-key')),
      aggregateHint: aggregateHint.safeParse(request.get('x-bridge-aggregate')).data,
    })
    await atStep('push.reply', async () => {
      response.status(201).type('application/json').send(pushed.echo(messageId))
      await finished(response).catch(() => undefined) // the pusher is gone: it will ask again
    })
  }
  const show: RequestHandler<MessagePath> = async (request, response) => {
    const { store, id } = request.params
    const shown = await showMessage(pool, store, id)
    if (shown === undefined) throw notFound()
    response.type('application/json').send(shown)
  }
  const decide: RequestHandler<MessagePath> = async (request, _response, next) => {
    const { store, id } = request.params
    await decideByHand(pool, store, id, parseObject(order, bodyOrQuery(request)))
    next()
  }

  router.post('/messages', readBytes, push)
  router.get('/messages/:id', show)
  router.put('/messages/:id', ...readForm, decide, show)
  return router
}

function readKey(header: string | undefined): string | undefined {
  const key = idempotencyKey.safeParse(header)
  if (key.success) return key.data
  throw new ApiError(400, 'The Idempotency-Key has to be 1 to 255 printable ASCII characters without spaces.')
}
