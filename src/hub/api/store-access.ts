import type { RequestHandler } from 'express'

import type { Pool } from '../../postgres/pool.ts'
import { invalidToken, storeNotFound } from './api-error.ts'
import { storeOfToken } from './stores.ts'

/** Parameters of every path of a store. */
export type StorePath = Readonly<{ store: string }>

/**
 * Lets in whoever has a token of the store in the path. A store that a token has no right on is not told from one that does
 * not exist. `X-Hub-Token` is the header's later name (protocol §11.5).
 */
export function storeTokenOnly(pool: Pool): RequestHandler<StorePath> {
  return async (request, _response, next) => {
    const token = request.get('x-augury-token') ?? request.get('x-hub-token')
    const storeId = token ? await storeOfToken(pool, token) : undefined
    if (storeId === undefined) throw invalidToken()
    if (storeId !== request.params.store) throw storeNotFound()
    next()
  }
}
