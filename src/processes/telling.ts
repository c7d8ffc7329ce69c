import type { CollectSettings } from '../capture/collect.ts'
import type { Settings } from '../config/settings.ts'

export type Telling = Required<Pick<CollectSettings, 'stockMessages' | 'stockBy' | 'orderMessages'>>

/**
 * How the store is told. As objects it is by what they are made of: levels by place, and orders with what they were before,
 * so that only the shipments go along that have changed.
 */
export function tellingOf({ hubDialect, stock, stockBy, orders }: Settings): Telling {
  return hubDialect === 'wombat'
    ? { stockMessages: 'actual', stockBy: 'location', orderMessages: 'generic' }
    : { stockMessages: stock, stockBy, orderMessages: orders }
}
