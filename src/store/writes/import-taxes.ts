import { type Amount, amountText, sumOf } from '../../messages/amount.ts'
import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import type { Columns } from '../columns.ts'
import { quoteName } from '../json-sql.ts'
import type { ShippingMethod, Variant, Warn } from './import-references.ts'
import { lineAmount, orderTotals } from './import-totals.ts'
import type { ImportedOrder, ImportedTax } from './imported-order.ts'
import type { Row } from './insert-rows.ts'
import { NotApplicable } from './not-applicable.ts'
import { type OwnRate, shareOfRate } from './tax-rates.ts'

type Taxed = Readonly<{
  /** The row of the address to which the order goes. */
  shipping: Row
  /** In the order of the lines. */
  variants: readonly Variant[]
  /** In the order of the shipments. */
  methods: readonly ShippingMethod[]
}>

/**
 * Solidus counts the taxes of an order anew at each update, placed or not: it sets an adjustment whose source is one of its
 * rates to what the rate makes, adds what is missing and deletes each that comes from another rate, finalized too
 * (`OrderTaxation#update_adjustments`). So an order has from the start the taxes that the store's own rates make. What it
 * pays on top stays its total: where the store asks no tax, it is a charge of the order, which no recount touches.
 * @throws NotApplicable where the store would ask for another total, or only its own code knows what.
 */
export async function countTaxes(
  db: Db,
  columns: Columns,
  order: ImportedOrder,
  taxed: Taxed,
  warn: Warn,
): Promise<ImportedOrder> {
  const rates = await readRates(db, columns, taxed.shipping)
  const taxes = rates.map((rate): ImportedTax => {
    const share = (base: Amount, taxCategoryId: string | null) =>
      shareOfRate(rates, rate, base, taxCategoryId)
    const shares = order.lines.map((line, index) =>
      share(lineAmount(line), taxed.variants[index]?.taxCategoryId ?? null),
    )
    const shipmentShares = order.shipments.map(({ cost }, index) =>
      share(cost, taxed.methods[index]?.taxCategoryId ?? null),
    )
    return {
      label: rate.label,
      amount: sumOf([...shares, ...shipmentShares]),
      included: rate.included,
      shares,
      shipmentShares,
      rateId: rate.id,
    }
  })
  const own = orderTotals({ ...order, taxes })
  const told = orderTotals(order)
  for (const rate of rates) {
    if (rate.countedElsewhere !== null && applies(order, taxed, rate)) throw unknowable(order, rate)
  }
  if (own.includedTax !== told.includedTax) {
    warn(
      'tax in the prices differs',
      `by this store's rates its prices hold ${amountText(own.includedTax)} of tax, the order says ${amountText(told.includedTax)}; the store would count it anew, so it has its own`,
    )
  }
  if (own.additionalTax === told.additionalTax) return { ...order, taxes }
  if (own.additionalTax !== 0n) {
    throw new NotApplicable(
      'tax_differs',
      `Order ${order.number} cannot be imported: it is taxed ${amountText(told.additionalTax)} on top of its prices, and this store's own rates come to ${amountText(own.additionalTax)} there, which it would put in its place at the next update. Set its tax rates and zones so that they agree, then retry.`,
    )
  }
  warn(
    'tax was taken as a charge',
    `this store asks no tax there, so the ${amountText(told.additionalTax)} that it was taxed are a charge of the order, and it says no tax`,
  )
  const charges = order.taxes.filter(({ included }) => !included)
  return { ...order, taxes, fees: [...order.fees, ...charges] }
}

function applies(order: ImportedOrder, { variants, methods }: Taxed, { taxCategoryIds }: OwnRate): boolean {
  const categories = [
    ...order.lines.map((_, index) => variants[index]?.taxCategoryId ?? null),
    ...order.shipments.map((_, index) => methods[index]?.taxCategoryId ?? null),
  ]
  return categories.some((category) => category !== null && taxCategoryIds.includes(category))
}

function unknowable(order: ImportedOrder, { label, countedElsewhere }: OwnRate): NotApplicable {
  return new NotApplicable(
    'tax_not_known',
    `Order ${order.number} cannot be imported: its taxes would be counted anew by the rate ${label}, which ${countedElsewhere}, and only the shop's own code can say to what. Take the order in by the shop, or give the rate the default calculator.`,
  )
}

/** The rates that are in force where the order goes: of each zone that holds the country or the state. */
async function readRates(db: Db, columns: Columns, address: Row): Promise<OwnRate[]> {
  if (!columns.has('spree_tax_rates', 'zone_id') || !columns.has('spree_zone_members')) return []
  const schema = quoteName(columns.schema)
  const inForce = columns.has('spree_tax_rates', 'starts_at')
    ? `and coalesce(r.starts_at < now() at time zone 'utc', true)
       and coalesce(r.expires_at > now() at time zone 'utc', true)`
    : ''
  const categories = columns.has('spree_tax_rate_tax_categories')
    ? `from ${schema}.spree_tax_rate_tax_categories rc
       join ${schema}.spree_tax_categories c on c.id = rc.tax_category_id
      where rc.tax_rate_id = r.id`
    : `from ${schema}.spree_tax_categories c
      where c.id = r.tax_category_id`
  const { rows } = await queryPrepared<OwnRate & { hundredThousandths: string }>(
    db,
    `select r.id::text,
            (r.amount * 100000)::bigint::text as "hundredThousandths",
            coalesce(r.included_in_price, false) as included,
            coalesce(nullif(r.name, ''), category.names, '')
              || case when r.show_rate_in_label
                   then ' ' || regexp_replace((r.amount * 100)::numeric(8, 3)::text, '(\\.\\d+?)0+$', '\\1') || '%'
                   else '' end
              || case when r.included_in_price then ' (Included in Price)' else '' end as label,
            category.ids as "taxCategoryIds",
            case
              when calculator.type <> 'Spree::Calculator::DefaultTax' then 'is counted by ' || calculator.type
              ${columns.has('spree_tax_rates', 'level') ? `when r.level <> 0 then 'is of the order as a whole'` : ''}
            end as "countedElsewhere"
       from ${schema}.spree_tax_rates r
      cross join lateral (
        select coalesce(array_agg(c.id::text), '{}') as ids, string_agg(c.name, ', ' order by c.id) as names
          ${categories}
      ) category
       left join lateral (
         select k.type
           from ${schema}.spree_calculators k
          where k.calculable_type = 'Spree::TaxRate' and k.calculable_id = r.id
          order by k.id
          limit 1
       ) calculator on true
      where ${columns.has('spree_tax_rates', 'deleted_at') ? 'r.deleted_at is null' : 'true'}
        ${inForce}
        and exists (
              select
                from ${schema}.spree_zone_members m
               where m.zone_id = r.zone_id
                 and (m.zoneable_type, m.zoneable_id) in (('Spree::Country', $1::bigint), ('Spree::State', $2::bigint)))
      order by r.id`,
    [address['country_id'], address['state_id']],
  )
  return rows.map(({ hundredThousandths, ...rate }) => ({
    ...rate,
    hundredThousandths: BigInt(hundredThousandths),
  }))
}
