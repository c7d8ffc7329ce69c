import type { CustomerPayload } from '../schemas/customer-message.ts'
import type { CustomerObject } from '../schemas/object-messages.ts'
import { customerAddress } from './address.ts'

/**
 * The customer in the form of the hub's own sample; no store ever had a serializer (protocol §9.5). A closed account has no
 * form, and neither has one without the e-mail address by which its handlers find it: undefined.
 */
export function customerObject(customer: CustomerPayload): CustomerObject | undefined {
  const { email, deleted_at, bill_address, ship_address } = customer
  if (email === null || deleted_at !== null) return undefined
  const address = ship_address ?? bill_address
  return {
    id: String(customer.id),
    firstname: customer.first_name ?? address?.firstname ?? null,
    lastname: customer.last_name ?? address?.lastname ?? null,
    email,
    shipping_address: customerAddress(ship_address),
    billing_address: customerAddress(bill_address),
  }
}
