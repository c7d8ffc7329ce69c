import express, { type Request, type RequestHandler } from 'express'

import { ApiError } from './api-error.ts'
import { DEEPEST, type JsonText, readJsonText } from './json-text.ts'

const LIMIT = '1mb'

/** Reads the bytes of the body, whatever its type is said to be. */
export const readBytes: RequestHandler = express.raw({ type: () => true, limit: LIMIT })

/** The same, but a form (`mapping[name]=…`, as Rails takes it) is read as one. */
export const readForm: RequestHandler[] = [express.urlencoded({ extended: true, limit: LIMIT }), readBytes]

/** A body as JSON: its value, and how it is written. */
export type JsonBody = Readonly<{ value: unknown; text: JsonText }>

/** @throws ApiError 400 where the body is no JSON, 422 where it is nested too deep or has a NUL */
export function jsonBody({ body }: Pick<Request, 'body'>): JsonBody {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
  if (bytes.length === 0) throw new ApiError(400, 'The body is empty: it has to be a JSON object.')
  return parseJson(decode(bytes))
}

/** The body's value, be it JSON or a form. @throws ApiError as `jsonBody` */
export function bodyValue(request: Pick<Request, 'body'>): unknown {
  const { body } = request
  if (Buffer.isBuffer(body) || body === undefined) return jsonBody(request).value
  return parseJson(JSON.stringify(body)).value
}

/** The same; of a request without a body, as old clients send it too, what its query says. */
export function bodyOrQuery(request: Pick<Request, 'body' | 'query'>): unknown {
  const { body } = request
  const isEmpty = body === undefined || (Buffer.isBuffer(body) && body.length === 0)
  return isEmpty ? request.query : bodyValue(request)
}

/** @throws ApiError 400 or 422, with what is wrong */
export function parseJson(source: string): JsonBody {
  const value = parse(source)
  const text = readJsonText(source)
  if (text.depth > DEEPEST) {
    throw tooMuch(`The body is nested ${text.depth} levels deep: ${DEEPEST} are taken.`)
  }
  if (text.hasNul) throw tooMuch('The body has a NUL character (\\u0000) in a string, which cannot be kept.')
  return { value, text }
}

function tooMuch(message: string): ApiError {
  return new ApiError(422, message, { base: [message] })
}

function parse(source: string): unknown {
  try {
    return JSON.parse(source)
  } catch (error) {
    throw new ApiError(400, `The body is not valid JSON: ${error instanceof Error ? error.message : error}.`)
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new ApiError(400, 'The body is not valid UTF-8, as JSON has to be.')
  }
}
