import type { Change, Row, StoreRows } from '../support/audit.ts'

/** Which row belongs where, by all that any row ever said. */
export type Relations = Readonly<{
  /** The store's default currency: the one in which messages name prices. */
  currency: string
  productOfVariant: ReadonlyMap<string, string>
  /** Product → its master variant, where the family has masters. */
  masterOf: ReadonlyMap<string, string>
  productsOfSku: ReadonlyMap<string, ReadonlySet<string>>
  ordersOfAddress: ReadonlyMap<string, ReadonlySet<string>>
  /** Address → those whose default it is. */
  customersOfAddress: ReadonlyMap<string, ReadonlySet<string>>
  orderOfShipment: ReadonlyMap<string, string>
}>

export function relate(seed: StoreRows, now: StoreRows, changes: readonly Change[]): Relations {
  const versions = (table: string): Row[] =>
    [
      ...(seed.get(table)?.values() ?? []),
      ...changes.filter((change) => change.table === table).flatMap(({ old, new: later }) => [old, later]),
      ...(now.get(table)?.values() ?? []),
    ].filter((row): row is Row => row !== null)

  const productOfVariant = new Map<string, string>()
  const masterOf = new Map<string, string>()
  const productsOfSku = new Map<string, Set<string>>()
  for (const row of versions('spree_variants')) {
    const product = String(row['product_id'])
    productOfVariant.set(String(row['id']), product)
    if (row['is_master'] === true) masterOf.set(product, String(row['id']))
    if (row['sku'] !== '') addTo(productsOfSku, String(row['sku']), product)
  }
  const byAddress = (...tables: string[]) => {
    const owners = new Map<string, Set<string>>()
    for (const row of tables.flatMap(versions))
      for (const address of [row['bill_address_id'], row['ship_address_id']])
        if (address !== null) addTo(owners, String(address), String(row['id']))
    return owners
  }
  const orderOfShipment = new Map<string, string>()
  for (const row of versions('spree_fulfillments'))
    if (row['order_id'] !== null) orderOfShipment.set(String(row['id']), String(row['order_id']))

  const stores = [...(now.get('spree_stores')?.values() ?? [])]
  const home = stores.find((row) => row['default'] === true)
  return {
    currency: String(home?.['default_currency']),
    productOfVariant,
    masterOf,
    productsOfSku,
    ordersOfAddress: byAddress('spree_orders'),
    customersOfAddress: byAddress('spree_users', 'spree_customers'),
    orderOfShipment,
  }
}

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key)
  if (set) set.add(value)
  else sets.set(key, new Set([value]))
}
