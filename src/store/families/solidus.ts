import type { Columns } from '../columns.ts'
import type { FamilyName } from '../detect-family.ts'
import type { Family } from '../family.ts'
import { jsonRows, quoteName } from '../json-sql.ts'
import { watch } from '../watched.ts'
import { moneyInRows, type Parts, spree4 } from './spree-4.ts'

/**
 * Solidus from 2.x to 4.x, which parted from Spree 2.4: a unit is one piece and belongs to its shipment alone, a person has
 * one name, and what left the house stands in cartons.
 */
export function solidus(columns: Columns, name: FamilyName, told: Readonly<{ carts: boolean }>): Family {
  const family = spree4(columns, name, told, moneyInRows, partsOf(columns))
  return {
    ...family,
    watched: [
      ...family.watched,
      // As addresses: it matters once units are in it, and then only its updates do.
      ...watch(columns, 'spree_cartons', {
        kind: 'order',
        owner: 'carton',
        operations: ['update'],
        only: ['number', 'external_number', 'tracking', 'shipped_at'],
      }),
    ],
  }
}

function partsOf(columns: Columns): Parts {
  const schema = quoteName(columns.schema)
  return {
    ...names(columns),
    mandatory: columns.has('spree_adjustments', 'mandatory') ? 'a.mandatory' : 'null as "mandatory"',
    // From 4.4 on the core has the eligible ones only; extensions may keep the column.
    eligible: `${columns.has('spree_adjustments', 'eligible') ? 'coalesce(a.eligible, true)' : 'true'} as "eligible"`,
    unitOrder: 's.order_id::text as "orderId"',
    shipmentExtras: [
      `${jsonRows(`
                     select c.id::text as "id",
                            c.number,
                            c.external_number as "externalNumber",
                            c.tracking,
                            c.shipped_at as "shippedAt"
                       from ${schema}.spree_cartons c
                      where c.id in (select u.carton_id from ${schema}.spree_inventory_units u where u.shipment_id = s.id)
                      order by c.id`)} as "cartons"`,
    ],
  }
}

/** Since 2.11 the whole name of an address `a` is in one column, and rows from before may have the two old ones alone. */
function names(columns: Columns): Pick<Parts, 'firstname' | 'lastname'> {
  if (!columns.has('spree_addresses', 'name')) return { firstname: 'a.firstname', lastname: 'a.lastname' }
  const whole = `regexp_split_to_array(btrim(regexp_replace(a.name, '\\s+', ' ', 'g')), ' ')`
  const old = (name: string) => (columns.has('spree_addresses', name) ? `a.${name}` : 'null')
  const either = (part: string, name: string) =>
    `case when btrim(a.name) <> '' then ${part} else ${old(name)} end as "${name}"`
  return {
    firstname: either(`(${whole})[1]`, 'firstname'),
    lastname: either(`array_to_string((${whole})[2:], ' ')`, 'lastname'),
  }
}
