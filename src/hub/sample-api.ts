import { type RequestHandler, Router } from 'express'

import { notFound } from './api-error.ts'

/** The samples there are: their names, and each by its name and, where it matters, the version of Spree. */
export type Samples = Readonly<{
  names(): readonly string[]
  /** Undefined where there is none of that name. */
  find(name: string, version: string | undefined): Readonly<{ message: string; payload: unknown }> | undefined
}>

/** `GET /api/samples` and `/api/samples/:type`: whole messages for people who write a consumer (protocol §2.11). */
export function createSampleApi(samples: Samples): Router {
  const router = Router()
  const show: RequestHandler<{ type: string }> = (request, response) => {
    const { version } = request.query
    const sample = samples.find(request.params.type, typeof version === 'string' ? version : undefined)
    if (!sample) throw notFound()
    response.json(sample)
  }
  router.get('/', (_request, response) => {
    response.json(samples.names())
  })
  router.get('/:type', show)
  return router
}
