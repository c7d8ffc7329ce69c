import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import type { Columns } from '../columns.ts'
import { quoteName } from '../json-sql.ts'
import type { Warn } from './import-references.ts'
import type { ImportedAddress, SaidNames } from './imported-order.ts'
import type { Row } from './insert-rows.ts'
import { NotApplicable } from './not-applicable.ts'

type Place = Readonly<{
  countryId: string | null
  countryHasStates: boolean
  stateId: string | null
  stateCode: string | null
}>

/**
 * The row of an address, in the columns of all families: country and state by the rows of the store, or by code where
 * it has none (6.0). @throws NotApplicable for a country that is none.
 */
export async function addressRow(
  db: Db,
  columns: Columns,
  address: ImportedAddress,
  warn: Warn,
): Promise<Row> {
  const byCode = columns.has('spree_addresses', 'country_code')
  const place = await findPlace(db, columns, address)
  if (byCode ? !isCountry(address.country) : place.countryId === null) {
    throw new NotApplicable(
      'unknown_country',
      `The order cannot be imported: ${byCode ? 'there is' : 'this store has'} no country ${address.country}.`,
    )
  }
  const stateCode = place.stateCode ?? codeLike(address.state)
  const isFound = byCode ? stateCode !== null : place.stateId !== null
  if (address.state !== null && !isFound && place.countryHasStates) {
    warn(
      'state was not found',
      `this store knows no state ${address.state} in ${address.country}; it was kept as text`,
    )
  }
  return {
    ...names(columns, address),
    company: address.company,
    address1: address.address1,
    address2: address.address2,
    city: address.city,
    zipcode: address.zipcode,
    postal_code: address.zipcode,
    phone: address.phone,
    state_name: isFound ? null : address.state,
    ...(byCode
      ? { country_code: address.country, state_code: stateCode }
      : { country_id: place.countryId, state_id: place.stateId }),
  }
}

/** Solidus has one name since 2.11, and leaves the old two empty. */
function names(columns: Columns, { firstname, lastname }: ImportedAddress): Row {
  if (columns.has('spree_addresses', 'name')) return { name: `${firstname} ${lastname}`.trim() }
  return { firstname, lastname, first_name: firstname, last_name: lastname }
}

const NOWHERE: Place = { countryId: null, countryHasStates: false, stateId: null, stateCode: null }

/** The names said, and for one that is not that of the address `id`. Where both are one, they are kept or said together. */
export async function namesBeside(
  db: Db,
  columns: Columns,
  id: string | null,
  { firstname, lastname }: SaidNames,
): Promise<Pick<ImportedAddress, keyof SaidNames>> {
  const has = (name: string) => columns.has('spree_addresses', name)
  const said = { firstname: firstname ?? '', lastname: lastname ?? '' }
  if (has('name') && (firstname ?? lastname) !== null) return said
  const [first, last] = has('name')
    ? ['name', `''`]
    : has('first_name')
      ? ['first_name', 'last_name']
      : ['firstname', 'lastname']
  const { rows } = await queryPrepared<SaidNames>(
    db,
    `select ${first} as firstname, ${last} as lastname
       from ${quoteName(columns.schema)}.spree_addresses
      where id = $1::bigint`,
    [id],
  )
  return {
    firstname: firstname ?? rows[0]?.firstname ?? '',
    lastname: lastname ?? rows[0]?.lastname ?? '',
  }
}

async function findPlace(db: Db, columns: Columns, address: ImportedAddress): Promise<Place> {
  if (!columns.has('spree_countries') || !columns.has('spree_states')) return NOWHERE
  const schema = quoteName(columns.schema)
  const { rows } = await queryPrepared<Place>(
    db,
    `select c.id::text as "countryId",
            exists (select from ${schema}.spree_states s where s.country_id = c.id) as "countryHasStates",
            state.id::text as "stateId",
            state.abbr as "stateCode"
       from ${schema}.spree_countries c
       left join lateral (
         select s.id, s.abbr
           from ${schema}.spree_states s
          where s.country_id = c.id
            and lower($2) in (lower(s.name), lower(s.abbr))
          order by s.id
          limit 1
       ) state on true
      where c.iso = $1
      order by c.id
      limit 1`,
    [address.country, address.state],
  )
  return rows[0] ?? NOWHERE
}

/** Where the store keeps no states, a text that looks like a code is one. */
function codeLike(state: string | null): string | null {
  return state !== null && /^[A-Za-z0-9]{1,3}$/.test(state) ? state.toUpperCase() : null
}

const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' })

function isCountry(code: string): boolean {
  return code !== 'ZZ' && regions.of(code) !== undefined
}
