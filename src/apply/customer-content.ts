import type { CustomerInbound } from '../messages/schemas/wombat-inbound.ts'
import type { CustomerContent } from '../store/writes/put-customer.ts'

/** The names of the customer are those of both addresses. */
export function customerContent({ customer }: CustomerInbound): CustomerContent {
  const { email, firstname, lastname, shipping_address, billing_address } = customer
  return {
    email: email.trim(),
    firstname,
    lastname,
    shippingAddress: { firstname, lastname, ...shipping_address },
    billingAddress: { firstname, lastname, ...billing_address },
  }
}
