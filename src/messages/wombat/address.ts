import type { RawAddress } from '../raw-address.ts'
import type { CustomerObject, OrderObject } from '../schemas/object-messages.ts'

/** Of an order and its shipments: the state by its abbreviation. */
export function objectAddress(address: RawAddress | null): OrderObject['shipping_address'] {
  return (
    address && {
      firstname: address.firstname,
      lastname: address.lastname,
      ...placeOf(address, address.state?.abbr ?? address.state_name),
      company: address.company,
    }
  )
}

/** Of a customer, by whose handlers a state is found by its full name alone (protocol §9.4). */
export function customerAddress(address: RawAddress | null): CustomerObject['shipping_address'] {
  return address && placeOf(address, address.state?.name ?? address.state_name ?? address.state?.abbr ?? null)
}

function placeOf(address: RawAddress, state: string | null) {
  return {
    address1: address.address1,
    address2: address.address2,
    zipcode: address.zipcode,
    city: address.city,
    state,
    country: address.country?.iso ?? null,
    phone: address.phone,
  }
}
