import { z } from 'zod'

// What a hub sends and a column of a store is to hold.

/** Text that PostgreSQL can hold, as long as a column of a store may be. */
export const text = z.string().refine((value) => !value.includes('\0'), 'must not contain a NUL character')
export const short = text.max(255)
export const name = text.transform((value) => value.trim()).pipe(z.string().min(1).max(255))

/** Of the columns that hold levels and quantities. */
export const pieces = z.int().min(-2_147_483_648).max(2_147_483_647)

/** Money and measures: a decimal as text, as the protocol writes it, or as a number. Returns the text. */
const decimal = z
  .union([z.string(), z.number().transform(String)])
  .pipe(
    z
      .string()
      .regex(
        /^\d{1,8}(\.\d{1,12})?$/,
        'must be a decimal of at most eight digits before the point, and not negative',
      ),
  )
export const measure = decimal.refine((value) => Number(value) < 999_999.995, 'must be less than a million')
export const money = decimal.refine(
  (value) => Number(value) < 99_999_999.995,
  'must be less than a hundred million',
)

export const currency = z.string().regex(/^[A-Z]{3}$/)

/** A time with zone; returned in UTC. */
export const time = z.iso.datetime({ offset: true }).transform((value) => new Date(value).toISOString())

/** Of when an update is, in UTC; whole seconds stay such. Another text says nothing of that. */
export const updateTime = z.iso
  .datetime({ offset: true })
  .transform((value) => {
    const utc = new Date(value).toISOString()
    return value.includes('.') ? utc : utc.replace('.000Z', 'Z')
  })
  .nullish()
  .catch(undefined)
