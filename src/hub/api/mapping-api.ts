import { type Request, type RequestHandler, Router } from 'express'

import type { Pool } from '../../postgres/pool.ts'
import { isPublicTarget } from '../../push/address-guard.ts'
import { invalidObject, parseObject } from './api-error.ts'
import { changedMapping, mappingBody, newMapping } from './mapping-input.ts'
import { changeMapping, createMapping, deleteMapping, listMappings, showMapping } from './mapping-table.ts'
import { bodyValue, readForm } from './request-body.ts'
import type { StorePath } from './store-access.ts'

type MappingPath = StorePath & Readonly<{ id: string }>

/** `mappings` and `mappings/:id` (protocol §2.6), which may point to `targets` (HUB_TARGETS). */
export function createMappingApi(pool: Pool, targets: 'public' | 'any'): Router {
  const router = Router({ mergeParams: true })

  const list: RequestHandler<StorePath> = async (request, response) => {
    response.json(await listMappings(pool, request.params.store))
  }
  const create: RequestHandler<StorePath> = async (request, response) => {
    const fields = parseObject(newMapping, fieldsOf(request))
    refuseTarget(fields.url)
    response.status(201).json(await createMapping(pool, request.params.store, fields))
  }
  const show: RequestHandler<MappingPath> = async (request, response) => {
    const { store, id } = request.params
    response.json(await showMapping(pool, store, id))
  }
  const change: RequestHandler<MappingPath> = async (request, response) => {
    const { store, id } = request.params
    const fields = parseObject(changedMapping, fieldsOf(request))
    const { url } = await showMapping(pool, store, id)
    if (fields.url !== undefined && fields.url !== url) refuseTarget(fields.url)
    response.json(await changeMapping(pool, store, id, fields))
  }
  const remove: RequestHandler<MappingPath> = async (request, response) => {
    const { store, id } = request.params
    await deleteMapping(pool, store, id)
    response.type('application/json').end()
  }

  /** What a name resolves to is looked at with each delivery. */
  function refuseTarget(url: string): void {
    if (targets === 'any' || isPublicTarget(url)) return
    throw invalidObject({
      url: [
        'is on this machine or in a private network, where this hub does not deliver: set HUB_TARGETS=any to allow it',
      ],
    })
  }

  router.get('/mappings', list)
  router.post('/mappings', ...readForm, create)
  router.get('/mappings/:id', show)
  router.put('/mappings/:id', ...readForm, change)
  router.delete('/mappings/:id', remove)
  return router
}

function fieldsOf(request: Pick<Request, 'body'>): unknown {
  return parseObject(mappingBody, bodyValue(request)).mapping
}
