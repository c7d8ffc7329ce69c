import { z } from 'zod'

/** The raw form of a decimal: `"99.95"`. */
export const decimalText = z.string().regex(/^-?\d+(\.\d+)?$/, 'must be a decimal')

/** A decimal as stores and consumers have sent it: text or number (protocol §11, 35). */
export const anyDecimal = z.union([
  decimalText.refine((decimal) => Number.isFinite(Number(decimal)), 'more than a JSON number can hold'),
  z.number(),
])

/** ISO 8601 with zone; milliseconds where they are known. */
export const wireTimeText = z.iso.datetime({ offset: true })

/** As `wireTimeText`, or without zone, which is UTC (protocol §11, 37). */
export const anyTime = z.iso.datetime({ offset: true, local: true })

export const text = z.string().nullable()
