import {
  fieldTables,
  hasProductImages,
  hasTranslations,
  mediaTable,
  taxonTables,
  word,
} from './catalogue-words.ts'
import type { Columns } from './columns.ts'
import { imageFile } from './image-sql.ts'
import { jsonRows, quoteName } from './json-sql.ts'

// What a product `p` has besides itself and its variants, as expressions. Where the store has no such tables: nothing.

const NOTHING = `'[]'::json`

/** Deeper than any shop's tree: a row that is its own ancestor must not keep the statement going. */
const DEEPEST = 50

/**
 * The paths of the products in $1 from the root down, as rows (product_id, taxons) of `filed`: for all of them at once,
 * since many are filed under the same. Undefined where products are filed under nothing.
 */
export function filedProducts(columns: Columns): string | undefined {
  const tables = taxonTables(columns)
  if (!tables) return undefined
  const schema = quoteName(columns.schema)
  const links = `${schema}.${tables.links}`
  const taxons = `${schema}.${tables.taxons}`
  const name = word(columns, tables.taxons, 't', 'name')
  return `
with recursive ancestors as (
  select t.id as taxon_id, 1 as height, t.parent_id, ${name} as name
    from ${taxons} t
   where t.id in (select l.${tables.key} from ${links} l where l.product_id = any($1::bigint[]))
   union all
  select a.taxon_id, a.height + 1, t.parent_id, ${name}
    from ancestors a
    join ${taxons} t on t.id = a.parent_id
   where a.height < ${DEEPEST}
), paths as (
  select taxon_id, array_agg(name order by height desc) as path
    from ancestors
   group by taxon_id
), filed as (
  select l.product_id, json_agg(h.path order by h.taxon_id) as taxons
    from (select distinct product_id, ${tables.key} as taxon_id
            from ${links}
           where product_id = any($1::bigint[])) l
    join paths h on h.taxon_id = l.taxon_id
   group by l.product_id
)`
}

export function optionTypes(columns: Columns): string {
  const schema = quoteName(columns.schema)
  const name = word(columns, 'spree_option_types', 't', 'name')
  return `coalesce((
            select json_agg(${name} order by pt.position, pt.id)
              from ${schema}.spree_product_option_types pt
              join ${schema}.spree_option_types t on t.id = pt.option_type_id
             where pt.product_id = p.id
               and ${name} is not null), '[]'::json)`
}

/** Properties by name; fields by key, which has its namespace before it, but for the two in which Spree itself puts them. */
export function properties(columns: Columns): string {
  const schema = quoteName(columns.schema)
  const sources: string[] = []
  if (columns.has('spree_product_properties'))
    sources.push(`
                     select 1 as source, pp.id, t.name, ${word(columns, 'spree_product_properties', 'pp', 'value')} as "value"
                       from ${schema}.spree_product_properties pp
                       join ${schema}.spree_properties t on t.id = pp.property_id
                      where pp.product_id = p.id
                        and t.name is not null`)
  const tables = fieldTables(columns)
  if (tables)
    sources.push(`
                     select 2 as source, f.id,
                            case when d.namespace in ('custom', 'properties') then d.key
                                 else d.namespace || '.' || d.key end as "name",
                            f.value
                       from ${schema}.${tables.fields} f
                       join ${schema}.${tables.definitions} d on d.id = f.${tables.key}
                      where f.resource_type = 'Spree::Product'
                        and f.resource_id = p.id`)
  if (sources.length === 0) return NOTHING
  return `coalesce((
            select json_agg(json_build_array(own.name, own.value) order by own.source, own.id)
              from (${sources.join('\n                     union all')}) own), '[]'::json)`
}

/** The product's own images: in the older stores its master's. `master`: the condition on a variant `m`. */
export function productImages(columns: Columns, master: string): string {
  const variants = `${quoteName(columns.schema)}.spree_variants`
  const ofMaster = `
            i.viewable_type = 'Spree::Variant'
               and i.viewable_id in (select m.id from ${variants} m where m.product_id = p.id and m.is_master and ${master})`
  return hasProductImages(columns)
    ? images(columns, [`i.viewable_type = 'Spree::Product' and i.viewable_id = p.id`, ofMaster])
    : images(columns, [ofMaster])
}

/** The own images of a variant `v`: from 5.4 also those of its product that are linked to it. */
export function variantImages(columns: Columns): string {
  const own = `i.viewable_type = 'Spree::Variant' and i.viewable_id = v.id`
  if (!columns.has('spree_variant_media')) return images(columns, [own])
  const links = `${quoteName(columns.schema)}.spree_variant_media`
  return images(columns, [own, `i.id in (select l.media_id from ${links} l where l.variant_id = v.id)`])
}

/** Each of the conditions on an image `i` has an index of its own, which `or` would not use. */
function images(columns: Columns, conditions: readonly string[]): string {
  const media = mediaTable(columns)
  const table = `${quoteName(columns.schema)}.${media}`
  const file = imageFile(columns)
  const [only = 'false', ...more] = conditions
  const condition =
    more.length === 0
      ? only
      : `i.id in (${conditions.map((each) => `select i.id from ${table} i where ${each}`).join(' union all ')})`
  return jsonRows(`
            select distinct on (i.position, i.id)
                   i.id::text as "id",
                   i.position,
                   i.alt,
                   ${address(columns, media, file.key)} as "url",
                   ${file.contentType} as "contentType",
                   ${file.fileName} as "fileName",
                   ${file.width} as "width",
                   ${file.height} as "height",
                   ${file.key} as "key"
              from ${table} i${file.joins}
             where ${condition}
             order by i.position, i.id${file.first}`)
}

/** Paperclip's as Spree sets it, below the shop's own address. Where Active Storage serves it no row says. */
function address(columns: Columns, media: 'spree_assets' | 'spree_media', key: string): string {
  if (media === 'spree_media')
    return columns.has(media, 'external_video_url') ? 'i.external_video_url' : 'null'
  return `case when ${key} is null and i.attachment_file_name is not null
                        then '/spree/products/' || i.id || '/original/' || i.attachment_file_name end`
}

/** What is written of it in each language. `living`: the condition on when a row was deleted. */
export function translations(columns: Columns, living: (deletedAt: string) => string): string {
  if (!hasTranslations(columns)) return NOTHING
  const table = 'spree_product_translations'
  const text = (name: string) => (columns.has(table, name) ? `w.${name}` : 'null')
  const slug = columns.has(table, 'slug') ? 'w.slug' : text('permalink')
  return jsonRows(`
            select w.locale,
                   ${text('name')} as "name",
                   ${text('description')} as "description",
                   ${slug} as "permalink",
                   ${text('meta_description')} as "metaDescription",
                   ${text('meta_keywords')} as "metaKeywords"
              from ${quoteName(columns.schema)}.${table} w
             where w.spree_product_id = p.id
               and ${columns.has(table, 'deleted_at') ? living('w.deleted_at') : 'true'}
             order by w.locale, w.id`)
}
