import {
  type ReconcileOptions,
  type Reconciliation,
  reconcileStore,
} from '../../src/operator/reconcile-store.ts'
import { openStore } from '../../src/store/store.ts'
import type { TestDatabase } from './postgres.ts'

/** What the command `reconcile` does, without starting a process for it. */
export async function reconcile(
  { pool }: TestDatabase,
  how: Partial<Omit<ReconcileOptions, 'pool'>> = {},
): Promise<Reconciliation> {
  return reconcileStore({
    pool,
    store: await openStore(pool),
    stockMessages: 'change',
    fix: false,
    signal: new AbortController().signal,
    rest: async () => undefined,
    onProgress: () => undefined,
    ...how,
  })
}
