import type { Fields, Log, LogLevel } from './log.ts'

/** Writes a line unless the same cause has just written one. */
export type Seldom = (cause: string, level: LogLevel, message: string, fields?: Fields) => void

type HeldBack = { count: number; write: (suppressed: number) => void }

/**
 * At most one line per cause and interval, for what repeats through a long outage. The first is written at once;
 * of those that follow the last, with the number of `suppressed` ones. A cause that falls silent is forgotten.
 */
export function onceInAWhile(log: Log, everyMs = 1000): Seldom {
  const heldBack = new Map<string, HeldBack>()

  function rest(cause: string, held: HeldBack): void {
    heldBack.set(cause, held)
    setTimeout(() => {
      heldBack.delete(cause)
      if (held.count === 0) return
      held.write(held.count - 1)
      rest(cause, { count: 0, write: held.write })
    }, everyMs).unref()
  }

  return (cause, level, message, fields) => {
    const write = (suppressed: number) =>
      log[level](message, suppressed > 0 ? { ...fields, suppressed } : fields)
    const held = heldBack.get(cause)
    if (held) {
      held.count += 1
      held.write = write
    } else {
      write(0)
      rest(cause, { count: 0, write })
    }
  }
}
