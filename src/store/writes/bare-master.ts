import type { Shop } from './shop.ts'

/** 5.x (`Variant#remove_prices_from_master_variant`): a master `v` beside other variants has neither prices nor stock. */
export function isBareMaster(shop: Shop): string {
  if (!shop.isSpree5 || !shop.masters) return 'false'
  return `(v.is_master
        and exists (
              select
                from ${shop.table('spree_variants')} other
               where other.product_id = v.product_id
                 and not coalesce(other.is_master, false)
                 and other.deleted_at is null))`
}
