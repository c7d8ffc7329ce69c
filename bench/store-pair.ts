import { migrate } from './bridge.ts'
import type { Database, Ground } from './ground.ts'

/** Two copies of one store, without our triggers and having them. No worker runs: its time is not the store's. */
export async function prepareStorePair(
  ground: Ground,
): Promise<Readonly<{ without: Database; having: Database; close(): Promise<void> }>> {
  const template = await ground.storeTemplate()
  const without = await ground.createDatabase('store_without_triggers', template)
  const having = await ground.createDatabase('store_with_triggers', template)
  await migrate(having, ground.sink.hubUrl)
  return {
    without,
    having,
    close: async () => {
      await without.drop()
      await having.drop()
    },
  }
}
