import type { z } from 'zod'

import type { MessageType } from '../message.ts'
import { announcedCartSchema } from './cart-message.ts'
import { announcedCustomerSchema } from './customer-message.ts'
import {
  cartObjectSchema,
  customerObjectSchema,
  customerReturnObjectSchema,
  inventoryObjectSchema,
  orderObjectSchema,
  productObjectSchema,
  shipmentObjectSchema,
} from './object-messages.ts'
import { announcedOrderSchema } from './order-message.ts'
import {
  confirmedShipmentSchema,
  paymentMessageSchema,
  readyShipmentSchema,
  toldOrderSchema,
  updatedOrderSchema,
} from './order-messages.ts'
import { announcedProductSchema } from './product-message.ts'
import { announcedCustomerReturnSchema, announcedReturnAuthorizationSchema } from './return-message.ts'
import { stockMessageSchema } from './stock-message.ts'
import { announcedStockTransferSchema } from './stock-transfer-message.ts'

/** Of each type that the bridge announces: the schema of its payload; of each object: its own. */
export const messageSchemas = {
  'product:new': announcedProductSchema,
  'product:update': announcedProductSchema,
  'stock:change': stockMessageSchema,
  'stock:actual': stockMessageSchema,
  'order:persist': announcedOrderSchema,
  'order:new': toldOrderSchema,
  'order:updated': updatedOrderSchema,
  'order:canceled': toldOrderSchema,
  'shipment:ready': readyShipmentSchema,
  'shipment:confirm': confirmedShipmentSchema,
  'payment:ready': paymentMessageSchema,
  'payment:capture': paymentMessageSchema,
  'return_authorization:new': announcedReturnAuthorizationSchema,
  'return_authorization:updated': announcedReturnAuthorizationSchema,
  'customer_return:new': announcedCustomerReturnSchema,
  'customer_return:updated': announcedCustomerReturnSchema,
  'stock_transfer:persist': announcedStockTransferSchema,
  'user:new': announcedCustomerSchema,
  'user:updated': announcedCustomerSchema,
  'cart:new': announcedCartSchema,
  'cart:updated': announcedCartSchema,
  products: productObjectSchema,
  inventories: inventoryObjectSchema,
  orders: orderObjectSchema,
  shipments: shipmentObjectSchema,
  customer_returns: customerReturnObjectSchema,
  customers: customerObjectSchema,
  carts: cartObjectSchema,
} as const satisfies Readonly<Record<MessageType, z.ZodType>>
