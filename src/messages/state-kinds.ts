import { cartKind } from './cart.ts'
import { customerKind } from './customer.ts'
import type { StateKind } from './state-kind.ts'
import { stockTransferKind } from './stock-transfer.ts'

export const STATE_KINDS: readonly StateKind[] = [customerKind, stockTransferKind, cartKind]
