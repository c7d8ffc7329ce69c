import { z } from 'zod'

import { ownAddress, rawAddress } from './raw-address.ts'
import type { CustomerPayload } from './schemas/customer-message.ts'
import { parseSnapshot } from './snapshot.ts'
import { customerSnapshotSchema } from './snapshots/customer-snapshot.ts'
import type { StateKind } from './state-kind.ts'
import { wireId, wireOptionalTime } from './wire.ts'

type CustomerSnapshot = Readonly<z.infer<typeof customerSnapshotSchema>>

const naturalKeySchema = z.object({
  id: z.string(),
  email: z.string().nullable(),
  login: z.string().nullable(),
})

/**
 * Customers are those who have an account, staff among them where the store keeps them in the same table. A closed account
 * is a `user:updated` with `deleted_at`, softly or from its keys alone.
 */
export const customerKind: StateKind = {
  kind: 'customer',
  types: { first: 'user:new', later: 'user:updated' },
  read(id, json) {
    const customer = parseSnapshot(customerSnapshotSchema, 'customer', id, json)
    if (customer instanceof Error) return customer
    const payload = customerPayload(customer)
    return {
      payload,
      content: {
        ...payload,
        bill_address: ownAddress(payload.bill_address),
        ship_address: ownAddress(payload.ship_address),
      },
      naturalKey: JSON.stringify({ id, email: customer.email, login: customer.login }),
      deleted: customer.deletedAt !== null,
      formerKeys(known) {
        const { email } = naturalKeySchema.parse(JSON.parse(known))
        return email === customer.email ? {} : { previous_email: email }
      },
    }
  },
  removed(naturalKey, at): CustomerPayload {
    const { id, email, login } = naturalKeySchema.parse(JSON.parse(naturalKey))
    return {
      id: wireId(id),
      email,
      login,
      first_name: null,
      last_name: null,
      phone: null,
      created_at: null,
      updated_at: null,
      deleted_at: at.toISOString(),
      bill_address: null,
      ship_address: null,
    }
  },
}

function customerPayload(customer: CustomerSnapshot): CustomerPayload {
  return {
    id: wireId(customer.id),
    email: customer.email,
    login: customer.login,
    first_name: customer.firstName,
    last_name: customer.lastName,
    phone: customer.phone,
    created_at: wireOptionalTime(customer.createdAt),
    updated_at: wireOptionalTime(customer.updatedAt),
    deleted_at: wireOptionalTime(customer.deletedAt),
    bill_address: customer.billAddress && rawAddress(customer.billAddress),
    ship_address: customer.shipAddress && rawAddress(customer.shipAddress),
    ...customer.extras,
  }
}
