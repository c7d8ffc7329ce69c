import { type RequestHandler, Router } from 'express'

import type { Pool } from '../../postgres/pool.ts'
import { parseObject } from './api-error.ts'
import { changedParameter, newParameter } from './parameter-input.ts'
import {
  changeParameter,
  createParameter,
  deleteParameter,
  listParameters,
  showParameter,
} from './parameter-table.ts'
import { bodyValue, readForm } from './request-body.ts'
import type { StorePath } from './store-access.ts'

type ParameterPath = StorePath & Readonly<{ id: string }>

/** `parameters` and `parameters/:id` (protocol §2.8). */
export function createParameterApi(pool: Pool): Router {
  const router = Router({ mergeParams: true })

  const list: RequestHandler<StorePath> = async (request, response) => {
    response.json(await listParameters(pool, request.params.store))
  }
  const create: RequestHandler<StorePath> = async (request, response) => {
    const fields = parseObject(newParameter, bodyValue(request))
    response.status(201).json(await createParameter(pool, request.params.store, fields))
  }
  const show: RequestHandler<ParameterPath> = async (request, response) => {
    const { store, id } = request.params
    response.json(await showParameter(pool, store, id))
  }
  const change: RequestHandler<ParameterPath> = async (request, response) => {
    const { store, id } = request.params
    response.json(await changeParameter(pool, store, id, parseObject(changedParameter, bodyValue(request))))
  }
  const remove: RequestHandler<ParameterPath> = async (request, response) => {
    const { store, id } = request.params
    await deleteParameter(pool, store, id)
    response.type('application/json').end()
  }

  router.get('/parameters', list)
  router.post('/parameters', ...readForm, create)
  router.get('/parameters/:id', show)
  router.put('/parameters/:id', ...readForm, change)
  router.delete('/parameters/:id', remove)
  return router
}
