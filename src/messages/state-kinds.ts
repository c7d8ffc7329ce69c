import { customerKind } from './customer.ts'
import type { StateKind } from './state-kind.ts'

export const STATE_KINDS: readonly StateKind[] = [customerKind]
