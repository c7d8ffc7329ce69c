import { Router } from 'express'
import { z } from 'zod'
import { createEventStream } from '../../http/event-stream.ts'
import { type OperatorAccess, operatorOnly } from '../../http/operator-guard.ts'
import { servePage } from '../../http/pages.ts'
import { readJson } from '../../http/read-json.ts'
import { decimalId, pageLimit, readQuery } from '../../http/read-query.ts'
import { Refusal } from '../../http/refusal.ts'
import type { Log } from '../../observe/log.ts'
import type { Pool } from '../../postgres/pool.ts'
import { answerApiError } from '../api/api-error.ts'
import { decideByHand } from '../api/by-hand.ts'
import { canAttempt } from '../api/show-message.ts'
import { readHubOverview } from './page-overview.ts'
import { listArrivals, showHubMessage } from './page-queries.ts'

export type HubFaceOptions = Readonly<{
  /** On the hub's database. */
  pool: Pool
  access: OperatorAccess
  log: Log
  /** How long a worker's registration stands without a heartbeat. */
  leaseSeconds: number
}>

export type HubFace = Readonly<{
  router: Router
  /** Ends the streams: to be called before the port is closed. */
  close(): void
}>

export const arrivalsPage = z.strictObject({
  store: z.string().optional(),
  limit: pageLimit,
  before: decimalId.optional(),
})

/** What the archive keeps of a success. */
const kept = z.object({ response: z.unknown() })

/** Our words for them, and the protocol's. */
const ACTIONS = { retry: 'attempt_now', archive: 'archive' } as const

/** The hub's page at `/`, and under `/api/hub` what it shows and does. */
export function createHubFace({ pool, access, log, leaseSeconds }: HubFaceOptions): HubFace {
  const stream = createEventStream({
    read: () => readHubOverview(pool, leaseSeconds),
    onError: (error) => log.warn("the hub's page could not be read", { error }),
  })
  const api = Router()
  api.use(operatorOnly(access), (_request, response, next) => {
    response.set('Cache-Control', 'no-store')
    next()
  })
  api.get('/events', stream.handler)
  api.get('/overview', async (_request, response) => {
    response.json(await readHubOverview(pool, leaseSeconds))
  })
  api.get('/messages', async (request, response) => {
    const { store, ...page } = readQuery(arrivalsPage, request.query)
    response.json({ messages: await listArrivals(pool, { ...page, storeId: store }) })
  })
  api.get('/messages/:key', async (request, response) => {
    const { answer, ...message } = await find(request.params.key)
    response.json({
      ...message,
      payload: readJson(message.payload),
      envelope: readJson(message.envelope),
      response: answer
        ? kept.parse(JSON.parse(answer)).response
        : message.response && readJson(message.response),
    })
  })
  for (const [action, decision] of Object.entries(ACTIONS)) {
    api.post(`/messages/:key/${action}`, async (request: { params: { key: string } }, response) => {
      const { key } = request.params
      const before = await find(key)
      if (!canAttempt(before)) {
        const where =
          before.queue === 'archived'
            ? `archived (${before.state})`
            : 'waiting to be routed, which takes a moment'
        throw new Refusal(409, `Message ${key} is ${where}: there is nothing to ${action}.`)
      }
      await decideByHand(pool, before.storeId, key, decision)
      log.info('an operator decided about a message', { action, message_id: key })
      const { payload: _, envelope: __, response: ___, answer: ____, ...message } = await find(key)
      response.json({ message })
    })
  }
  api.use(answerApiError)

  async function find(key: string) {
    const message = await showHubMessage(pool, key)
    if (!message) throw new Refusal(404, `There is no message ${key} in any queue or in the archive.`)
    return message
  }

  const router = Router()
  router.use(servePage('/', 'hub.html', access))
  router.use('/api/hub', api)
  return { router, close: stream.close }
}
