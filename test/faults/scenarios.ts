import { DATABASE } from './database.ts'
import { DELIVERIES } from './deliveries.ts'
import { HUBS } from './hubs.ts'
import { LOOP } from './loop.ts'
import { NETWORK } from './network.ts'
import { OWNERSHIP } from './ownership.ts'
import { POOLER } from './pooler.ts'
import type { Scenario } from './scenario.ts'
import { WORKERS } from './workers.ts'

/** All of them, the quickest to fail first. */
export const SCENARIOS: readonly Scenario[] = [
  ...WORKERS,
  ...NETWORK,
  ...DATABASE,
  ...HUBS,
  ...DELIVERIES,
  ...LOOP,
  ...POOLER,
  ...OWNERSHIP,
]
