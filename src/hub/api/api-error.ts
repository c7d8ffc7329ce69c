import type { ErrorRequestHandler } from 'express'
import { z } from 'zod'

/** What is wrong with each field of a resource: `{"url": ["must begin with http:// or https://"]}`. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>

/** What the hub's API answers to a call that it does not serve: `{error}`, and `{error, errors}` for 422 (protocol §2.1). */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly errors: FieldErrors | undefined

  constructor(status: number, message: string, errors?: FieldErrors) {
    super(message)
    this.status = status
    this.errors = errors
  }
}

export const invalidToken = () => new ApiError(401, 'Token is invalid.')
export const storeNotFound = () => new ApiError(404, 'Store not found.')
export const notFound = () => new ApiError(404, 'The resource you were looking for could not be found.')
export const invalidObject = (errors: FieldErrors) => new ApiError(422, 'Invalid object.', errors)

/** The value by its schema. @throws ApiError 422, each complaint under the name of its field, with the way to what is within it */
export function parseObject<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const errors: Record<string, string[]> = {}
  for (const { path, message } of parsed.error.issues) {
    const [field = 'base', ...within] = path.map(String)
    errors[field] = [
      ...(errors[field] ?? []),
      [...(within.length > 0 ? [within.join('.')] : []), message].join(' '),
    ]
  }
  throw invalidObject(errors)
}

/** What body-parser says of a body that it did not read. */
const unreadBody = z.object({ status: z.int().min(400).max(499), type: z.string() })

const UNREAD: Readonly<Record<string, string>> = {
  'entity.too.large': 'The body is larger than the 1 MB that are taken: nothing of it was read.',
  'encoding.unsupported': 'The Content-Encoding is not known: send the body as it is, or compressed by gzip.',
  'request.size.invalid': 'The body does not have the Content-Length that was announced.',
}

export const answerApiError: ErrorRequestHandler = (error, _request, response, next) => {
  if (error instanceof ApiError) {
    const { status, message, errors } = error
    response.status(status).json({ error: message, ...(errors && { errors }) })
    return
  }
  const unread = unreadBody.safeParse(error)
  const said = unread.data && UNREAD[unread.data.type]
  if (unread.data && said) response.status(unread.data.status).json({ error: said })
  else next(error)
}
