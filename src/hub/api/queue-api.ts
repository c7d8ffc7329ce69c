import { type Request, type RequestHandler, Router } from 'express'

import type { Db } from '../../postgres/pool.ts'
import { notFound, parseObject } from './api-error.ts'
import { listAvailable } from './available-messages.ts'
import { countQueues, listQueue, queueFilter } from './list-queue.ts'
import { QUEUES, toListed } from './message-row.ts'
import type { StorePath } from './store-access.ts'

/** `GET available_messages`, `GET queues` and the listing of each (protocol §2.4, §2.10). */
export function createQueueApi(db: Db): Router {
  const router = Router({ mergeParams: true })

  const available: RequestHandler<StorePath> = async (request, response) => {
    response.json(await listAvailable(db, request.params.store))
  }
  const counts: RequestHandler<StorePath> = async (request, response) => {
    response.json(await countQueues(db, request.params.store))
  }
  const list: RequestHandler<StorePath & Readonly<{ queue: string }>> = async (request, response) => {
    const queue = QUEUES.find((name) => name === request.params.queue)
    if (!queue) throw notFound()
    const filter = parseObject(queueFilter, request.query)
    const { rows, hasMore } = await listQueue(db, request.params.store, queue, filter)
    if (hasMore) response.links({ next: pathOfPage(request, filter.page + 1) })
    response.json(rows.map(toListed))
  }

  router.get('/available_messages', available)
  router.get('/queues', counts)
  router.get('/queues/:queue', list)
  return router
}

function pathOfPage({ originalUrl }: Pick<Request, 'originalUrl'>, page: number): string {
  const url = new URL(originalUrl, 'http://hub')
  url.searchParams.set('page', String(page))
  return `${url.pathname}${url.search}`
}
