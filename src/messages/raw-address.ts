import type { z } from 'zod'

import type { addressSchema } from './schemas/order-parts.ts'
import type { AddressSnapshot } from './snapshots/address-snapshot.ts'
import { wireId, wireOptionalId } from './wire.ts'

export type RawAddress = z.infer<typeof addressSchema>

export function rawAddress(address: AddressSnapshot): RawAddress {
  return {
    id: wireId(address.id),
    firstname: address.firstname,
    lastname: address.lastname,
    address1: address.address1,
    address2: address.address2,
    city: address.city,
    zipcode: address.zipcode,
    phone: address.phone,
    company: address.company,
    alternative_phone: address.alternativePhone,
    country_id: wireOptionalId(address.countryId),
    state_id: wireOptionalId(address.stateId),
    state_name: address.stateName,
    country: rawCountry(address.country),
    state: rawState(address.state),
  }
}

export function rawCountry(country: AddressSnapshot['country']): RawAddress['country'] {
  return (
    country && {
      id: wireOptionalId(country.id),
      iso_name: country.isoName,
      iso: country.iso,
      iso3: country.iso3,
      name: country.name,
      numcode: country.numcode,
    }
  )
}

export function rawState(state: AddressSnapshot['state']): RawAddress['state'] {
  return (
    state && {
      id: wireOptionalId(state.id),
      name: state.name,
      abbr: state.abbr,
      country_id: wireOptionalId(state.countryId),
    }
  )
}

/**
 * What of an address is its own, for a digest: where countries and states are rows their ids lead to them; elsewhere the
 * address has their codes itself.
 */
export function ownAddress(address: RawAddress | null): unknown {
  if (!address) return null
  const { country_id, state_id, country, state } = address
  return {
    ...address,
    country: country_id === null ? country?.iso : undefined,
    state: state_id === null ? state?.abbr : undefined,
  }
}
