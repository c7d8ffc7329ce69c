import { Router } from 'express'
import { discardInbox, listInbox, showInbox } from '../apply/inbox-messages.ts'
import { createEventStream } from '../http/event-stream.ts'
import { type OperatorAccess, operatorOnly } from '../http/operator-guard.ts'
import { servePage } from '../http/pages.ts'
import { readJson } from '../http/read-json.ts'
import { decimalId, readQuery } from '../http/read-query.ts'
import { Refusal } from '../http/refusal.ts'
import type { Log } from '../observe/log.ts'
import type { Pool } from '../postgres/pool.ts'
import { showMessage } from '../queue/look.ts'
import { BRIDGE_QUEUE } from '../queue/message.ts'
import { inboundPage, messageFilter, messagePage } from './operations.ts'
import { concernedOutbound, decideOutbound } from './outbound.ts'
import { listNamed, nameMessages, readOverview } from './overview.ts'
import { readStatus } from './show-status.ts'

export type OperatorOptions = Readonly<{
  pool: Pool
  /** Applies a failed message of the inbox again; how it went stands in the message afterwards. */
  retryInbound(id: string): Promise<unknown>
  access: OperatorAccess
  log: Log
  /** How long a worker's registration stands without a heartbeat. */
  leaseSeconds: number
}>

export type OperatorFace = Readonly<{
  router: Router
  /** Ends the streams: to be called before the port is closed. */
  close(): void
}>

/** `/dashboard`, and under `/api/v1` what the commands tell and do. */
export function createOperatorFace(options: OperatorOptions): OperatorFace {
  const { pool, access, log, leaseSeconds } = options
  const stream = createEventStream({
    read: () => readOverview(pool, leaseSeconds),
    onError: (error) => log.warn('the dashboard could not be read', { error }),
  })
  const api = Router()
  api.use(operatorOnly(access), (_request, response, next) => {
    response.set('Cache-Control', 'no-store')
    next()
  })
  api.get('/events', stream.handler)
  api.get('/status', async (_request, response) => {
    response.json(await readStatus(pool, leaseSeconds))
  })
  addMessageRoutes(api, pool, log)
  addInboxRoutes(api, options)

  const router = Router()
  router.use(servePage('/dashboard', 'dashboard.html', access))
  router.use('/api/v1', api)
  return { router, close: stream.close }
}

function addMessageRoutes(api: Router, pool: Pool, log: Log): void {
  async function find(id: string) {
    const message = decimalId.safeParse(id).success ? await showMessage(pool, BRIDGE_QUEUE, id) : undefined
    if (!message) throw new Refusal(404, `There is no message ${id} in the queue or in its history.`)
    return message
  }

  api.get('/messages', async (request, response) => {
    const { state, type, ...page } = readQuery(messagePage, request.query)
    response.json({ messages: await listNamed(pool, { ...page, states: state, types: type }) })
  })
  api.get('/messages/:id', async (request, response) => {
    const [message] = await nameMessages(pool, [await find(request.params.id)])
    response.json({ ...message, payload: readJson(message?.payload ?? 'null') })
  })
  api.post('/messages/retry', async (request, response) => {
    // Ids in a body that nobody reads would retry everything.
    if (Number(request.get('content-length') ?? 0) > 0 || request.get('transfer-encoding') !== undefined)
      throw new Refusal(400, 'The filters go into the query: this takes no body.')
    const { state, type, ...more } = readQuery(messageFilter, request.query)
    const filter = { ...more, states: state, types: type }
    const { upTo } = await concernedOutbound(pool, 'retry', filter)
    const count = await decideOutbound(pool, 'retry', filter, upTo)
    log.info('an operator put messages back to be sent', { count, state, type, aggregate: more.aggregate })
    response.json({ count })
  })
  for (const action of ['retry', 'park', 'discard'] as const) {
    api.post(`/messages/:id/${action}`, async (request: { params: { id: string } }, response) => {
      const { id } = request.params
      const { state, finishedAt } = await find(id)
      if (finishedAt) throw new Refusal(409, `Message ${id} is ${state}: there is nothing to ${action}.`)
      await decideOutbound(pool, action, { ids: [id] }, id)
      log.info('an operator decided about a message', { action, id })
      const { payload: _, ...message } = await find(id)
      response.json({ message })
    })
  }
}

function addInboxRoutes(api: Router, { pool, retryInbound, log }: OperatorOptions): void {
  const actions = {
    retry: retryInbound,
    discard: async (id: string) => discardInbox(pool, [await find(id)]),
  }

  async function find(id: string) {
    const message = decimalId.safeParse(id).success ? await showInbox(pool, id) : undefined
    if (!message) throw new Refusal(404, `There is no message ${id} in the inbox.`)
    return message
  }

  api.get('/inbox', async (request, response) => {
    const { state, type, ...page } = readQuery(inboundPage, request.query)
    response.json({ messages: await listInbox(pool, { ...page, states: state, types: type }) })
  })
  api.get('/inbox/:id', async (request, response) => {
    const message = await find(request.params.id)
    const { payload, answer, looksLike } = message
    response.json({
      ...message,
      payload: readJson(payload),
      answer: readJson(answer),
      looksLike: looksLike && { ...looksLike, payload: readJson(looksLike.payload) },
    })
  })
  for (const [action, act] of Object.entries(actions)) {
    api.post(`/inbox/:id/${action}`, async (request: { params: { id: string } }, response) => {
      const { id } = request.params
      const { state } = await find(id)
      if (state !== 'failed')
        throw new Refusal(409, `Inbound message ${id} is ${state}: there is nothing to ${action}.`)
      await act(id)
      log.info('an operator decided about an inbound message', { action, id })
      const { payload: _, answer: __, ...message } = await find(id)
      response.json({ message })
    })
  }
}
