import { rawOrder } from '../messages/raw-order.ts'
import { type OrderImportPayload, orderImportSchema } from '../messages/schemas/order-import.ts'
import { type Handler, type Inbound, NotApplicable, type Notification } from './handler.ts'
import { placeOrder } from './place-order.ts'
import { shaped } from './shaped.ts'

/** Protocol §7.3. A number is imported once: a message that brings it again is refused, whatever it holds. */
export const orderImport: Handler<OrderImportPayload> = {
  message: 'order:import',
  description: 'Places the order, given in the generic form, in the store; once per number.',
  schema: orderImportSchema,
  async apply(db, store, inbound, shape) {
    const cuts: Notification[] = []
    const given = truncated(inbound, cuts)
    const { id, notifications } = await placeOrder(db, store, given, cuts)
    const snapshot = (await store.orders(db, [id])).get(id)
    if (snapshot === undefined || snapshot instanceof Error) {
      throw snapshot ?? new Error(`Order ${given.number} was written, but is not to be read.`)
    }
    const told = await shaped(db, 'order:persist', rawOrder(snapshot), shape)
    if (!(told instanceof Error)) return { notifications, details: told ? { order: told } : {} }
    const description = `order ${given.number}: not told: ${told.message}`
    return {
      notifications: [...notifications, { level: 'warn', subject: 'order was not told', description }],
      details: {},
    }
  },
}

const TRUNCATE = 'truncate_address_address1'

/** The order with `address1` cut to the length that a parameter of the mapping sets. */
function truncated(
  { payload: { order }, parameters }: Inbound<OrderImportPayload>,
  notifications: Notification[],
): OrderImportPayload['order'] {
  const value = parameters.get(TRUNCATE) ?? parameters.get(`spree.${TRUNCATE}`)
  if (value === undefined || value === null || value === '') return order
  const length = Number(value)
  if (!Number.isInteger(length) || length < 1) {
    throw new NotApplicable(
      'bad_parameter',
      `The parameter ${TRUNCATE} is ${JSON.stringify(value)}: it must be a length.`,
    )
  }
  const cut = <Address extends OrderImportPayload['order']['shipping_address']>(
    address: Address,
  ): Address => {
    const characters = [...address.address1]
    if (characters.length <= length) return address
    const address1 = characters.slice(0, length).join('')
    notifications.push({
      level: 'warn',
      subject: 'address1 was truncated',
      description: `address1 was truncated from '${address.address1}' to '${address1}'`,
    })
    return { ...address, address1 }
  }
  return {
    ...order,
    shipping_address: cut(order.shipping_address),
    billing_address: order.billing_address && cut(order.billing_address),
  }
}
