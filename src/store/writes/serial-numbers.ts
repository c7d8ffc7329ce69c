import type { Db } from '../../postgres/pool.ts'
import { quoteName } from '../json-sql.ts'
import type { Serials } from './confirmed-shipment.ts'
import type { Shipment } from './find-shipment.ts'
import { NOW } from './rows.ts'
import type { Shop } from './shop.ts'

type Unit = { id: string; quantity: number; serial: string | null }

/**
 * Gives the pieces of a shipment their serial numbers (protocol §7.5): `spree_inventory_units.serial_number`, of the
 * variant whose `external_ref` is the part number. Both are columns that a store has added for itself. One that a piece of
 * the variant has already is not given again; a unit of several pieces is split, as each has its own.
 * @returns whether any was written, and in words what was not.
 */
export async function writeSerials(
  db: Db,
  shop: Shop,
  shipment: Shipment,
  serials: readonly Serials[],
): Promise<Readonly<{ written: boolean; left: readonly string[] }>> {
  const given = serials.filter(({ serialNumbers }) => serialNumbers.length > 0)
  const missing = missingColumns(shop)
  if (given.length > 0 && missing.length > 0) {
    const numbers = given.flatMap(({ serialNumbers }) => serialNumbers).join(', ')
    return {
      written: false,
      left: [`serial numbers ${numbers}: this store has no column ${missing.join(', ')}`],
    }
  }
  let written = false
  const left: string[] = []
  for (const { partNumber, serialNumbers } of given) {
    const units = await unitsOf(db, shop, shipment.id, partNumber)
    if (units.length === 0) {
      left.push(`serial numbers ${serialNumbers.join(', ')}: nothing in it has external_ref ${partNumber}`)
      continue
    }
    const known = new Set(units.map(({ serial }) => serial))
    const fresh = [...new Set(serialNumbers)].filter((serial) => !known.has(serial))
    const rest = await giveOut(db, shop, units, fresh)
    written ||= rest.length < fresh.length
    if (rest.length > 0)
      left.push(`serial numbers ${rest.join(', ')}: more than pieces of ${partNumber} without one`)
  }
  return { written, left }
}

function missingColumns({ columns, units }: Shop): string[] {
  return [
    ...(columns.has(units, 'serial_number') ? [] : [`${units}.serial_number`]),
    ...(columns.has('spree_variants', 'external_ref') ? [] : ['spree_variants.external_ref']),
  ]
}

async function unitsOf(db: Db, shop: Shop, shipmentId: string, partNumber: string): Promise<Unit[]> {
  const quantity = shop.columns.has(shop.units, 'quantity') ? 'coalesce(u.quantity, 1)' : '1'
  const { rows } = await db.query<Unit>(
    `select u.id::text, ${quantity} as quantity, nullif(u.serial_number, '') as serial
       from ${shop.table(shop.units)} u
       join ${shop.table('spree_variants')} v on v.id = u.variant_id
      where u.${shop.unitShipment} = $1::bigint
        and v.external_ref = $2
      order by u.id
        for no key update of u`,
    [shipmentId, partNumber],
  )
  return rows
}

/** @returns those for which there was no piece. */
async function giveOut(
  db: Db,
  shop: Shop,
  units: readonly Unit[],
  serials: readonly string[],
): Promise<readonly string[]> {
  let rest = serials
  for (const unit of units) {
    if (unit.serial !== null || rest.length === 0) continue
    const own = rest.slice(0, unit.quantity)
    rest = rest.slice(own.length)
    // With a serial for each piece the unit itself keeps the last.
    const split = own.length < unit.quantity ? own : own.slice(0, -1)
    if (split.length > 0) await splitOff(db, shop, unit.id, split)
    if (split.length < own.length)
      await db.query(
        `update ${shop.table(shop.units)} set serial_number = $2, updated_at = ${NOW} where id = $1::bigint`,
        [unit.id, own.at(-1)],
      )
  }
  return rest
}

async function splitOff(db: Db, shop: Shop, unitId: string, serials: readonly string[]): Promise<void> {
  const own = new Set(['id', 'quantity', 'serial_number', 'created_at', 'updated_at'])
  const copied = shop.columns
    .of(shop.units)
    .filter((name) => !own.has(name))
    .map(quoteName)
    .join(', ')
  await db.query(
    `with kept as (
       update ${shop.table(shop.units)}
          set quantity = quantity - cardinality($2::text[]), updated_at = ${NOW}
        where id = $1::bigint
     )
     insert into ${shop.table(shop.units)} (${copied}, quantity, serial_number, created_at, updated_at)
     select ${copied}, 1, serial, ${NOW}, ${NOW}
       from ${shop.table(shop.units)}
      cross join unnest($2::text[]) serial
      where id = $1::bigint`,
    [unitId, serials],
  )
}
