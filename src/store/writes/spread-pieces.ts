import type { Location, StockLevels } from './import-levels.ts'
import type { Variant } from './import-references.ts'
import type { ImportedShipment } from './imported-order.ts'

/** What one place sends of a shipment. */
export type Parcel = Readonly<{ location: Location; items: ImportedShipment['items'] }>

type Items = ImportedShipment['items']

/**
 * From each place what it has, in their order; what none has from the first that may owe it, beside what is there: as the
 * stores' own code proposes shipments, which has what is owed in a parcel of its own. `variants` are in the order of the
 * lines. Undefined where there is too little.
 */
export function spreadPieces(
  items: Items,
  variants: readonly Variant[],
  locations: readonly Location[],
  levels: StockLevels,
): Parcel[] | undefined {
  const wanted = items.map(({ line, quantity }) => ({ line, variant: variants[line], left: quantity }))
  const parcels = locations.map((location) => {
    const given = new Map<string, number>()
    const quantities = wanted.map((goods) => {
      if (!goods.variant || !levels.keeps(location, goods.variant, locations)) return 0
      const before = given.get(goods.variant.id) ?? 0
      const quantity = Math.max(0, Math.min(goods.left, levels.free(location, goods.variant) - before))
      given.set(goods.variant.id, before + quantity)
      goods.left -= quantity
      return quantity
    })
    return { location, quantities }
  })
  for (const [index, { variant, left }] of wanted.entries()) {
    if (!variant || left === 0) continue
    const owing = parcels.find(
      ({ location }) => levels.keeps(location, variant, locations) && levels.mayOwe(location, { variant }),
    )
    if (!owing) return undefined
    owing.quantities[index] = left + (owing.quantities[index] ?? 0)
  }
  return parcels
    .map(({ location, quantities }) => ({
      location,
      items: items
        .map(({ line }, index) => ({ line, quantity: quantities[index] ?? 0 }))
        .filter(({ quantity }) => quantity > 0),
    }))
    .filter(({ items: own }) => own.length > 0)
}

/** What one place sends, in a parcel for each shipping category, as the stores' own code does where it is not told otherwise. */
export function splitByCategory({ location, items }: Parcel, variants: readonly Variant[]): Parcel[] {
  const categoryOf = ({ line }: Items[number]) => variants[line]?.shippingCategoryId
  const categories = [...new Set(items.map(categoryOf))]
  return categories.map((category) => ({
    location,
    items: items.filter((item) => categoryOf(item) === category),
  }))
}
