import { z } from 'zod'

import { addressSchema } from './order-parts.ts'
import { text, wireTimeText } from './scalars.ts'

/** `user:new` and `user:updated` as the bridge announces them (protocol §6.7): every key is there but `previous_email`. */
export const announcedCustomerSchema = z.looseObject({
  id: z.int(),
  email: text,
  login: text,
  first_name: text,
  last_name: text,
  phone: text,
  created_at: wireTimeText.nullable(),
  updated_at: wireTimeText.nullable(),
  /** Set where the account is closed. */
  deleted_at: wireTimeText.nullable(),
  /** The raw form, as in a raw order. */
  bill_address: addressSchema.nullable(),
  ship_address: addressSchema.nullable(),
  /** Only where the e-mail address, by which consumers know a customer, has changed since it was last announced. */
  previous_email: text.optional(),
})

export type CustomerPayload = z.infer<typeof announcedCustomerSchema>
