import type { Db } from '../../postgres/pool.ts'
import { word } from '../catalogue-words.ts'
import type { Shop } from './shop.ts'
import { slugify } from './slugs.ts'
import { findOrMake } from './take-turns.ts'
import { insertTaxon, insertTaxonomy, permalinkOf, type Taxon, type Taxons } from './taxon-tree.ts'
import type { Owned } from './translated.ts'

/** One for all: a taxon moves others. */
const TURN = 'taxons'

/** Paths of names, the top of a tree first. */
export type Paths = readonly (readonly string[])[]

/**
 * The taxons to which paths lead; what is missing on them is made. An empty path, and what follows it, says nothing.
 * `leavesOnly`: of all that lie on the paths those with none below, as Wombat's handlers have it (protocol §9.4). Else what
 * a store tells of its own products leads to where they are.
 */
export async function taxonsAt(
  db: Db,
  shop: Shop,
  table: Taxons,
  owner: Owned,
  paths: Paths,
  leavesOnly: boolean,
): Promise<string[]> {
  const passed: string[] = []
  const ends: string[] = []
  for (const [top, ...names] of paths) {
    if (top === undefined) break
    let taxon = await topOf(db, shop, table, owner, top)
    // Where there are taxonomies, the top stands for one of them.
    if (table === 'spree_categories') passed.push(taxon.id)
    for (const name of names) {
      taxon = await child(db, shop, table, owner, taxon, name)
      passed.push(taxon.id)
    }
    ends.push(taxon.id)
  }
  return leavesOnly ? leavesOf(db, shop, table, passed) : [...new Set(ends)]
}

async function leavesOf(db: Db, shop: Shop, table: Taxons, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select p.id::text as id
       from unnest($1::bigint[]) with ordinality p (id, place)
      where not exists (select from ${shop.table(table)} below where below.parent_id = p.id)
      group by p.id
      order by min(p.place)`,
    [ids],
  )
  return rows.map(({ id }) => id)
}

async function topOf(db: Db, shop: Shop, table: Taxons, owner: Owned, name: string): Promise<Taxon> {
  if (table === 'spree_categories') {
    const find = () => findTaxon(db, shop, table, owner, undefined, name)
    const taxon = { name, parent: undefined, taxonomyId: null }
    return findOrMake(db, TURN, find, () => insertTaxon(db, shop, table, owner, taxon))
  }
  const taxonomyId = await findOrMake(
    db,
    TURN,
    () => findTaxonomy(db, shop, owner, name),
    () => insertTaxonomy(db, shop, owner, name),
  )
  return findOrMake(
    db,
    TURN,
    () => findRoot(db, shop, table, taxonomyId),
    () => insertTaxon(db, shop, table, owner, { name, parent: undefined, taxonomyId }),
  )
}

function child(db: Db, shop: Shop, table: Taxons, owner: Owned, parent: Taxon, name: string): Promise<Taxon> {
  return findOrMake(
    db,
    TURN,
    () => findTaxon(db, shop, table, owner, parent, name),
    async () => {
      const taxonomyId = await taxonomyOf(db, shop, table, parent)
      return insertTaxon(db, shop, table, owner, { name, parent, taxonomyId })
    },
  )
}

async function findTaxonomy(db: Db, shop: Shop, owner: Owned, name: string): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `select t.id::text as id
       from ${shop.table('spree_taxonomies')} t
      where ${word(shop.columns, 'spree_taxonomies', 't', 'name')} = $1
        and ${ofStore(shop, 'spree_taxonomies')}
      order by t.id
      limit 1`,
    [name, owner.storeId],
  )
  return rows[0]?.id
}

async function findRoot(db: Db, shop: Shop, table: Taxons, taxonomyId: string): Promise<Taxon | undefined> {
  const { rows } = await db.query<Omit<Taxon, 'depth'>>(
    `select ${columnsOf(shop, table)}
       from ${shop.table(table)} t
      where t.parent_id is null
        and t.taxonomy_id = $1::bigint
      order by t.id
      limit 1`,
    [taxonomyId],
  )
  return rows[0] && { ...rows[0], depth: 0 }
}

/** By its name below a parent, or by the address that the name makes: the shop takes no second one of either. */
async function findTaxon(
  db: Db,
  shop: Shop,
  table: Taxons,
  owner: Owned,
  parent: Taxon | undefined,
  name: string,
): Promise<Taxon | undefined> {
  const known = word(shop.columns, table, 't', 'name')
  const end = slugify(name)
  const { rows } = await db.query<Omit<Taxon, 'depth'>>(
    `select ${columnsOf(shop, table)}
       from ${shop.table(table)} t
      where t.parent_id is not distinct from $3::bigint
        and (${known} = $1 or ${word(shop.columns, table, 't', 'permalink')} = $4)
        and ${ofStore(shop, table)}
      order by ${known} = $1 desc, t.id
      limit 1`,
    [name, owner.storeId, parent?.id ?? null, end === '' ? null : permalinkOf(parent, end)],
  )
  return rows[0] && { ...rows[0], depth: parent ? parent.depth + 1 : 0 }
}

function columnsOf(shop: Shop, table: Taxons): string {
  const name = word(shop.columns, table, 't', 'name')
  const pretty = shop.columns.has(table, 'pretty_name')
    ? `coalesce(${word(shop.columns, table, 't', 'pretty_name')}, ${name})`
    : name
  return `t.id::text as id, coalesce(${word(shop.columns, table, 't', 'permalink')}, '') as permalink,
            coalesce(${pretty}, '') as "prettyName"`
}

function ofStore(shop: Shop, table: Taxons | 'spree_taxonomies'): string {
  return shop.columns.has(table, 'store_id')
    ? '(t.store_id is null or t.store_id = $2::bigint)'
    : '($2::text is null or true)'
}

async function taxonomyOf(db: Db, shop: Shop, table: Taxons, taxon: Taxon): Promise<string | null> {
  if (table === 'spree_categories') return null
  const { rows } = await db.query<{ id: string | null }>(
    `select taxonomy_id::text as id from ${shop.table(table)} where id = $1::bigint`,
    [taxon.id],
  )
  return rows[0]?.id ?? null
}
