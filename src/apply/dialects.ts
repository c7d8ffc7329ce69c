import type { Dialect } from './dialect.ts'
import type { DialectName, Handler } from './handler.ts'
import { seed } from './seed-dialect.ts'
import { wombat } from './wombat-dialect.ts'

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = { seed, wombat }

/** In which a handler is asked and answers. */
export function dialectOf({ dialect = 'seed' }: Pick<Handler<unknown>, 'dialect'>): Dialect {
  return DIALECTS[dialect]
}
