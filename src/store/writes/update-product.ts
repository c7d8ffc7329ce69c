import type { Db } from '../../postgres/pool.ts'
import { currencyOf } from './currencies.ts'
import { fileProduct } from './file-product.ts'
import type { FoundProduct } from './find-product.ts'
import { NotApplicable } from './not-applicable.ts'
import { giveOptionType } from './options.ts'
import { readPrice, setPrice } from './prices.ts'
import type { ProductContent } from './product-content.ts'
import { giveProperties } from './properties.ts'
import { updateRow } from './rows.ts'
import { shippingCategory } from './shipping-category.ts'
import type { Shop } from './shop.ts'
import { readDefaultStore } from './shop-defaults.ts'
import { isTaken, recordSlug, slugify } from './slugs.ts'
import { touchProducts, touchVariants } from './touch.ts'
import { updateTranslated } from './translated.ts'
import { type Owner, putVariant, roundedColumns } from './variants.ts'

/**
 * Makes a product what `content` says of it; what it does not mention stays, variants too. Returns whether anything was
 * written: a repeat writes nothing and touches nothing. Variants are written before their product, as a sale locks them.
 * @throws NotApplicable where a SKU or the permalink is another product's.
 */
export async function updateProduct(
  db: Db,
  shop: Shop,
  product: FoundProduct,
  content: ProductContent,
): Promise<boolean> {
  const store = await readDefaultStore(db, shop)
  const currency = content.currency ?? (await currencyOf(db, shop, product.id, store))
  const owner = { id: product.id, storeId: store.id, locale: store.locale, currency }

  // Before the options, as of a new product: who makes both takes his turns in one order.
  const category =
    content.shippingCategory === undefined
      ? {}
      : { shipping_category_id: await shippingCategory(db, shop, content.shippingCategory) }
  const changedVariants = await writeVariants(db, shop, owner, product, content)
  let changed = false
  for (const name of content.optionTypes) {
    if ((await giveOptionType(db, shop, owner, name)).changed) changed = true
  }
  const touched = changedVariants.map((id) => ({ id, productId: product.id }))
  await touchVariants(db, shop, touched)

  const slug = await newSlug(db, shop, product, content)
  const columns = {
    ...content.columns,
    ...(content.name === undefined ? {} : { name: content.name }),
    ...(slug === undefined ? {} : { [shop.slug]: slug }),
    ...category,
  }
  if (await updateTranslated(db, shop, 'spree_products', product.id, store.locale, columns)) changed = true
  if (await giveProperties(db, shop, owner, content.properties)) changed = true
  if (await fileProduct(db, shop, owner, content.taxons)) changed = true
  if (slug !== undefined) await recordSlug(db, shop, product.id, slug, store.locale)
  if (changed) await touchProducts(db, shop, [product.id])
  if (changed || changedVariants.length > 0) await mendDefaultVariant(db, shop, product.id)
  return changed || changedVariants.length > 0
}

/** Ids of the variants of which anything was written. */
async function writeVariants(
  db: Db,
  shop: Shop,
  owner: Owner,
  product: FoundProduct,
  content: ProductContent,
): Promise<string[]> {
  const changed: string[] = []
  const own = product.variantId
  // Without masters one of the variants stands for the product: what is said of that one by name comes before.
  const named = content.variants.some((variant) => !shop.masters && variant.sku === product.sku)
  const priced = own === null ? undefined : await variantWithPrice(db, shop, product.id, own)
  if (own !== null && priced !== undefined && !named) {
    const written = await updateRow(db, shop, 'spree_variants', own, roundedColumns(shop, content.ownVariant))
    if (written) changed.push(own)
    const hasItsOwn = content.variants.some(({ sku, price }) => price !== undefined && sku === priced.sku)
    if (
      content.price !== undefined &&
      !hasItsOwn &&
      (await setPrice(db, shop, priced.id, owner.currency, content.price))
    )
      changed.push(priced.id)
  }
  if (content.variants.length === 0) return changed
  const inherited =
    content.price ?? (priced === undefined ? undefined : await readPrice(db, shop, priced.id, owner.currency))
  for (const variant of content.variants) {
    const id = await putVariant(db, shop, owner, variant, inherited)
    if (id !== undefined) changed.push(id)
  }
  return [...new Set(changed)]
}

/** The variant that has the product's price: its own, but in 5.x, where masters have none beside others, the first of those. */
async function variantWithPrice(
  db: Db,
  shop: Shop,
  productId: string,
  own: string,
): Promise<Readonly<{ id: string; sku: string | null }>> {
  if (!shop.isSpree5 || !shop.masters) return { id: own, sku: null }
  const { rows } = await db.query<{ id: string; sku: string }>(
    `select v.id::text, v.sku
       from ${shop.table('spree_variants')} v
      where v.product_id = $1::bigint
        and not coalesce(v.is_master, false)
        and v.deleted_at is null
      order by v.position, v.id
      limit 1`,
    [productId],
  )
  return rows[0] ?? { id: own, sku: null }
}

/** Undefined where the slug stays: it is the wanted one, or what the wanted one became because another product has it. */
async function newSlug(
  db: Db,
  shop: Shop,
  product: FoundProduct,
  content: ProductContent,
): Promise<string | undefined> {
  // One that a person has written otherwise than it would be made comes back as it was announced.
  if (content.slug === product.slug) return undefined
  const wanted = slugify(content.slug ?? '')
  if (wanted === '' || wanted === product.slug) return undefined
  if (!(await isTaken(db, shop, wanted, product.id))) return wanted
  if (product.slug?.startsWith(`${wanted}-`)) return undefined
  throw new NotApplicable(
    'permalink_taken',
    `The permalink ${wanted} belongs to another product: give product ${product.slug ?? product.id} another one, then retry.`,
  )
}

/** 6.x: a product whose default variant is gone gets the first living one (`Product#auto_promote_default_variant`). */
async function mendDefaultVariant(db: Db, shop: Shop, productId: string): Promise<void> {
  if (!shop.columns.has('spree_products', 'default_variant_id')) return
  const variants = shop.table('spree_variants')
  await db.query(
    `update ${shop.table('spree_products')} p
        set default_variant_id = (
              select v.id from ${variants} v
               where v.product_id = p.id and v.deleted_at is null
               order by v.position, v.id
               limit 1)
      where p.id = $1::bigint
        and not exists (select from ${variants} v where v.id = p.default_variant_id and v.deleted_at is null)
        and exists (select from ${variants} v where v.product_id = p.id and v.deleted_at is null)`,
    [productId],
  )
}
