import type { Db } from '../../src/postgres/pool.ts'
import type { FiveStore, StoreFamily } from './stores.ts'

type Sums = Readonly<Record<string, number>>

const COMMON = `
  'item_total', (select sum(l.price * l.quantity) from spree_line_items l where l.order_id = o.id),
  'quantity', (select sum(l.quantity) from spree_line_items l where l.order_id = o.id),
  'payment_total', (select coalesce(sum(p.amount), 0) from spree_payments p
                     where p.order_id = o.id and {{payment}} = 'completed'),
  'included_tax_total', (select sum(l.included_tax_total) from spree_line_items l where l.order_id = o.id),
  'additional_tax_total', (select sum(l.additional_tax_total) from spree_line_items l where l.order_id = o.id)`

// The sums as Spree's own updater takes them: from the rows upwards.
const RECALCULATED: Readonly<Record<StoreFamily | 'solidus-4', string>> = {
  'spree-4.10': `
    select jsonb_build_object(
             ${COMMON.replace('{{payment}}', 'p.state')},
             'shipping', (select sum(s.cost) from spree_shipments s where s.order_id = o.id),
             'units', (select sum(u.quantity) from spree_inventory_units u where u.order_id = o.id),
             'lines', (select coalesce(sum(a.amount), 0) from spree_adjustments a
                        where a.order_id = o.id and a.adjustable_type = 'Spree::LineItem'
                          and a.source_type = 'Spree::TaxRate' and not a.included),
             'included', (select coalesce(sum(a.amount), 0) from spree_adjustments a
                           where a.order_id = o.id and a.adjustable_type = 'Spree::LineItem' and a.included),
             'adjustment_total', (select coalesce(sum(a.amount), 0) from spree_adjustments a
                                   where a.order_id = o.id and a.eligible and not a.included),
             'pre_tax', (select sum(l.price * l.quantity - l.included_tax_total)
                           from spree_line_items l where l.order_id = o.id),
             'total', o.item_total + o.shipment_total + o.adjustment_total) as recalculated,
           jsonb_build_object(
             'item_total', o.item_total, 'quantity', o.item_count, 'payment_total', o.payment_total,
             'included_tax_total', o.included_tax_total, 'additional_tax_total', o.additional_tax_total,
             'shipping', o.shipment_total, 'units', o.item_count,
             'lines', (select sum(l.adjustment_total) from spree_line_items l where l.order_id = o.id),
             'included', o.included_tax_total, 'adjustment_total', o.adjustment_total,
             'pre_tax', (select sum(l.pre_tax_amount) from spree_line_items l where l.order_id = o.id),
             'total', o.total) as stored
      from spree_orders o
     where o.number = $1`,
  'spree-6.0': `
    select jsonb_build_object(
             ${COMMON.replace('{{payment}}', 'p.status')},
             'shipping', (select sum(f.cost) from spree_fulfillments f where f.order_id = o.id),
             'units', (select sum(u.quantity) from spree_fulfillment_items u where u.order_id = o.id),
             'lines', (select coalesce(sum(t.amount), 0) from spree_tax_lines t
                        where t.order_id = o.id and not t.included and t.line_item_id is not null)
                    + (select coalesce(sum(d.amount), 0) from spree_discounts d where d.order_id = o.id),
             'included', (select coalesce(sum(t.amount), 0) from spree_tax_lines t
                           where t.order_id = o.id and t.included),
             'adjustment_total', o.discount_total + o.additional_tax_total,
             'discounts', (select sum(l.discount_total) from spree_line_items l where l.order_id = o.id),
             'fees', (select coalesce(sum(e.amount), 0) from spree_fees e where e.order_id = o.id),
             'pre_tax', (select sum(l.price * l.quantity + l.discount_total - l.included_tax_total)
                           from spree_line_items l where l.order_id = o.id),
             'total', o.item_total + o.delivery_total + o.adjustment_total + o.fee_total) as recalculated,
           jsonb_build_object(
             'item_total', o.item_total, 'quantity', o.total_quantity, 'payment_total', o.payment_total,
             'included_tax_total', o.included_tax_total, 'additional_tax_total', o.additional_tax_total,
             'shipping', o.delivery_total, 'units', o.total_quantity,
             'lines', (select sum(l.adjustment_total) from spree_line_items l where l.order_id = o.id),
             'included', o.included_tax_total, 'adjustment_total', o.adjustment_total,
             'discounts', o.discount_total, 'fees', o.fee_total,
             'pre_tax', (select sum(l.pre_tax_amount) from spree_line_items l where l.order_id = o.id),
             'total', o.total) as stored
      from spree_orders o
     where o.number = $1`,
  // `OrderUpdater#recalculate`: the parts from their adjustments, the order from all of them.
  'solidus-4': `
    select jsonb_build_object(
             'item_total', (select sum(l.price * l.quantity) from spree_line_items l where l.order_id = o.id),
             'quantity', (select sum(l.quantity) from spree_line_items l where l.order_id = o.id),
             'units', (select count(*) from spree_inventory_units u
                         join spree_shipments s on s.id = u.shipment_id where s.order_id = o.id),
             'shipping', (select sum(s.cost) from spree_shipments s where s.order_id = o.id),
             'payment_total', (select coalesce(sum(p.amount), 0) from spree_payments p
                                where p.order_id = o.id and p.state = 'completed'),
             'parts', (select coalesce(sum(a.amount), 0) from spree_adjustments a
                        where a.order_id = o.id and a.adjustable_type <> 'Spree::Order' and not a.included),
             'included', (select coalesce(sum(a.amount), 0) from spree_adjustments a
                           where a.order_id = o.id and a.included),
             'included_parts', o.included_tax_total,
             'additional', (select coalesce(sum(a.amount), 0) from spree_adjustments a
                             where a.order_id = o.id and not a.included and a.source_type = 'Spree::TaxRate'),
             'adjustment_total', (select coalesce(sum(a.amount), 0) from spree_adjustments a
                                   where a.order_id = o.id and not a.included),
             'total', o.item_total + o.shipment_total + o.adjustment_total) as recalculated,
           jsonb_build_object(
             'item_total', o.item_total, 'quantity', o.item_count, 'units', o.item_count,
             'shipping', o.shipment_total, 'payment_total', o.payment_total,
             'parts', (select sum(l.adjustment_total) from spree_line_items l where l.order_id = o.id)
                    + (select sum(s.adjustment_total) from spree_shipments s where s.order_id = o.id),
             'included', o.included_tax_total,
             'included_parts', (select sum(l.included_tax_total) from spree_line_items l where l.order_id = o.id)
                    + (select sum(s.included_tax_total) from spree_shipments s where s.order_id = o.id),
             'additional', o.additional_tax_total, 'adjustment_total', o.adjustment_total,
             'total', o.total) as stored
      from spree_orders o
     where o.number = $1`,
}

/** An order's sums as they are stored, and as they come out of its rows. */
export async function recalculate(
  db: Db,
  family: StoreFamily | FiveStore | 'solidus-4',
  number: string,
): Promise<{ stored: Sums; recalculated: Sums }> {
  const { rows } = await db.query<{ stored: Sums; recalculated: Sums }>(
    // The sums of 5.6 are those of 4.10.
    RECALCULATED[family === 'spree-5.6' ? 'spree-4.10' : family],
    [number],
  )
  const [row] = rows
  if (!row) throw new Error(`No order ${number}.`)
  return row
}
