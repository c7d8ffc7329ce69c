import type { InventoryObject } from '../schemas/object-messages.ts'
import type { VariantStockSnapshot } from '../snapshot.ts'
import { wireId } from '../wire.ts'

/**
 * What one place holds of a variant (protocol §9.5). It is known by its stock item: of a place whose last item is gone
 * there is none, undefined. Of two items in places of one name the younger stands for both.
 * @param places Location id → name.
 */
export function inventoryObject(
  { sku, locations }: VariantStockSnapshot,
  place: string,
  quantity: number,
  places: ReadonlyMap<string, string>,
): InventoryObject | undefined {
  const items = [...locations].flatMap(([item, at]) =>
    at !== null && places.get(at) === place ? [wireId(item)] : [],
  )
  return items.length === 0
    ? undefined
    : { id: Math.max(...items), location: place, product_id: sku, quantity }
}
