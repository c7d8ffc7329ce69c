import { type PriceInbound, priceInboundSchema } from '../messages/schemas/wombat-inbound.ts'
import { wireDecimal } from '../messages/wire.ts'
import { priceVariant } from '../store/writes/price-variant.ts'
import type { Handler } from './handler.ts'
import { inOwnTexts } from './own-texts.ts'
import { summary } from './summary.ts'

/** The price of a variant, and its other columns that hold prices. */
export const setPrice: Handler<PriceInbound> = {
  message: 'set_price',
  dialect: 'wombat',
  description: 'Sets the price of a SKU.',
  schema: priceInboundSchema,
  async apply(db, store, { message, payload }) {
    const { sku = '', price, currency: wanted, columns } = payload.price
    const noSku = `Product with SKU ${sku} was not found`
    const { from, to, currency } = await inOwnTexts({ unknown_sku: noSku, deleted_variant: noSku }, () =>
      priceVariant(db, store, { sku, price, currency: wanted, columns }),
    )
    // The store's own code prints nothing for a price that is not there.
    const was = from === null ? '' : wireDecimal(from)
    return summary(message, `Set price for ${sku} from ${was} ${currency} to ${wireDecimal(to)} ${currency}`)
  },
}
