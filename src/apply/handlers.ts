import { addCustomer } from './add-customer.ts'
import { addOrder } from './add-order.ts'
import { addProduct } from './add-product.ts'
import type { Handler } from './handler.ts'
import { hubPoll } from './hub-poll.ts'
import { orderCapture } from './order-capture.ts'
import { orderImport } from './order-import.ts'
import { orderShip } from './order-ship.ts'
import { productNew } from './product-new.ts'
import { productUpdate } from './product-update.ts'
import { setInventory } from './set-inventory.ts'
import { setPrice } from './set-price.ts'
import { shipmentConfirm } from './shipment-confirm.ts'
import { stockActual } from './stock-actual.ts'
import { stockChange } from './stock-change.ts'
import { updateCustomer } from './update-customer.ts'
import { updateOrder } from './update-order.ts'
import { updateProduct } from './update-product.ts'
import { updateShipment } from './update-shipment.ts'

/** The types of messages that this endpoint applies. */
export type Handlers = readonly Handler<unknown>[]

/** Of the seed's dialect. */
const MESSAGES: Handlers = [
  stockChange,
  stockActual,
  productNew,
  productUpdate,
  orderImport,
  shipmentConfirm,
  orderShip,
  orderCapture,
  hubPoll,
]

/** Of Wombat's. */
const OBJECTS: Handlers = [
  setInventory,
  setPrice,
  addProduct,
  updateProduct,
  addOrder,
  updateOrder,
  updateShipment,
  addCustomer,
  updateCustomer,
]

/** Adding one is one line. */
export const HANDLERS: Handlers = [...MESSAGES, ...OBJECTS]

export function handlerOf(handlers: Handlers, message: string): Handler<unknown> | undefined {
  return handlers.find((handler) => handler.message === message)
}

/** `stock:change` is the service `stock_change`: names hold no colon (protocol §3.7). */
export function serviceName({ message }: Handler<unknown>): string {
  return message.replaceAll(':', '_')
}

/** A parameter that a service may be given, as `endpoint.json` describes it: named there without the prefix `spree.`. */
export type Parameter = Readonly<{
  name: string
  description: string
  data_type: 'string' | 'boolean' | 'integer' | 'list'
  default?: string
  optional: true
}>

const FORCE_QUANTITY: Parameter = {
  name: 'force_quantity',
  description: 'Take the quantity for the new level instead of adding it.',
  data_type: 'boolean',
  default: 'false',
  optional: true,
}
const STOCK_LOCATION_ID: Parameter = {
  name: 'stock_location_id',
  description: 'The id of the stock location whose level changes; without it the default location.',
  data_type: 'integer',
  optional: true,
}
const TRUNCATE_ADDRESS1: Parameter = {
  name: 'truncate_address_address1',
  description: 'The longest address1 that the order may have; what is longer is cut, with a warning.',
  data_type: 'integer',
  optional: true,
}

const LAST_UPDATED_AT: Parameter = {
  name: 'collections_poll.last_updated_at',
  description:
    'From when on each collection is polled: a list of one-key objects, which each answer brings up to date.',
  data_type: 'list',
  optional: true,
}
const PER_PAGE: Parameter = {
  name: 'collections_poll.per_page',
  description: 'How many objects of each collection one poll brings, 50 at most.',
  data_type: 'list',
  default: '20',
  optional: true,
}

const PARAMETERS: Readonly<Record<string, readonly Parameter[]>> = {
  'stock:change': [FORCE_QUANTITY, STOCK_LOCATION_ID],
  'stock:actual': [STOCK_LOCATION_ID],
  'order:import': [TRUNCATE_ADDRESS1],
  'hub:poll': [LAST_UPDATED_AT, PER_PAGE],
}

export function parametersOf({ message }: Handler<unknown>): readonly Parameter[] {
  return PARAMETERS[message] ?? []
}
