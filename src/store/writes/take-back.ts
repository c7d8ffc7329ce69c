import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../store.ts'
import { receiveCustomerReturn } from './customer-return.ts'
import { lockOrderOfNumber } from './find-order.ts'
import { NotApplicable } from './not-applicable.ts'
import { piecesBySku } from './pieces-by-sku.ts'
import { chooseLines, isOpen, lockReturnLines, receiveReturn } from './return-of-six.ts'
import { chooseUnits, lockReturnUnits, processedBy, rmaReceivedBy } from './returnable-units.ts'
import type { ReceivedReturn, ReturnedGoods } from './returned-goods.ts'
import { shopOf } from './shop.ts'
import { findLocation } from './stock-place.ts'

/** Goods that can come back: by `receive`, or that have been back before, with the return of that number. */
export type TakenBack = Readonly<{
  /** All of them are back, and nothing else that it could be. */
  processedBy: string | null
  /** What the RMA authorizes is back; other pieces of the order are not. */
  rmaReceivedBy: string | null
  /** @throws NotApplicable where there are too few of them, or the shop would not take them. */
  receive(): Promise<ReceivedReturn>
}>

/**
 * Looks what goods are that come back, with their order locked until the transaction ends.
 * @throws NotApplicable for an unknown location or order, and where the store is too old to have returns of pieces.
 */
export async function findReturned(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  goods: ReturnedGoods,
): Promise<TakenBack> {
  const shop = shopOf(store)
  const isSix = shop.family === 'spree-6.0'
  if (!shop.columns.has(isSix ? 'spree_returns' : 'spree_customer_returns'))
    throw new NotApplicable(
      'no_customer_returns',
      'This store has no table spree_customer_returns: Spree has it since 2.4. Receive the return in the shop, then discard this.',
    )
  const location = await findLocation(db, shop, { name: goods.location })
  const order = await lockOrderOfNumber(db, shop, goods.orderNumber)
  if (isSix) {
    const lines = await lockReturnLines(db, shop, order.id, goods)
    return {
      ...receivedOfSix(lines, goods),
      receive: () => receiveReturn(db, shop, order, location, chooseLines(lines, goods)),
    }
  }
  const units = await lockReturnUnits(db, shop, order.id, goods)
  return {
    processedBy: processedBy(units, goods.items),
    rmaReceivedBy: rmaReceivedBy(units, goods),
    receive: () => receiveCustomerReturn(db, shop, order, location, chooseUnits(units, goods.items)),
  }
}

function receivedOfSix(
  lines: Awaited<ReturnType<typeof lockReturnLines>>,
  { rma, items }: ReturnedGoods,
): Pick<TakenBack, 'processedBy' | 'rmaReceivedBy'> {
  const wanted = piecesBySku(items)
  const done = lines.filter((line) => line.received > 0)
  const isReturnable = lines.some((line) => wanted.has(line.sku) && (isOpen(line) || line.status === 'new'))
  const covers = (list: typeof lines) => {
    const received = piecesBySku(list.map(({ sku, received: quantity }) => ({ sku, quantity })))
    return [...wanted].every(([sku, quantity]) => quantity > 0 && quantity <= (received.get(sku) ?? 0))
  }
  const ofRma = done.filter(({ number }) => rma !== null && number === rma)
  return {
    processedBy: !isReturnable && covers(done) ? (done[0]?.number ?? null) : null,
    rmaReceivedBy: covers(ofRma) ? (ofRma[0]?.number ?? null) : null,
  }
}
