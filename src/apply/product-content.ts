import type { ProductInbound } from '../messages/schemas/product-inbound.ts'
import type { ProductContent } from '../store/writes/product-content.ts'

const PRODUCT_COLUMNS = [
  'description',
  'available_on',
  'meta_title',
  'meta_description',
  'meta_keywords',
  'status',
] as const
const VARIANT_COLUMNS = ['cost_price', 'weight', 'height', 'width', 'depth'] as const

/**
 * In the store's words. The sender's `id` is not among them: it would be another product's here. `leavesOnly`: products are
 * filed under what has nothing below it.
 */
export function productContent(
  payload: ProductInbound,
  { leavesOnly }: Readonly<{ leavesOnly: boolean }> = { leavesOnly: false },
): ProductContent {
  return {
    sku: payload.sku || undefined,
    slug: payload.permalink || undefined,
    name: payload.name,
    columns: pick(payload, PRODUCT_COLUMNS),
    price: payload.price ?? undefined,
    currency: payload.currency ?? undefined,
    ownVariant: pick(payload, VARIANT_COLUMNS),
    shippingCategory: payload.shipping_category ?? undefined,
    optionTypes: payload.options,
    taxons: payload.taxons ? { paths: payload.taxons, leavesOnly } : undefined,
    properties: payload.properties ?? {},
    variants: payload.variants.map((variant) => ({
      sku: variant.sku,
      price: variant.price ?? undefined,
      columns: pick(variant, VARIANT_COLUMNS),
      options: variant.options,
    })),
  }
}

/** What a message says, null included; a key that is absent says nothing. */
function pick<Key extends string>(
  from: Readonly<Partial<Record<Key, string | null | undefined>>>,
  keys: readonly Key[],
): Record<string, string | null> {
  const said: Record<string, string | null> = {}
  for (const key of keys) {
    const value = from[key]
    if (value !== undefined) said[key] = value
  }
  return said
}
