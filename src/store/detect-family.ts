import type { Columns } from './columns.ts'
import { StoreError } from './store-error.ts'

export type FamilyName = 'spree-4.10' | 'spree-6.0'

const SUPPORTED =
  'Supported are Spree 4.10 and 6.0; of the others, 3.7 to 4.5, 4.8, 4.9 and 5.x have the tables of 4.10 and are read alike.'

/** Tells the family by tables and columns. @throws StoreError where the database holds no store that we can read. */
export function detectFamily(columns: Columns): FamilyName {
  if (!columns.has('spree_products')) {
    throw new StoreError(
      'not_a_store',
      `Schema "${columns.schema}" of this database has no table spree_products: it holds no Spree store. ` +
        'Point DATABASE_URL at the database of the store; where its tables are in another schema, put that one first in the search_path of the role.',
    )
  }
  if (columns.has('spree_cartons')) throw unsupported('Solidus')
  if (columns.has('spree_fulfillments')) return 'spree-6.0'
  if (!columns.has('spree_stock_items')) throw unsupported('Spree 1.3')
  if (!columns.has('spree_inventory_units', 'quantity') || !columns.has('spree_orders', 'token')) {
    throw unsupported('Spree 2.0 to 3.6')
  }
  // 4.6 and 4.7 moved the names of products into the translations and left them empty here.
  if (columns.has('spree_product_translations', 'name') && columns.isNullable('spree_products', 'name')) {
    throw unsupported('Spree 4.6 or 4.7')
  }
  return 'spree-4.10'
}

function unsupported(found: string): StoreError {
  return new StoreError('unsupported_family', `This database holds ${found}, by its tables. ${SUPPORTED}`)
}
