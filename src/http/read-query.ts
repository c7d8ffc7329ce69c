import { z } from 'zod'
import { Refusal } from './refusal.ts'

/** The query of a request by its schema. @throws Refusal 400 that says which part is wrong and why */
export function readQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  if (JSON.stringify(query).includes('\\u0000'))
    throw new Refusal(400, 'The query has a NUL character in it.')
  const read = schema.safeParse(query)
  if (read.success) return read.data
  throw new Refusal(400, `The query is not understood. ${z.prettifyError(read.error).replaceAll('\n', ' ')}`)
}

/** `state=failing,parked` */
export function wordsOf<const Words extends readonly string[]>(words: Words) {
  return z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(words)))
    .optional()
}

export const anyWords = z
  .string()
  .transform((list) => list.split(','))
  .optional()

/** A time, as ISO 8601 has it. */
export const moment = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .optional()

export const pageLimit = z.coerce.number().int().min(1).max(500).default(50)

export const decimalId = z.string().regex(/^\d{1,18}$/, 'Ids are numbers.')
