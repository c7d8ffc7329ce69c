import { Router } from 'express'

import { type OperatorAccess, operatorOnly } from '../../http/operator-guard.ts'
import type { Pool } from '../../postgres/pool.ts'
import { answerApiError, parseObject } from './api-error.ts'
import { conventions, crossOrigin } from './conventions.ts'
import { createMappingApi } from './mapping-api.ts'
import { createMessageApi } from './message-api.ts'
import { createParameterApi } from './parameter-api.ts'
import { createQueueApi } from './queue-api.ts'
import { bodyValue, readForm } from './request-body.ts'
import { createSampleApi } from './sample-api.ts'
import { storeTokenOnly } from './store-access.ts'
import { createStore, newStore } from './stores.ts'

export type HubApiOptions = Readonly<{
  /** On the hub's database. */
  pool: Pool
  /** Of the incoming queue: `countLanes`. */
  laneCount: number
  /** HUB_ADMIN_TOKEN and HOST, for `POST /api/stores`. */
  admin: Readonly<{ token?: string | undefined; host: string }>
  /** HUB_TARGETS: where a store's token may point mappings. */
  targets: 'public' | 'any'
}>

/** The hub's HTTP API (protocol §2), to be mounted at the root. */
export function createHubRouter({ pool, laneCount, admin, targets }: HubApiOptions): Router {
  const router = Router()
  router.use(conventions)

  const access: OperatorAccess = { ...admin, variable: 'HUB_ADMIN_TOKEN', header: 'X-Augury-Token' }
  router.post('/api/stores', operatorOnly(access), ...readForm, async (request, response) => {
    response.status(201).json(await createStore(pool, parseObject(newStore, bodyValue(request))))
  })
  router.use('/api/samples', crossOrigin, createSampleApi())
  router.use(
    '/api/stores/:store',
    crossOrigin,
    storeTokenOnly(pool),
    createMessageApi(pool, laneCount),
    createQueueApi(pool),
    createMappingApi(pool, targets),
    createParameterApi(pool),
  )
  router.use(answerApiError)
  return router
}
