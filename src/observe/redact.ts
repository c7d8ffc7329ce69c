import { isNativeError } from 'node:util/types'

const secretKey =
  /token|authori[sz]ation|passw|passphrase|secret|cookie|credential|(api|access|private)[-_]?key/i
const passwordInAddress = /([a-z][a-z0-9+.-]*:\/\/[^\s:/]*):.+@/gi
const secretInQuery = /([?&][a-z_-]*(?:password|token|secret)[a-z_-]*=)[^&\s]+/gi

// Deep enough for any line we write; an object that contains itself ends here.
const DEEPEST = 6

/** Hides the password of every address in a text: `postgres://user:***@host/db`. */
export function maskPasswords(text: string): string {
  if (!text.includes('://')) return text
  // Up to the last @ of the line: an unescaped password is hidden whole, whatever stands in it; at worst too much is.
  return text.replace(passwordInAddress, '$1:***@').replace(secretInQuery, '$1***')
}

/** Hides the password of a value that is one address: what would end it in a text does not end it here. */
export function maskAddress(address: string): string {
  return address
    .replace(/^([^:]*:\/\/[^:]*):.+@/s, '$1:***@')
    .replace(/([?&][^=&]*(?:password|token|secret)[^=&]*=)[^&]+/gi, '$1***')
}

/** A copy of a value fit for a log line: secrets hidden at any depth, errors told in short, always valid JSON. */
export function toLoggable(value: unknown, withStacks: boolean, depth = 0): unknown {
  if (typeof value === 'string') return maskPasswords(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEEPEST) return '[deeper]'
  if (isError(value)) return errorFields(value, withStacks, depth)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString()
  if (value instanceof URL) return maskPasswords(value.href)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) return value.map((item) => toLoggable(item, withStacks, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key,
      isSecret(key, field) ? '[hidden]' : toLoggable(field, withStacks, depth + 1),
    ]),
  )
}

function isSecret(key: string, field: unknown): boolean {
  return secretKey.test(key) && typeof field !== 'boolean' && field !== null && field !== undefined
}

// Errors of another realm (a vm, as in tests) are no instanceof Error.
function isError(value: object): value is Error {
  return value instanceof Error || isNativeError(value)
}

/**
 * Only what is ours to tell: an error of a library drags along requests, rows and headers.
 * An error without a code is no failure anybody foresaw, so its stack is told at any level.
 */
function errorFields(error: Error, withStacks: boolean, depth: number): Record<string, unknown> {
  const code = 'code' in error && ['string', 'number'].includes(typeof error.code) ? error.code : undefined
  const parts: unknown[] = 'errors' in error && Array.isArray(error.errors) ? error.errors : []
  return {
    ...(error.name === 'Error' ? {} : { name: error.name }),
    ...(code === undefined ? {} : { code }),
    message: maskPasswords(error.message),
    ...(withStacks || code === undefined ? { stack: maskPasswords(error.stack ?? '') } : {}),
    ...(parts.length === 0 ? {} : { errors: parts.map((part) => toLoggable(part, withStacks, depth + 1)) }),
    ...(error.cause === undefined ? {} : { cause: toLoggable(error.cause, withStacks, depth + 1) }),
  }
}
