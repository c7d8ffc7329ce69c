import type { Store } from '../store.ts'

/**
 * `Payment::INVALID_STATES` of the shop: an order of which all payments are in one of these has failed to be paid. What was
 * voided is among them in Spree since 4.5. In Solidus it is since 2.9, which no column tells: here since 2.11.
 */
export function worthlessPayments({ family, columns }: Pick<Store, 'family' | 'columns'>): readonly string[] {
  const alsoVoid = columns.has('spree_products', family === 'solidus' ? 'discontinue_on' : 'status')
  return ['failed', 'invalid', ...(alsoVoid ? ['void'] : [])]
}
