import type { Message } from '../messages/message.ts'
import type { InObjects } from '../messages/wombat/as-objects.ts'
import type { Baseline, BaselineKey } from './baseline.ts'
import type { Withheld } from './shape-messages.ts'

/** One stock delta as the ledger keeps it; of one that no trigger saw it is not known where it happened. */
export type LedgerEntry = Readonly<{
  variantId: string
  stockItemId: string | null
  stockLocationId: string | null
  delta: string
  origin: string | null
  at: Date
}>

/** All that follows from the changed rows of one aggregate, its state and what was last announced of it. */
export type Derivation = {
  messages: Message[]
  /** Those for which the hub's dialect has no word. */
  unsaid: Withheld[]
  baselines: Baseline[]
  forgotten: BaselineKey[]
  ledger: LedgerEntry[]
  /** Changes kept from the hub because the hub itself had made them. */
  silenced: number
  /** Stock changes without a message because their variant has no SKU. */
  withoutSku: number
}

export function emptyDerivation(): Derivation {
  return { messages: [], unsaid: [], baselines: [], forgotten: [], ledger: [], silenced: 0, withoutSku: 0 }
}

/** The same in the words of the second generation. */
export function inObjects(derivation: Derivation, { messages, unsaid }: InObjects): Derivation {
  return { ...derivation, messages: [...messages], unsaid: unsaid.map((type) => ({ type, by: 'dialect' })) }
}
