import { z } from 'zod'

import { addressSnapshotSchema } from './address-snapshot.ts'
import { id, text, time } from './texts.ts'

/** Of whoever has an account, without anything that lets one in: no digest, token, secret or trace of a login. */
export const customerSnapshotSchema = z.object({
  id,
  email: text,
  login: text,
  firstName: text,
  lastName: text,
  phone: text,
  createdAt: time.nullable(),
  updatedAt: time.nullable(),
  deletedAt: time.nullable(),
  /** The defaults, not all those that the customer ever used. */
  billAddress: addressSnapshotSchema.nullable(),
  shipAddress: addressSnapshotSchema.nullable(),
  /** What the family says beyond the common words, under its own names. */
  extras: z.record(z.string(), z.unknown()),
})
