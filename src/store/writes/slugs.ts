import { randomUUID } from 'node:crypto'
import { transliterate } from 'transliteration'

import type { Db } from '../../postgres/pool.ts'
import { keepsNamesInTranslations } from '../catalogue-words.ts'
import { insertRow } from './rows.ts'
import type { Shop } from './shop.ts'

const LONGEST = 255
const UUID_LENGTH = 36

/**
 * Letters and digits of ASCII, those of other alphabets as they sound, joined by dashes: `Crème Brûlée, 2 l` →
 * `creme-brulee-2-l`, `Игрушки` → `igrushki`. Empty where none are left.
 */
export function slugify(text: string): string {
  return transliterate(text.normalize('NFKC').toLowerCase())
    .toLowerCase()
    .replaceAll('&', ' and ')
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, LONGEST)
}

/** À to ž, ẞ and Ǫ to ǭ; as they are they would make the built program two bytes a character. */
const ACCENTED = /[\u00c0-\u017e\u1e9e\u01ea-\u01ed]/g

/** As Rails writes a parameter: `Black & White` → `black-white`, `Łódź` → `lodz`; of other alphabets nothing is left. */
export function parameterize(text: string): string {
  return text
    .normalize('NFC')
    .replace(ACCENTED, (letter) => transliterate(letter.toLowerCase()))
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
}

/** What an option or a property of this name is called: Spree 5 and 6 keep what people read beside it. */
export function nameOf(shop: Shop, name: string): string {
  return shop.isSpree5 ? parameterize(name) || name : name
}

/** The first of the candidates that nobody has; where all are taken, the first with a random end, as friendly_id does. */
export async function freeSlug(db: Db, shop: Shop, candidates: readonly string[]): Promise<string> {
  const usable = candidates.filter((candidate) => candidate !== '')
  for (const candidate of usable) {
    if (!(await isTaken(db, shop, candidate, null))) return candidate
  }
  const [first] = usable
  return first ? `${first.slice(0, LONGEST - UUID_LENGTH - 1)}-${randomUUID()}` : randomUUID()
}

/** By another product than `productId`, now or, as its history tells (kept from 2.4 on), before. */
export async function isTaken(db: Db, shop: Shop, slug: string, productId: string | null): Promise<boolean> {
  // A deleted product leaves its slug to others; where it has a scope, an index keeps that of a deleted row, too.
  const freed = shop.columns.has('friendly_id_slugs', 'deleted_at')
    ? 'and (deleted_at is null or scope is not null)'
    : ''
  const before = shop.columns.has('friendly_id_slugs')
    ? `or exists (
              select
                from ${shop.table('friendly_id_slugs')}
               where slug = $1
                 and sluggable_type = 'Spree::Product'
                 and sluggable_id is distinct from $2::bigint
                 ${freed})`
    : ''
  const now = keepsNamesInTranslations(shop.columns)
    ? `select from ${shop.table('spree_product_translations')} where slug = $1 and spree_product_id is distinct from $2::bigint`
    : `select from ${shop.table('spree_products')} where ${shop.slug} = $1 and id is distinct from $2::bigint`
  const { rows } = await db.query<{ taken: boolean }>(
    `select exists (${now})
            ${before} as taken`,
    [slug, productId],
  )
  return rows[0]?.taken ?? false
}

/** Keeps the slug in the history, where there is one, through which friendly_id finds a product by its old slugs. */
export async function recordSlug(
  db: Db,
  shop: Shop,
  productId: string,
  slug: string,
  locale: string,
): Promise<void> {
  if (!shop.columns.has('friendly_id_slugs')) return
  const { rows } = await db.query(
    `select
       from ${shop.table('friendly_id_slugs')}
      where slug = $1
        and sluggable_type = 'Spree::Product'
        and sluggable_id = $2::bigint`,
    [slug, productId],
  )
  if (rows.length > 0) return
  await insertRow(db, shop, 'friendly_id_slugs', {
    slug,
    sluggable_id: productId,
    sluggable_type: 'Spree::Product',
    scope: shop.slugScope,
    locale,
  })
}
