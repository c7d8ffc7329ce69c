import { keepsNamesInTranslations } from './catalogue-words.ts'
import type { Columns } from './columns.ts'
import { StoreError } from './store-error.ts'

/**
 * After the newest version of each: 2.0 and 2.1, 2.2 to 2.4, 3.0 to 3.6, 3.7 to 5.x without 4.6 and 4.7, those two, 6.x;
 * Solidus is one from 2.x to 4.x.
 */
export type FamilyName =
  | 'spree-2.1'
  | 'spree-2.4'
  | 'spree-3.6'
  | 'spree-4.7'
  | 'spree-4.10'
  | 'spree-6.0'
  | 'solidus'

const SUPPORTED = 'Supported are Spree from 2.0 to 6.x, and Solidus.'

/** Tells the family by tables and columns. @throws StoreError where the database holds no store that we can read. */
export function detectFamily(columns: Columns): FamilyName {
  if (!columns.has('spree_products')) {
    throw new StoreError(
      'not_a_store',
      `Schema "${columns.schema}" of this database has no table spree_products: it holds no Spree store. ` +
        'Point DATABASE_URL at the database of the store; where its tables are in another schema, put that one first in the search_path of the role.',
    )
  }
  // What left the house in one box: in every Solidus, and in no Spree.
  if (columns.has('spree_cartons')) return 'solidus'
  if (columns.has('spree_fulfillments')) return 'spree-6.0'
  if (!columns.has('spree_stock_items')) {
    throw unsupported('Spree 1.3 or older, which counts stock in the variants themselves')
  }
  if (!columns.has('spree_orders', 'shipment_total')) return 'spree-2.1'
  if (!columns.has('spree_payments', 'number')) return 'spree-2.4'
  if (!columns.has('spree_orders', 'token')) return 'spree-3.6'
  if (keepsNamesInTranslations(columns)) return 'spree-4.7'
  return 'spree-4.10'
}

function unsupported(found: string): StoreError {
  return new StoreError('unsupported_family', `This database holds ${found}, by its tables. ${SUPPORTED}`)
}
