import type { ProductInbound } from '../messages/schemas/product-inbound.ts'
import type { Put } from '../store/writes/put-product.ts'
import type { Applied, Notification } from './handler.ts'

/** `Product <sku> added|updated` (protocol §9.4), and what a person should know of it. */
export function productAnswer(message: string, payload: ProductInbound, put: Put): Applied {
  const called = payload.sku || put.slug
  const children = payload.variants.map((variant) => `"${variant.sku}"`)
  const tell = (level: Notification['level'], description: string) => ({
    level,
    subject: message,
    description,
  })
  const notifications = [
    put.was === 'same'
      ? tell('info', `Product ${called} is so already: nothing was changed`)
      : tell(
          'info',
          `Product ${called} ${put.was}${children.length > 0 ? `, with child skus: [${children.join(', ')}]` : ''}`,
        ),
  ]
  if (put.was === 'added' && payload.price == null) {
    notifications.push(
      tell('warn', `Product ${called} came without a price: it is a draft, give it one and activate it`),
    )
  }
  if (put.left.length > 0)
    notifications.push(tell('warn', `Not applied of product ${called}: its ${put.left.join(', ')}`))
  const images = [payload, ...payload.variants].reduce((count, one) => count + (one.images?.length ?? 0), 0)
  if (images > 0) {
    const [what, them] = images === 1 ? ['1 image', 'it'] : [`${images} images`, 'them']
    notifications.push(
      tell(
        'warn',
        `Not applied of product ${called}: its ${what}, because nothing that is sent is fetched: add ${them} in the admin of the shop`,
      ),
    )
  }
  return {
    notifications,
    details: { ...(payload.sku ? { sku: payload.sku } : {}), permalink: put.slug },
  }
}
