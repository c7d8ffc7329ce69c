import { readFileSync } from 'node:fs'
import path from 'node:path'

import type { AnyStore, StoreSource } from '../support/stores.ts'

type Payload = Record<string, unknown>

/**
 * A payload written by hand: of an aggregate as it stands in the store, or after the steps named, of which the first has
 * the whole and each later one the top-level keys that it changes.
 */
export function readExpected(
  family: AnyStore,
  source: StoreSource,
  aggregate: string,
  steps: readonly string[] = [],
): Payload {
  const names = steps.length === 0 ? [aggregate] : steps.map((step) => `${aggregate}.${step}`)
  return Object.assign({}, ...names.map((name) => readPayload(path.join(family, source, `${name}.json`))))
}

function readPayload(file: string): Payload {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, file), 'utf8'))
}
