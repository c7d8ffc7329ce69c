import type { Db } from '../../postgres/pool.ts'
import { fileProduct } from './file-product.ts'
import { giveOptionType } from './options.ts'
import { setPrice } from './prices.ts'
import type { ProductContent } from './product-content.ts'
import { giveProperties } from './properties.ts'
import { insertRow, NOW } from './rows.ts'
import { shippingCategory } from './shipping-category.ts'
import type { Shop } from './shop.ts'
import {
  type DefaultStore,
  defaultDeliveryProfile,
  defaultTaxCategory,
  readDefaultStore,
} from './shop-defaults.ts'
import { freeSlug, recordSlug, slugify } from './slugs.ts'
import { touchProducts } from './touch.ts'
import { insertTranslated } from './translated.ts'
import { insertVariant, type Owner, putVariant } from './variants.ts'

/**
 * Makes a product as Spree's own code does: product, the variant that stands for it or those with options, prices in the
 * store's currency, rows of stock where locations want them, slug with its history, links to the store or its channels.
 * It is active, but a draft where no price is given: Spree sells nothing without one. Before there were drafts, it is
 * available from now on, or has no date yet.
 * @throws NotApplicable where a variant's SKU is another product's.
 */
export async function createProduct(
  db: Db,
  shop: Shop,
  content: ProductContent & Readonly<{ name: string }>,
): Promise<Readonly<{ slug: string }>> {
  const store = await readDefaultStore(db, shop)
  const wanted = slugify(content.slug ?? '')
  const slug = await freeSlug(
    db,
    shop,
    wanted === '' ? [slugify(content.name), slugify(`${content.name} ${content.sku ?? ''}`)] : [wanted],
  )
  const id = await insertTranslated(db, shop, 'spree_products', store.locale, {
    status: content.price === undefined ? 'draft' : 'active',
    promotionable: true,
    tax_category_id: await defaultTaxCategory(db, shop, store.id),
    shipping_category_id: await shippingCategory(db, shop, content.shippingCategory),
    delivery_profile_id: await defaultDeliveryProfile(db, shop, store.id),
    store_id: store.id,
    ...(shop.columns.has('spree_products', 'status') || content.price === undefined
      ? {}
      : { available_on: new Date().toISOString() }),
    ...content.columns,
    name: content.name,
    [shop.slug]: slug,
  })
  await recordSlug(db, shop, id, slug, store.locale)
  const owner = { id, storeId: store.id, locale: store.locale, currency: content.currency ?? store.currency }
  await makeVariants(db, shop, owner, content)
  await giveProperties(db, shop, owner, content.properties)
  await fileProduct(db, shop, owner, content.taxons)
  await publish(db, shop, id, store, content.columns['available_on'])
  await touchProducts(db, shop, [id])
  return { slug }
}

async function makeVariants(db: Db, shop: Shop, owner: Owner, content: ProductContent): Promise<void> {
  for (const name of content.optionTypes) await giveOptionType(db, shop, owner, name)
  if (shop.masters || content.variants.length === 0) {
    const own = await insertVariant(db, shop, owner, {
      sku: content.sku ?? '',
      master: shop.masters,
      columns: content.ownVariant,
    })
    if (content.price !== undefined) await setPrice(db, shop, own, owner.currency, content.price)
  }
  for (const variant of content.variants) await putVariant(db, shop, owner, variant, content.price)
  if (!shop.columns.has('spree_products', 'default_variant_id')) return
  await db.query(
    `update ${shop.table('spree_products')}
        set default_variant_id = (
              select id from ${shop.table('spree_variants')} where product_id = $1::bigint order by position, id limit 1)
      where id = $1::bigint`,
    [owner.id],
  )
}

/**
 * A product is for sale where it is linked to: 4.3 to 5.4 to its store, from 5.5 on to its store's channels. There its model
 * alone links it to none, and nobody would see it: that is left to who makes it, and we publish it in every active one.
 */
async function publish(
  db: Db,
  shop: Shop,
  productId: string,
  store: DefaultStore,
  availableOn: unknown,
): Promise<void> {
  if (shop.columns.has('spree_product_publications')) {
    const { rows } = await db.query<{ id: string }>(
      `select c.id::text as id from ${shop.table('spree_channels')} c where c.store_id = $1::bigint and c.active order by c.id`,
      [store.id],
    )
    for (const channel of rows) {
      await insertRow(db, shop, 'spree_product_publications', {
        product_id: productId,
        channel_id: channel.id,
        published_at: availableOn ?? new Date().toISOString(),
      })
    }
    return
  }
  if (!shop.columns.has('spree_products_stores')) return
  await insertRow(db, shop, 'spree_products_stores', { product_id: productId, store_id: store.id })
  const stores = shop.table('spree_stores')
  await db.query(
    `update ${stores}
        set updated_at = ${NOW}
      where id in (select id from ${stores} where id = $1::bigint for no key update skip locked)`,
    [store.id],
  )
}
