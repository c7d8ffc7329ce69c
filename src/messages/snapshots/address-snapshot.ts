import { z } from 'zod'

import { id, text } from './texts.ts'

export const addressSnapshotSchema = z.object({
  id,
  firstname: text,
  lastname: text,
  address1: text,
  address2: text,
  city: text,
  zipcode: text,
  phone: text,
  company: text,
  alternativePhone: text,
  stateName: text,
  countryId: id.nullable(),
  stateId: id.nullable(),
  /** Without id and names where the family knows countries and states by their codes alone. */
  country: z
    .object({
      id: id.nullable(),
      isoName: text,
      iso: text,
      iso3: text,
      name: text,
      numcode: z.int().nullable(),
    })
    .nullable(),
  state: z.object({ id: id.nullable(), name: text, abbr: text, countryId: id.nullable() }).nullable(),
})

export type AddressSnapshot = Readonly<z.infer<typeof addressSnapshotSchema>>
