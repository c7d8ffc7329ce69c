import type { Columns } from '../columns.ts'
import type { FamilyName } from '../detect-family.ts'
import type { Family } from '../family.ts'
import { quoteName } from '../json-sql.ts'
import { spree4 } from './spree-4.ts'

/**
 * Spree 2.0 and 2.1: what is charged besides the goods is an adjustment of the order, its originator the rate, the shipping
 * method or the promotion. Only tax that is in the prices already hangs on the lines. No column says any of the sums.
 */
export function spree2(columns: Columns, name: FamilyName, told: Readonly<{ carts: boolean }>): Family {
  const schema = quoteName(columns.schema)
  // Two look-ups by the one index that there is.
  const ofOrder = `(
              select a.*
                from ${schema}.spree_adjustments a
               where a.adjustable_type = 'Spree::Order'
                 and a.adjustable_id = o.id
               union all
              select a.*
                from ${schema}.spree_line_items l
                join ${schema}.spree_adjustments a on a.adjustable_type = 'Spree::LineItem' and a.adjustable_id = l.id
               where l.order_id = o.id) a
             where true`
  const sum = (condition: string) => `(
            select coalesce(sum(a.amount), 0)
              from ${ofOrder}
               and coalesce(a.eligible, true)
               and ${condition})`
  const isTax = `a.originator_type = 'Spree::TaxRate'`
  const isShipping = `a.originator_type = 'Spree::ShippingMethod'`
  const isIncluded = columns.has('spree_adjustments', 'included')
    ? `(a.adjustable_type = 'Spree::LineItem' or coalesce(a.included, false))`
    : `(a.adjustable_type = 'Spree::LineItem')`
  return spree4(columns, name, told, {
    taxes: { included: sum(`${isTax} and ${isIncluded}`), additional: sum(`${isTax} and not ${isIncluded}`) },
    shipTotal: sum(isShipping),
    // The column is not written.
    shipmentCost: `coalesce((
                     select sum(a.amount)
                       from ${ofOrder}
                        and ${isShipping}
                        and a.source_type = 'Spree::Shipment'
                        and a.source_id = s.id), s.cost)`,
    adjusts: { parent: 'adjustable_id', owner: 'adjustable' },
    originator: 'a.originator_type',
    included: isIncluded,
    ofOrder: () => ofOrder,
  })
}
