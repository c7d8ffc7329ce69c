import { rawOrder } from '../messages/raw-order.ts'
import { type ShipmentMarksInbound, shipmentMarksSchema } from '../messages/schemas/wombat-inbound.ts'
import { utcTime } from '../messages/wire.ts'
import { findShipment, lockFound } from '../store/writes/find-shipment.ts'
import { shipShipment } from '../store/writes/ship-shipment.ts'
import { shopOf } from '../store/writes/shop.ts'
import { trackShipment } from '../store/writes/tracking.ts'
import { refuseFamilyOf20 } from '../store/writes/written-family.ts'
import { answerWithOrder } from './answer-with-order.ts'
import { type Handler, NotApplicable } from './handler.ts'
import { guardOf, type Mark } from './newer-change.ts'
import { inOwnTexts } from './own-texts.ts'
import { foreignItems, leftOfShipment } from './shipment-marks.ts'
import { said } from './summary.ts'

/**
 * Lets a parcel leave, and gives it its tracking. Its other states follow from payment and stock: the shop sets them itself,
 * and they are refused as transitions that there are not.
 */
export const updateShipment: Handler<ShipmentMarksInbound> = {
  message: 'update_shipment',
  dialect: 'wombat',
  description: 'Marks a shipment as shipped, with its tracking and the time, or sets its tracking.',
  schema: shipmentMarksSchema,
  async apply(db, store, { message, payload: { shipment: given } }, shape) {
    refuseFamilyOf20(store.family)
    const shop = shopOf(store)
    const number = given.id
    const texts = { unknown_shipment: `Can't find shipment ${number}` }
    const found = await inOwnTexts(texts, () => findShipment(db, shop, number, given.order_id ?? null))
    const whyItStays = await guardOf(db, { kind: 'shipment', id: found.id, number }, given.updated_at)
    const held = await lockFound(db, shop, number, found)
    const snapshot = (await store.orders(db, [held.order.id])).get(held.order.id)
    const order = snapshot === undefined || snapshot instanceof Error ? undefined : rawOrder(snapshot)
    const own = order?.shipments.find(({ id }) => id === Number(held.id))
    if (!order || !own) throw snapshot ?? new Error(`Shipment ${number} was locked, but is not to be read.`)

    // A parcel leaves once: whatever was said of it since, that overwrites nothing.
    const leaves = given.status === 'shipped' && own.state !== 'shipped'
    const judge = async (mark: Omit<Mark, 'given'>, value: string | null | undefined) =>
      value ? whyItStays({ ...mark, given: value }) : undefined
    const stateStays = await judge({ field: 'state', held: own.state, regardless: leaves }, given.status)
    const trackingStays = await judge({ field: 'tracking', held: held.tracking }, given.tracking)
    const stays = [stateStays, trackingStays].filter((why) => why !== undefined)
    const wanted = (!stateStays && given.status) || own.state
    const tracking = (!trackingStays && given.tracking) || null
    const changes = wanted !== own.state || (tracking !== null && tracking !== held.tracking)
    const tell = (done: readonly string[], left: readonly string[]) =>
      answerWithOrder(db, store, held.order.id, shape, said(message, done, left))
    if (stays.length > 0 && !changes) return tell([], stays)

    const foreign = foreignItems(given, own, order)
    if (foreign.length > 0) {
      const diff = JSON.stringify(foreign)
      throw new NotApplicable(
        'other_items',
        `The received shipment items do not match with the shipment, diff: ${diff}`,
      )
    }
    const confirmed = {
      number,
      orderNumber: held.order.number,
      tracking,
      trackingUrl: null,
      carrier: null,
      shippedAt: given.shipped_at ? new Date(utcTime(given.shipped_at)).toISOString() : null,
      pieces: null,
      serials: [],
    }
    const refusal = `Cannot transition shipment from current state: '${own.state}' to requested state: '${wanted}', no transition found.`
    if (wanted === own.state) await trackShipment(db, shop, held, confirmed)
    else if (wanted !== 'shipped') throw new NotApplicable('no_transition', refusal)
    // Of one that is ready the shop's own reason says more.
    else
      await inOwnTexts(own.state === 'ready' ? {} : { not_shippable: refusal }, () =>
        shipShipment(db, store, confirmed),
      )

    const left = leftOfShipment(given, own, order)
    return tell(
      [`Updated shipment ${number}`],
      [...stays, ...(left.length > 0 ? [`Not applied of shipment ${number}: its ${left.join(', ')}`] : [])],
    )
  },
}
