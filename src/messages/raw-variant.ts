import type { z } from 'zod'
import type { mentionedVariantSchema } from './schemas/order-parts.ts'
import type { VariantSnapshot } from './snapshots/variant-snapshot.ts'
import { wireId, wireOptionalDecimal, wireOptionalId } from './wire.ts'

/** A variant where it is mentioned, in the words of the raw order (protocol §6.2). */
export function mentionedVariant(variant: VariantSnapshot): z.infer<typeof mentionedVariantSchema> {
  return {
    id: wireId(variant.id),
    name: variant.name,
    product_id: wireOptionalId(variant.productId),
    sku: variant.sku,
    price: wireOptionalDecimal(variant.price),
    weight: wireOptionalDecimal(variant.weight),
    height: wireOptionalDecimal(variant.height),
    width: wireOptionalDecimal(variant.width),
    depth: wireOptionalDecimal(variant.depth),
    is_master: variant.isMaster,
    cost_price: wireOptionalDecimal(variant.costPrice),
    permalink: variant.permalink,
  }
}
