import type { Log } from '../observe/log.ts'

/** How far a long work is. */
export type Progress = Readonly<{ what: string; done: number; of: number; waitsFor: string | undefined }>

const ON_TERMINAL_MILLISECONDS = 100
const IN_LOG_MILLISECONDS = 5_000
const BAR = 30

/** Shows progress on stderr: one line with a bar that is drawn over on a terminal, else a line in the log now and then. */
export function createProgressLine(terminal: NodeJS.WriteStream, log: Log) {
  const begun = new Map<string, Readonly<{ at: number; done: number }>>()
  let shownAt = performance.now()
  const draw = (line: string) => terminal.write(`\r${line.slice(0, (terminal.columns ?? 80) - 1)}\x1b[K`)
  return {
    show(progress: Progress): void {
      const { what, done, of, waitsFor } = progress
      const now = performance.now()
      const start = begun.get(what) ?? { at: now, done }
      begun.set(what, start)
      if (now - shownAt < (terminal.isTTY ? ON_TERMINAL_MILLISECONDS : IN_LOG_MILLISECONDS)) return
      shownAt = now
      if (terminal.isTTY) draw(barOf(progress, (done - start.done) / ((now - start.at) / 1_000)))
      else log.info('backfilling', { what, done, of, ...(waitsFor ? { waits_for: waitsFor } : {}) })
    },
    /** Leaves the terminal as it was. */
    end(): void {
      if (terminal.isTTY) draw('')
      if (terminal.isTTY) terminal.write('\r')
    },
  }
}

/** `products  [##########--------------------]  33,400 of 100,000  1,480/s, 45 s left` */
export function barOf({ what, done, of, waitsFor }: Progress, perSecond: number): string {
  const filled = of > 0 ? Math.min(BAR, Math.round((done / of) * BAR)) : BAR
  const number = (value: number) => value.toLocaleString('en')
  const pace =
    perSecond > 0
      ? `${number(Math.round(perSecond))}/s, ${number(Math.ceil(Math.max(0, of - done) / perSecond))} s left`
      : ''
  return `${what.padEnd(9)} [${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}]  ${number(done)} of ${number(of)}  ${waitsFor ? `waits for ${waitsFor}` : pace}`.trimEnd()
}
