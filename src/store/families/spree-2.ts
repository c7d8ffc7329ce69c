import type { Columns } from '../columns.ts'
import type { FamilyName } from '../detect-family.ts'
import type { Family } from '../family.ts'
import { quoteName } from '../json-sql.ts'
import { spree4 } from './spree-4.ts'

/**
 * Spree 2.0 and 2.1: what is charged besides the goods is an adjustment of the order, its originator the rate, the shipping
 * method or the promotion. Only tax that is in the prices already hangs on the lines. No column says any of the sums.
 */
export function spree2(columns: Columns, name: FamilyName): Family {
  const schema = quoteName(columns.schema)
  const ofOrder = `(a.adjustable_type = 'Spree::Order' and a.adjustable_id = o.id
                    or a.adjustable_type = 'Spree::LineItem'
                       and a.adjustable_id in (select l.id from ${schema}.spree_line_items l where l.order_id = o.id))`
  const included = columns.has('spree_adjustments', 'included') ? 'coalesce(a.included, false)' : 'false'
  const sum = (condition: string) => `(select coalesce(sum(a.amount), 0)
             from ${schema}.spree_adjustments a
            where ${ofOrder}
              and coalesce(a.eligible, true)
              and ${condition})`
  const isTax = `a.originator_type = 'Spree::TaxRate'`
  const isIncluded = `(a.adjustable_type = 'Spree::LineItem' or ${included})`
  const isShipping = `a.originator_type = 'Spree::ShippingMethod'`
  return spree4(columns, name, {
    taxes: { included: sum(`${isTax} and ${isIncluded}`), additional: sum(`${isTax} and not ${isIncluded}`) },
    shipTotal: sum(isShipping),
    // The column is not written.
    shipmentCost: `coalesce(
                     (select sum(a.amount)
                        from ${schema}.spree_adjustments a
                       where a.source_type = 'Spree::Shipment'
                         and a.source_id = s.id
                         and ${isShipping}), s.cost)`,
    originator: 'a.originator_type',
    included: isIncluded,
    ofOrder,
  })
}
