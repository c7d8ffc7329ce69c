import { z } from 'zod'

// The scalar words of the snapshots. Ids and decimals are texts, so that nothing is lost between numeric, bigint and
// JavaScript; what passes here has a form on the wire.

/** Up to 15 digits: a JSON number tells them exactly. */
export const id = z.string().regex(/^\d{1,15}$/, 'not an id of up to 15 digits')

export const decimal = z.string().regex(/^-?\d+(\.\d+)?$/, 'not a decimal')

/** As PostgreSQL writes times into JSON: without zone (UTC), or with one. Years of more or fewer digits have no such form. */
export const time = z
  .string()
  .regex(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?$/,
    'not a time between the years 1 and 9999',
  )

export const text = z.string().nullable()
