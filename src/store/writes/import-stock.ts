import type { Db } from '../../postgres/pool.ts'
import type { Columns } from '../columns.ts'
import { quoteName } from '../json-sql.ts'
import type { Store } from '../store.ts'
import { living, type Variant, type Warn } from './import-references.ts'
import type { ImportWords } from './import-words.ts'
import type { ImportedParcels, ImportedShipment } from './imported-order.ts'
import { insertRows, type Row } from './insert-rows.ts'
import { NotApplicable } from './not-applicable.ts'
import { type Shop, shopOf } from './shop.ts'
import { lockStock, makeStock, type StockLocation } from './stock-place.ts'
import { touchVariants } from './touch.ts'

/** A shipment with its place, and which of its pieces are there. */
export type PlacedShipment = ImportedShipment &
  Readonly<{
    locationId: string
    units: readonly Readonly<{ line: number; quantity: number; state: 'on_hand' | 'backordered' }>[]
  }>

type Location = Readonly<{ id: string; name: string; names: readonly string[]; backorderable: boolean }>
type Level = { id: string | null; free: number; readonly backorderable: boolean }
type Wanted = Readonly<{ variant: Variant; quantity: number }>

export type Placement = Readonly<{ shipments: readonly PlacedShipment[]; levels: StockLevels }>

/**
 * Finds each shipment's place: the one it names, else the first that has all of it (the default before the others),
 * else the first that may owe what is missing. Locks the levels of the lines' variants, in the order of their ids.
 * `variants` are in the order of the lines. @throws NotApplicable where there is too little.
 */
export async function placeShipments(
  db: Db,
  columns: Columns,
  words: ImportWords,
  order: ImportedParcels,
  variants: readonly Variant[],
  warn: Warn,
): Promise<Placement> {
  const locations = await readLocations(db, columns)
  const levels = await lockLevels(db, columns, words, locations, variants)
  const shipments = order.shipments.map((shipment) => {
    const named = locations.find(({ names }) => names.includes(shipment.stockLocation?.toLowerCase() ?? ''))
    if (shipment.stockLocation !== null && !named) {
      warn(
        'stock location was not found',
        `this store has none named ${shipment.stockLocation}; one that has the goods was taken`,
      )
    }
    const wanted = wantedOf(shipment, variants)
    const candidates = named ? [named] : locations
    const location =
      candidates.find((one) => wanted.every((goods) => levels.has(one, goods))) ??
      candidates.find((one) => wanted.every((goods) => levels.has(one, goods) || levels.mayOwe(one, goods)))
    if (!location) throw tooLittle(order, named ? `in ${named.name}` : 'in one stock location', wanted)
    return {
      ...shipment,
      locationId: location.id,
      units: shipment.items.flatMap(({ line, quantity }) => {
        const onHand = levels.take(location, variants[line], quantity)
        return [
          { line, quantity: onHand, state: 'on_hand' as const },
          { line, quantity: quantity - onHand, state: 'backordered' as const },
        ].filter((unit) => unit.quantity > 0)
      }),
    }
  })
  return { shipments, levels }
}

/** What is free of each variant in each place, while it is being given out. */
class StockLevels {
  readonly #levels = new Map<string, Level>()

  set(locationId: string, variantId: string, level: Level): void {
    this.#levels.set(`${locationId} ${variantId}`, level)
  }

  at(locationId: string, variantId: string): Level {
    const level = this.#levels.get(`${locationId} ${variantId}`)
    if (!level) throw new Error(`Stock of variant ${variantId} in location ${locationId} was not read.`)
    return level
  }

  has({ id }: Location, { variant, quantity }: Wanted): boolean {
    return !variant.tracked || quantity <= this.at(id, variant.id).free
  }

  mayOwe({ id }: Location, { variant }: Wanted): boolean {
    return this.at(id, variant.id).backorderable
  }

  /** @returns how many of `quantity` are there; the others are owed. */
  take({ id }: Location, variant: Variant | undefined, quantity: number): number {
    if (!variant?.tracked) return quantity
    const level = this.at(id, variant.id)
    const onHand = Math.min(quantity, Math.max(level.free, 0))
    level.free -= quantity
    return onHand
  }
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

function tooLittle(order: ImportedParcels, where: string, wanted: readonly Wanted[]): NotApplicable {
  const goods = wanted.map(({ variant, quantity }) => `${quantity} of ${variant.sku}`).join(', ')
  return new NotApplicable(
    'insufficient_stock',
    `Order ${order.number} cannot be imported: ${where} there are not ${goods} free, and not all of what is missing may be backordered.`,
  )
}

async function readLocations(db: Db, columns: Columns): Promise<Location[]> {
  const adminName = columns.has('spree_stock_locations', 'admin_name') ? 'lower(l.admin_name)' : 'null'
  const byDefault = columns.has('spree_stock_locations', 'default') ? 'l."default" desc, ' : ''
  const { rows } = await db.query<Location>(
    `select l.id::text,
            l.name,
            array_remove(array[lower(l.name), ${adminName}], null) as names,
            coalesce(l.backorderable_default, false) as backorderable
       from ${quoteName(columns.schema)}.spree_stock_locations l
      where coalesce(l.active, true) ${living(columns, 'spree_stock_locations', 'l')}
      order by ${byDefault}l.id`,
  )
  return rows
}

async function lockLevels(
  db: Db,
  columns: Columns,
  words: ImportWords,
  locations: readonly Location[],
  variants: readonly Variant[],
): Promise<StockLevels> {
  const levels = new StockLevels()
  for (const location of locations) {
    for (const { id } of variants) {
      levels.set(location.id, id, { id: null, free: 0, backorderable: location.backorderable })
    }
  }
  const { rows } = await db.query<Level & { locationId: string; variantId: string }>(
    `select l.id::text,
            l.stock_location_id::text as "locationId",
            l.variant_id::text as "variantId",
            ${words.free} as free,
            coalesce(l.backorderable, false) as backorderable
       from ${quoteName(columns.schema)}.${words.levels} l
      where l.variant_id = any($1::bigint[])
        and l.stock_location_id = any($2::bigint[])
        ${living(columns, words.levels, 'l')}
      order by l.id
        for update`,
    [variants.map(({ id }) => id), locations.map(({ id }) => id)],
  )
  for (const { locationId, variantId, ...level } of rows) levels.set(locationId, variantId, level)
  return levels
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
  await db.query(
    `update ${quoteName(columns.schema)}.${words.levels} l
        set ${column} = l.${column} + change.quantity,
            updated_at = $3
       from unnest($1::bigint[], $2::integer[]) change (id, quantity)
      where l.id = change.id`,
    [[...changes.keys()], [...changes.values()], ids.at],
  )
  // In 2.0 stock touches nothing.
  if (!columns.has('spree_variants', 'updated_at')) return
  const counted = variants.filter(({ tracked }) => tracked)
  await touchVariants(
    db,
    shop,
    counted.map(({ id }) => id),
  )
}

/** A place that never held the variant has no row of it yet. */
async function addLevel(db: Db, shop: Shop, variant: Variant, location: StockLocation): Promise<string> {
  return (await lockStock(db, shop, variant, location))?.id ?? makeStock(db, shop, variant, location)
}
