import { type RequestHandler, Router } from 'express'

import { sampleNames, sampleOf } from '../../messages/samples/samples.ts'
import { notFound } from './api-error.ts'

/** `GET /api/samples` and `/api/samples/:type`: whole messages for people who write a consumer (protocol §2.11). */
export function createSampleApi(): Router {
  const router = Router()
  const show: RequestHandler<{ type: string }> = (request, response) => {
    const { version } = request.query
    const sample = sampleOf(request.params.type, typeof version === 'string' ? version : undefined)
    if (!sample) throw notFound()
    response.json(sample)
  }
  router.get('/', (_request, response) => {
    response.json(sampleNames())
  })
  router.get('/:type', show)
  return router
}
