import { apportion } from '../../messages/amount.ts'
import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import type { Columns } from '../columns.ts'
import { quoteName } from '../json-sql.ts'
import type { Store } from '../store.ts'
import { type Location, lockLevels, readLocations, type StockLevels, type Wanted } from './import-levels.ts'
import type { Variant, Warn } from './import-references.ts'
import type { ImportWords } from './import-words.ts'
import type { ImportedParcels, ImportedShipment } from './imported-order.ts'
import { insertRows, type Row } from './insert-rows.ts'
import { NotApplicable } from './not-applicable.ts'
import { type Shop, shopOf } from './shop.ts'
import { type Parcel, splitByCategory, spreadPieces } from './spread-pieces.ts'
import { lockStock, makeStock, type StockLocation } from './stock-place.ts'
import { touchWithStock } from './touch.ts'

/** A shipment with its place, and which of its pieces are there. */
export type PlacedShipment = ImportedShipment &
  Readonly<{
    locationId: string
    units: readonly Readonly<{ line: number; quantity: number; state: 'on_hand' | 'backordered' }>[]
  }>

export type Placement = Readonly<{ shipments: readonly PlacedShipment[]; levels: StockLevels }>

/**
 * Finds each shipment's place: the one it names, else of the store's that keep its goods the first that has all of it (the
 * default before the others), else the first that may owe what is missing. An order that names no shipments is parcelled,
 * its cost shared out evenly: by places where none has all of it, and by shipping categories. Locks the levels of the
 * lines' variants, in the order of their ids.
 * `variants` are in the order of the lines. @throws NotApplicable where there is too little.
 */
export async function placeShipments(
  db: Db,
  columns: Columns,
  words: ImportWords,
  storeId: string | null,
  order: ImportedParcels,
  variants: readonly Variant[],
  warn: Warn,
): Promise<Placement> {
  const locations = await readLocations(db, columns, storeId)
  const levels = await lockLevels(db, columns, words, locations, variants)
  const shipments = order.shipments.flatMap((shipment) => {
    const named = locations.find(({ names }) => names.includes(shipment.stockLocation?.toLowerCase() ?? ''))
    if (shipment.stockLocation !== null && !named) {
      warn(
        'stock location was not found',
        `this store has none named ${shipment.stockLocation}; one that has the goods was taken`,
      )
    }
    const wanted = wantedOf(shipment, variants)
    const candidates = named ? [named] : locations
    const keepers = candidates.filter((one) =>
      wanted.every(({ variant }) => levels.keeps(one, variant, candidates)),
    )
    const whole = (
      places: readonly Location[],
      serves: (one: Location, goods: Wanted) => boolean,
    ): Parcel[] | undefined => {
      const location = places.find((one) => wanted.every((goods) => serves(one, goods)))
      return location && [{ location, items: shipment.items }]
    }
    const packed =
      whole(keepers, (one, goods) => levels.has(one, goods)) ??
      (order.namesShipments
        ? whole(
            // A parcel that is said to be one is sent from one place, also where none keeps all of it.
            keepers.length > 0 ? keepers : candidates,
            (one, goods) => levels.has(one, goods) || levels.mayOwe(one, goods),
          )
        : spreadPieces(shipment.items, variants, candidates, levels))
    if (!packed) throw tooLittle(order, named?.name, wanted)
    const parcels = order.namesShipments
      ? packed
      : packed.flatMap((parcel) => splitByCategory(parcel, variants))
    const costs = apportion(
      shipment.cost,
      parcels.map(() => 1n),
    )
    return parcels.map(({ location, items }, index) => ({
      ...shipment,
      items,
      cost: costs[index] ?? 0n,
      locationId: location.id,
      units: items.flatMap(({ line, quantity }) => {
        const onHand = levels.take(location, variants[line], quantity)
        return [
          { line, quantity: onHand, state: 'on_hand' as const },
          { line, quantity: quantity - onHand, state: 'backordered' as const },
        ].filter((unit) => unit.quantity > 0)
      }),
    }))
  })
  return { shipments, levels }
}

function wantedOf(shipment: ImportedShipment, variants: readonly Variant[]): Wanted[] {
  const wanted = new Map<string, Wanted>()
  for (const { line, quantity } of shipment.items) {
    const variant = variants[line]
    if (!variant) throw new Error(`The order has no line ${line}.`)
    wanted.set(variant.id, { variant, quantity: quantity + (wanted.get(variant.id)?.quantity ?? 0) })
  }
  return [...wanted.values()]
}

function tooLittle(
  order: ImportedParcels,
  named: string | undefined,
  wanted: readonly Wanted[],
): NotApplicable {
  const together = order.namesShipments ? 'in one stock location' : 'in all stock locations together'
  const where = named === undefined ? together : `in ${named}`
  const goods = wanted.map(({ variant, quantity }) => `${quantity} of ${variant.sku}`).join(', ')
  return new NotApplicable(
    'insufficient_stock',
    `Order ${order.number} cannot be imported: ${where} there are not ${goods} free, and not all of what is missing may be backordered.`,
  )
}

/**
 * Moves what the shipments hold: a movement per shipment and line, the levels of what is counted, and the times by which
 * the shop's caches know that a variant changed. `shipmentIds` are in the order of the shipments.
 */
export async function takeStock(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  words: ImportWords,
  placement: Placement,
  variants: readonly Variant[],
  ids: Readonly<{ orderId: string; shipmentIds: readonly string[]; at: string }>,
): Promise<void> {
  const { columns } = store
  const shop = shopOf(store)
  const { column, sign } = words.taken
  const movements: Row[] = []
  const changes = new Map<string, number>()
  for (const [index, shipment] of placement.shipments.entries()) {
    const shipmentId = ids.shipmentIds[index] ?? ''
    for (const { line, quantity } of shipment.items) {
      const variant = variants[line]
      if (!variant) continue
      const level = placement.levels.at(shipment.locationId, variant.id)
      level.id ??= await addLevel(db, shop, variant, { ...level, id: shipment.locationId })
      const change = sign * quantity
      movements.push({
        [words.levelId]: level.id,
        quantity: change,
        ...words.movement({ orderId: ids.orderId, shipmentId }),
      })
      if (variant.tracked) changes.set(level.id, (changes.get(level.id) ?? 0) + change)
    }
  }
  await insertRows(db, columns, 'spree_stock_movements', ids.at, movements)
  await queryPrepared(
    db,
    `update ${quoteName(columns.schema)}.${words.levels} l
        set ${column} = l.${column} + change.quantity,
            updated_at = $3
       from unnest($1::bigint[], $2::integer[]) change (id, quantity)
      where l.id = change.id`,
    [[...changes.keys()], [...changes.values()], ids.at],
  )
  await touchWithStock(
    db,
    shop,
    variants.filter(({ tracked }) => tracked),
  )
}

/** A place that never held the variant has no row of it yet. */
async function addLevel(db: Db, shop: Shop, variant: Variant, location: StockLocation): Promise<string> {
  return (await lockStock(db, shop, variant, location))?.id ?? makeStock(db, shop, variant, location)
}
