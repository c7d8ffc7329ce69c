import express from 'express'
import { z } from 'zod'

/** A request that is no message: `status` and the text are the answer. */
export class NoMessage extends Error {
  override readonly name = 'NoMessage'
  readonly code = 'no_message'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** An order of a few hundred lines has a tenth of this. */
export const LARGEST_BODY_BYTES = 2 ** 20

/** Takes the bytes of a body, whatever their type. */
export const takeBody = express.raw({ type: () => true, limit: LARGEST_BODY_BYTES })

const tooLarge = z.object({ type: z.literal('entity.too.large') })

/** What `takeBody` has thrown, saying how much is taken where it was too much. */
export function bodyRefused(error: unknown): unknown {
  return tooLarge.safeParse(error).success
    ? new NoMessage(413, `The body is larger than ${LARGEST_BODY_BYTES} bytes, the most that is taken.`)
    : error
}

const JSON_TYPE = /^application\/([\w.-]+\+)?json\s*(;|$)/i
const OTHER_CHARSET = /;\s*charset\s*=\s*(?!"?utf-?8"?\s*(;|$))/i

/** Messages nest about ten levels deep. */
const DEEPEST = 100
const SHOWN_OF_A_DEEP_PATH = 3

/**
 * The JSON value of a body, all of whose texts PostgreSQL can store. Of a key that comes twice the last one counts.
 * `form` is what it must be. @throws NoMessage 415, 406 for what is not JSON (protocol §3.1), 400 for JSON that cannot be kept.
 */
export function readBody(body: unknown, contentType: string | undefined, form: string): unknown {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
  const type = contentType ?? ''
  if (bytes.length > 0 && (!JSON_TYPE.test(type) || OTHER_CHARSET.test(type)))
    throw new NoMessage(415, 'The Content-Type must be application/json, in UTF-8.')
  const value = parseJson(bytes, form)
  refuseUnfit(value, [])
  return value
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseJson(bytes: Buffer, form: string): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    const what = bytes.length === 0 ? 'is empty' : 'is not valid JSON in UTF-8'
    throw new NoMessage(406, `The body ${what}: it must be a JSON object ${form}.`)
  }
}

function refuseUnfit(value: unknown, path: PropertyKey[]): void {
  if (typeof value === 'string') refuseText(value, path)
  if (typeof value !== 'object' || value === null) return
  if (path.length >= DEEPEST) {
    const where = z.core.toDotPath(path.slice(0, SHOWN_OF_A_DEEP_PATH))
    throw new NoMessage(400, `${where}: is nested deeper than ${DEEPEST} levels.`)
  }
  for (const [key, part] of Object.entries(value)) {
    if (!Array.isArray(value)) refuseText(key, path)
    path.push(Array.isArray(value) ? Number(key) : key)
    refuseUnfit(part, path)
    path.pop()
  }
}

/** PostgreSQL takes neither; the driver would even put another character in the place of half a pair. */
function refuseText(text: string, path: readonly PropertyKey[]): void {
  const what = text.includes('\0')
    ? 'a NUL character'
    : !text.isWellFormed()
      ? 'half of a surrogate pair'
      : undefined
  if (what === undefined) return
  const where = path.length === 0 ? 'the message' : z.core.toDotPath(path)
  throw new NoMessage(400, `${where}: contains ${what}, which PostgreSQL cannot store.`)
}
