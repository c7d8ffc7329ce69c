import { type Told, type Version, WIRE } from './old-returns.ts'
import { isOldest } from './other-kinds.ts'
import type { Payload } from './told.ts'

const GONE = '2026-04-01T12:00:00.000Z'
const bare = {
  description: null,
  price: null,
  available_on: null,
  meta_description: null,
  meta_keywords: null,
  currency: null,
  updated_at: null,
  deleted_at: '<now>',
  variants: [],
  options: [],
  taxons: [],
  properties: {},
  images: [],
  translations: {},
}

/** The end of what was made, where no day of the version has it: softly as it was, for good from its keys alone. */
export function removals(version: Version): Told[] {
  if (version === 'solidus-4') return []
  return [
    ...(version === 'spree-2.4' ? [] : [discarded(version), destroyed(version)]),
    {
      name: 'an account is deleted',
      statements: ['delete from spree_users where id = 9001'],
      tells: [
        [
          'user:updated',
          {
            id: 9001,
            email: 'holm@example.com',
            login: 'greta',
            first_name: null,
            last_name: null,
            phone: null,
            created_at: null,
            updated_at: null,
            deleted_at: '<now>',
            bill_address: null,
            ship_address: null,
          },
        ],
      ],
    },
  ]
}

function discarded(version: Version): Told {
  const [product, variant] = isOldest(version) ? [9001, 9101] : [13, 108]
  const tables = [
    ['spree_variants', 'id', variant],
    ['spree_products', 'id', product],
    ...(version === 'spree-2.0' ? [] : [['spree_prices', 'variant_id', variant]]),
    ...(version === 'spree-2.0' ? [] : [['spree_stock_items', 'variant_id', variant]]),
  ]
  const payload: Payload = isOldest(version)
    ? {
        ...bare,
        id: 9001,
        name: 'Sea Chest',
        description: 'Oak.',
        price: '49.5',
        permalink: 'sea-chest',
        sku: 'SC',
        currency: 'USD',
        updated_at: WIRE,
        deleted_at: GONE,
      }
    : {
        ...bare,
        id: 13,
        name: 'Brass Compass',
        price: '34.5',
        available_on: '2026-03-01T00:00:00.000Z',
        permalink: 'brass-compass',
        sku: 'BC-01',
        currency: 'USD',
        updated_at: '2026-03-02T08:00:00.000Z',
        deleted_at: GONE,
        taxons: [['Categories', 'Hardware']],
        properties: { material: 'Brass' },
        translations: {
          de: { ...words, name: 'Brass Compass-de', permalink: 'brass-compass-de' },
          en: { ...words, name: 'Brass Compass', permalink: 'brass-compass' },
        },
        status: 'active',
      }
  return {
    name: 'a product is discarded',
    statements: [
      'begin',
      ...tables.map(([table, key, id]) => `update ${table} set deleted_at = '${GONE}' where ${key} = ${id}`),
      'commit',
    ],
    tells: [['product:update', payload]],
  }
}

const words = { description: null, meta_description: null, meta_keywords: null }

function destroyed(version: Version): Told {
  const [product, variant] = isOldest(version) ? [32, 104] : [17, 112]
  const own: Payload = isOldest(version)
    ? { id: 32, name: 'Chart Case', permalink: 'chart-case', sku: 'CC' }
    : { id: 17, name: 'Tin Mug', permalink: 'tin-mug', sku: 'TM-1' }
  return {
    name: 'a product is destroyed',
    statements: [
      'begin',
      `delete from spree_stock_items where variant_id = ${variant}`,
      `delete from spree_prices where variant_id = ${variant}`,
      `delete from spree_variants where id = ${variant}`,
      ...(version === 'spree-4.7'
        ? [`delete from spree_product_translations where spree_product_id = ${product}`]
        : []),
      `delete from spree_products where id = ${product}`,
      'commit',
    ],
    tells: [['product:update', { ...bare, ...own }]],
  }
}
