import { randomUUID } from 'node:crypto'

import type { Db } from '../../postgres/pool.ts'
import { insertRow, NOW } from './rows.ts'
import type { Shop } from './shop.ts'
import { slugify } from './slugs.ts'
import { insertTranslated, type Owned } from './translated.ts'

/** What products are filed under, by the names of its version: taxons below a taxonomy, or in 6.x categories. */
export type Taxons = 'spree_taxons' | 'spree_categories'

export type Taxon = Readonly<{
  id: string
  permalink: string
  /** All names from the top, where the store keeps them. */
  prettyName: string
  /** 0 at the top. */
  depth: number
}>

/** The address of a taxon: it ends below its parent's. */
export function permalinkOf(parent: Taxon | undefined, end: string): string {
  return [...(parent ? [parent.permalink] : []), end].join('/')
}

/**
 * Makes the last child of a taxon, or the last of those at the top, as the nested set of Spree's own code does: whatever
 * lies behind moves on and is touched, with all that lies above. Two of us must not be here at once.
 *
 * No recorded act of a shop makes a taxon. Position, depth, address, names and counts are as in the rows that shops of 4.10,
 * 6.0 and Solidus have; the places are those of any nested set. What is touched no row can show: rather too much than that
 * a shop's cache shows an old tree.
 */
export async function insertTaxon(
  db: Db,
  shop: Shop,
  table: Taxons,
  owner: Owned,
  taxon: Readonly<{ name: string; parent: Taxon | undefined; taxonomyId: string | null }>,
): Promise<Taxon> {
  const { name, parent, taxonomyId } = taxon
  const lft = parent ? await makeRoom(db, shop, table, parent.id) : await behindAll(db, shop, table)
  const made = {
    permalink: permalinkOf(parent, slugify(name) || randomUUID()),
    prettyName: [...(parent ? [parent.prettyName] : []), name].join(' -> '),
    depth: parent ? parent.depth + 1 : 0,
  }
  const id = await insertTranslated(db, shop, table, owner.locale, {
    parent_id: parent?.id ?? null,
    position: 0,
    name,
    permalink: made.permalink,
    pretty_name: made.prettyName,
    taxonomy_id: taxonomyId,
    store_id: owner.storeId,
    lft,
    rgt: lft + 1,
    depth: made.depth,
  })
  if (parent && shop.columns.has(table, 'children_count'))
    await db.query(
      `update ${shop.table(table)} set children_count = children_count + 1 where id = $1::bigint`,
      [parent.id],
    )
  if (taxonomyId !== null)
    await db.query(`update ${shop.table('spree_taxonomies')} set updated_at = ${NOW} where id = $1::bigint`, [
      taxonomyId,
    ])
  if (shop.recordsTaxons)
    await insertRow(db, shop, 'friendly_id_slugs', {
      slug: made.permalink,
      sluggable_id: id,
      sluggable_type: 'Spree::Taxon',
      locale: owner.locale,
    })
  return { id, ...made }
}

/** A taxonomy behind the others; its top is a taxon of its own. */
export async function insertTaxonomy(db: Db, shop: Shop, owner: Owned, name: string): Promise<string> {
  const { rows } = await db.query<{ next: number }>(
    `select coalesce(max(position), 0) + 1 as next from ${shop.table('spree_taxonomies')}`,
  )
  return insertTranslated(db, shop, 'spree_taxonomies', owner.locale, {
    name,
    position: rows[0]?.next ?? 1,
    store_id: owner.storeId,
  })
}

/** Where a new last child of the taxon begins. */
async function makeRoom(db: Db, shop: Shop, table: Taxons, parentId: string): Promise<number> {
  const { rows } = await db.query<{ end: number }>(
    `select rgt::integer as "end" from ${shop.table(table)} where id = $1::bigint for no key update`,
    [parentId],
  )
  const end = rows[0]?.end ?? 0
  await db.query(
    `update ${shop.table(table)}
        set lft = case when lft >= $1::integer then lft + 2 else lft end, rgt = rgt + 2, updated_at = ${NOW}
      where rgt >= $1::integer`,
    [end],
  )
  return end
}

async function behindAll(db: Db, shop: Shop, table: Taxons): Promise<number> {
  const { rows } = await db.query<{ next: number }>(
    `select (coalesce(max(rgt), 0) + 1)::integer as next from ${shop.table(table)}`,
  )
  return rows[0]?.next ?? 1
}
