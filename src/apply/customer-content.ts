import type { CustomerInbound } from '../messages/schemas/wombat-inbound.ts'
import type { CustomerContent } from '../store/writes/put-customer.ts'

export function customerContent({ customer }: CustomerInbound): CustomerContent {
  const { email, firstname, lastname, shipping_address, billing_address } = customer
  return {
    email: email.trim(),
    firstname,
    lastname,
    shippingAddress: shipping_address,
    billingAddress: billing_address,
  }
}
