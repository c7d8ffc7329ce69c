import type { StockTransferPayload } from '../schemas/stock-transfer-message.ts'

type Movement = StockTransferPayload['source_movements'][number]

const place = (id: number, name: string, city: string) => ({
  id,
  name,
  address1: 'Pier 3',
  address2: null,
  city,
  zipcode: '04101',
  phone: null,
  country_id: 232,
  state_id: null,
  state_name: 'Maine',
  country: {
    id: 232,
    iso_name: 'UNITED STATES',
    iso: 'US',
    iso3: 'USA',
    name: 'United States',
    numcode: 840,
  },
  state: null,
})

const movement = (id: number, quantity: number, locationId: number, level: number): Movement => ({
  id,
  quantity,
  stock_item_id: 500 + id,
  stock_item: {
    id: 500 + id,
    count_on_hand: level,
    backorderable: false,
    stock_location_id: locationId,
    variant_id: 15,
    variant: {
      id: 15,
      name: 'Storm Lantern',
      product_id: 15,
      sku: 'SL-7',
      price: '47.5',
      weight: '1.2',
      height: null,
      width: null,
      depth: null,
      is_master: true,
      cost_price: null,
      permalink: 'storm-lantern',
    },
  },
})

/** Ten lanterns go from one warehouse to the other. */
export const movedStock: StockTransferPayload = {
  id: 41,
  number: 'T400000041',
  reference_number: 'PO-7',
  created_at: '2026-03-12T07:00:00.000Z',
  updated_at: '2026-03-12T07:00:00.000Z',
  source_location: place(1, 'Portland warehouse', 'Portland'),
  source_movements: [movement(1, -10, 1, 15)],
  destination_location: place(2, 'Harbour shop', 'Rockland'),
  destination_movements: [movement(2, 10, 2, 10)],
}
