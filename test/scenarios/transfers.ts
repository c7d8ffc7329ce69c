import type { StoreFamily } from '../support/stores.ts'
import type { Act } from './other-programs.ts'

const AT = '2026-04-01 10:00:00'
const LATER = '2026-04-01 11:00:00'

/** Of variant 9104, from location 9001 to 9002, after what other programs and customer 9001 did. */
export function transfers(family: StoreFamily): Act[] {
  return family === 'spree-4.10' ? inFour : inSix
}

const inFour: Act[] = [
  {
    name: 'goods go from one place to another',
    statements: [
      `insert into spree_stock_locations (id, name, address1, city, zipcode, country_id, created_at, updated_at)
       values (9002, 'Pier', 'Pier 3', 'Bergen', '5003', 9001, '${AT}', '${AT}')`,
      `insert into spree_stock_items (id, variant_id, stock_location_id, count_on_hand, backorderable, created_at, updated_at)
       values (9395, 9104, 9001, 10, false, '${AT}', '${AT}'), (9396, 9104, 9002, 0, true, '${AT}', '${AT}')`,
      'begin',
      `insert into spree_stock_transfers (id, number, reference, source_location_id, destination_location_id,
                                          created_at, updated_at)
       values (9501, 'T9501', 'PO-7', 9001, 9002, '${AT}', '${AT}')`,
      'update spree_stock_items set count_on_hand = count_on_hand - 4 where id = 9395',
      `insert into spree_stock_movements (id, stock_item_id, quantity, originator_type, originator_id, created_at, updated_at)
       values (9601, 9395, -4, 'Spree::StockTransfer', 9501, '${AT}', '${AT}')`,
      'update spree_stock_items set count_on_hand = count_on_hand + 4 where id = 9396',
      `insert into spree_stock_movements (id, stock_item_id, quantity, originator_type, originator_id, created_at, updated_at)
       values (9602, 9396, 4, 'Spree::StockTransfer', 9501, '${AT}', '${AT}')`,
      `update spree_stock_transfers set updated_at = '${LATER}' where id = 9501`,
      'commit',
    ],
  },
  {
    name: 'a sale, and another reference of the transfer',
    statements: [
      'update spree_stock_items set count_on_hand = count_on_hand - 1 where id = 9395',
      `update spree_stock_transfers set reference = 'PO-8' where id = 9501`,
    ],
  },
]

const inSix: Act[] = [
  {
    name: 'a transfer is planned',
    statements: [
      `insert into spree_stock_locations (id, name, address1, city, zipcode, country_code, created_at, updated_at)
       values (9002, 'Pier', 'Pier 3', 'Bergen', '5003', 'ZZ', '${AT}', '${AT}')`,
      `insert into spree_stock_levels (id, variant_id, stock_location_id, count_on_hand, backorderable, created_at, updated_at)
       values (9395, 9104, 9001, 10, false, '${AT}', '${AT}'), (9396, 9104, 9002, 0, true, '${AT}', '${AT}')`,
      'begin',
      `insert into spree_stock_transfers (id, number, reference, source_location_id, destination_location_id, status,
                                          created_at, updated_at)
       values (9501, 'T9501', 'PO-7', 9001, 9002, 'draft', '${AT}', '${AT}')`,
      `insert into spree_stock_transfer_items (id, stock_transfer_id, variant_id, created_at, updated_at)
       values (9701, 9501, 9104, '${AT}', '${AT}')`,
      'commit',
    ],
  },
  {
    name: 'the goods leave',
    statements: [
      'begin',
      `update spree_stock_transfers set status = 'in_transit', shipped_at = '${LATER}' where id = 9501`,
      'update spree_stock_transfer_items set quantity_shipped = 4 where id = 9701',
      'update spree_stock_levels set count_on_hand = count_on_hand - 4 where id = 9395',
      `insert into spree_stock_movements (id, stock_level_id, quantity, kind, stock_transfer_id, created_at, updated_at)
       values (9601, 9395, -4, 'transferred', 9501, '${AT}', '${AT}')`,
      'commit',
    ],
  },
  {
    name: 'the goods arrive, three of four',
    statements: [
      'begin',
      'update spree_stock_transfer_items set quantity_received = 3, quantity_rejected = 1 where id = 9701',
      'update spree_stock_levels set count_on_hand = count_on_hand + 3 where id = 9396',
      `insert into spree_stock_movements (id, stock_level_id, quantity, kind, stock_transfer_id, created_at, updated_at)
       values (9602, 9396, 3, 'transferred', 9501, '${AT}', '${AT}')`,
      'commit',
    ],
  },
]
