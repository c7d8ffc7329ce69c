import { z } from 'zod'

/** The raw form of a decimal: `"99.95"`. */
export const decimalText = z.string().regex(/^-?\d+(\.\d+)?$/)

/** ISO 8601 with zone; milliseconds where they are known. */
export const wireTimeText = z.iso.datetime({ offset: true })

export const text = z.string().nullable()
