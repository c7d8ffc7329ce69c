import { fileURLToPath } from 'node:url'
import express, { type RequestHandler, Router } from 'express'
import { type OperatorAccess, operatorOnly } from './operator-guard.ts'

/** Found from `src/` and from `dist/` alike. */
const FOLDER = fileURLToPath(new URL('../../src/pages/', import.meta.url))

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  ...['script-src', 'style-src', 'connect-src', 'img-src'].map((kind) => `${kind} 'self'`),
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * Serves `file` of `src/pages` at `path`, and what all pages share under `/pages`. They hold nothing of a store: what
 * they show they fetch with the token that a person types in, since a browser sends none with its first request.
 * Without a token set there is nothing to type in, and a page is as closed as what it would fetch.
 */
export function servePage(path: string, file: string, access: OperatorAccess): Router {
  const router = Router()
  const guard = access.token === undefined ? [operatorOnly(access)] : []
  router.get(path, asPage, ...guard, (_request, response) => {
    response.sendFile(file, { root: FOLDER, cacheControl: false })
  })
  router.use('/pages', asPage, express.static(FOLDER, { index: false, redirect: false, cacheControl: false }))
  return router
}

const asPage: RequestHandler = (_request, response, next) => {
  response.set({ 'Content-Security-Policy': CONTENT_SECURITY_POLICY, 'Cache-Control': 'no-cache' })
  next()
}
