// What somebody would write for the same rows of Spree 4.10 who needs the JSON and nothing else: rows as they are, one
// statement, each child in its parent.

export const productByHand = `
select (select row_to_json(product)
          from (select p.*,
                       (select json_agg(variant order by variant.id)
                          from (select v.*,
                                       (select row_to_json(pr)
                                          from spree_prices pr
                                         where pr.variant_id = v.id and pr.deleted_at is null and pr.currency = 'USD'
                                         order by pr.id
                                         limit 1) as price,
                                       (select json_agg(json_build_object('name', ov.name, 'type', ot.name) order by ot.position)
                                          from spree_option_value_variants ovv
                                          join spree_option_values ov on ov.id = ovv.option_value_id
                                          join spree_option_types ot on ot.id = ov.option_type_id
                                         where ovv.variant_id = v.id) as options
                                  from spree_variants v
                                 where v.product_id = p.id and v.deleted_at is null) variant) as variants) product)::text as json
  from spree_products p
 where p.id = any($1::bigint[])`

const address = (id: string) => `
                       (select row_to_json(address)
                          from (select a.*,
                                       (select row_to_json(c) from spree_countries c where c.id = a.country_id) as country,
                                       (select row_to_json(st) from spree_states st where st.id = a.state_id) as state
                                  from spree_addresses a
                                 where a.id = ${id}) address)`

export const orderByHand = `
select (select row_to_json(whole)
          from (select o.*,
                       ${address('o.bill_address_id')} as bill_address,
                       ${address('o.ship_address_id')} as ship_address,
                       (select json_agg(line order by line.id)
                          from (select l.*,
                                       (select row_to_json(variant)
                                          from (select v.*, p.name, p.slug,
                                                       (select json_agg(json_build_object('name', ov.name, 'presentation', ov.presentation,
                                                                                          'type', ot.name) order by ot.position)
                                                          from spree_option_value_variants ovv
                                                          join spree_option_values ov on ov.id = ovv.option_value_id
                                                          join spree_option_types ot on ot.id = ov.option_type_id
                                                         where ovv.variant_id = v.id) as option_values,
                                                       (select json_agg(a order by a.position)
                                                          from spree_assets a
                                                         where a.viewable_type = 'Spree::Variant' and a.viewable_id = v.id) as images
                                                  from spree_variants v
                                                  join spree_products p on p.id = v.product_id
                                                 where v.id = l.variant_id) variant) as variant
                                  from spree_line_items l
                                 where l.order_id = o.id) line) as line_items,
                       (select json_agg(payment order by payment.id)
                          from (select p.*,
                                       (select row_to_json(m) from spree_payment_methods m where m.id = p.payment_method_id) as payment_method,
                                       (select json_agg(r order by r.id) from spree_refunds r where r.payment_id = p.id) as refunds,
                                       (select row_to_json(c) from spree_credit_cards c
                                         where p.source_type = 'Spree::CreditCard' and c.id = p.source_id) as credit_card
                                  from spree_payments p
                                 where p.order_id = o.id) payment) as payments,
                       (select json_agg(shipment order by shipment.id)
                          from (select s.*,
                                       (select l.name from spree_stock_locations l where l.id = s.stock_location_id) as stock_location_name,
                                       (select json_agg(u order by u.id) from spree_inventory_units u where u.shipment_id = s.id) as inventory_units,
                                       (select json_agg(r order by r.id) from spree_shipping_rates r where r.shipment_id = s.id) as shipping_rates,
                                       (select row_to_json(m)
                                          from spree_shipping_rates r
                                          join spree_shipping_methods m on m.id = r.shipping_method_id
                                         where r.shipment_id = s.id and r.selected
                                         limit 1) as shipping_method
                                  from spree_shipments s
                                 where s.order_id = o.id) shipment) as shipments,
                       (select json_agg(a order by a.id) from spree_adjustments a where a.order_id = o.id) as adjustments,
                       (select json_agg(ra order by ra.id) from spree_return_authorizations ra where ra.order_id = o.id) as return_authorizations) whole)::text as json
  from spree_orders o
 where o.id = any($1::bigint[])`
