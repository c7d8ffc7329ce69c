import { mentionedVariant } from './raw-variant.ts'
import type { RawOrder } from './schemas/order-message.ts'
import type { OrderSnapshot } from './snapshot.ts'
import { wireDecimal, wireId, wireOptionalId, wireOptionalTime } from './wire.ts'

type LineItem = OrderSnapshot['lineItems'][number]
type Variant = NonNullable<LineItem['variant']>

export function rawLineItem(item: LineItem): RawOrder['line_items'][number] {
  return {
    id: wireId(item.id),
    quantity: item.quantity,
    price: wireDecimal(item.price),
    variant_id: wireOptionalId(item.variantId),
    created_at: wireOptionalTime(item.createdAt),
    updated_at: wireOptionalTime(item.updatedAt),
    variant: item.variant && rawVariant(item.variant),
  }
}

function rawVariant(variant: Variant): NonNullable<RawOrder['line_items'][number]['variant']> {
  // Added to, not copied by a leading spread: such a copy would outlive the quick collections.
  return Object.assign(mentionedVariant(variant), {
    options_text: variant.optionValues
      .map((value) => `${value.typePresentation}: ${value.presentation}`)
      .join(', '),
    option_values: variant.optionValues.map((value) => ({
      id: wireId(value.id),
      name: value.name,
      presentation: value.presentation,
      option_type_name: value.typeName,
      option_type_id: wireId(value.typeId),
    })),
    images: variant.images.map((image) => ({
      id: wireId(image.id),
      position: image.position,
      attachment_content_type: image.contentType,
      attachment_file_name: image.fileName,
      type: image.type,
      attachment_updated_at: wireOptionalTime(image.updatedAt),
      attachment_width: image.width,
      attachment_height: image.height,
      alt: image.alt,
      viewable_type: image.viewableType,
      viewable_id: wireOptionalId(image.viewableId),
      attachment_url: null,
    })),
  })
}
