import type { RequestHandler, Response } from 'express'

export type EventStreamOptions = Readonly<{
  /** What listeners are shown, as data for JSON. Without times that run on by themselves, or it always looks changed. */
  read(): Promise<unknown>
  onError(error: unknown): void
}>

export type EventStream = Readonly<{
  handler: RequestHandler
  /** Ends every listener's answer and lets nobody in any more: an endless answer would hold up the end of the process. */
  close(): void
}>

type Listener = { shown: string | undefined; writtenAt: number }

const EVERY_MILLISECONDS = 1_000
/** A look that takes long is taken less often, so that watching a database in trouble is not its next trouble. */
const SHARE_OF_READING = 0.2
/** Proxies cut a connection over which nothing comes; most after a minute. */
const SILENT_AT_MOST_MILLISECONDS = 15_000

const TROUBLE = JSON.stringify({
  trouble: 'The database does not answer as usual: what is shown is as it was. The log says more.',
})

/**
 * Server-sent events of what `read` sees: at once, and then whenever it has changed, at most once a second. All listeners
 * share one reader; while there is none, nothing is read. Each event is `{at, seen}`, or `{at, trouble}` in words.
 */
export function createEventStream({ read, onError }: EventStreamOptions): EventStream {
  const listeners = new Map<Response, Listener>()
  let latest: string | undefined
  let timer: NodeJS.Timeout | undefined
  let reading = false
  let closed = false

  async function look(): Promise<void> {
    if (reading) return
    reading = true
    clearTimeout(timer)
    const from = performance.now()
    try {
      latest = JSON.stringify({ seen: await read() })
    } catch (error) {
      latest = TROUBLE
      onError(error)
    }
    reading = false
    for (const [response, listener] of listeners) show(response, listener)
    if (listeners.size === 0) latest = undefined
    else timer = setTimeout(look, Math.max(EVERY_MILLISECONDS, (performance.now() - from) / SHARE_OF_READING))
  }

  function show(response: Response, listener: Listener): void {
    // One that reads slowly is spared what is in between and gets the latest when it is through.
    if (response.writableNeedDrain || latest === undefined) return
    if (listener.shown !== latest) {
      response.write(`data: {"at":"${new Date().toISOString()}",${latest.slice(1)}\n\n`)
    } else if (performance.now() - listener.writtenAt > SILENT_AT_MOST_MILLISECONDS) {
      response.write(': nothing new\n\n')
    } else return
    listener.shown = latest
    listener.writtenAt = performance.now()
  }

  return {
    handler(_request, response) {
      if (closed) {
        response.status(503).json({ error: 'This process is about to end: try again.' })
        return
      }
      response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
      // nginx would otherwise collect events until its buffer is full.
      response.set('X-Accel-Buffering', 'no')
      response.flushHeaders()
      const listener = { shown: undefined, writtenAt: performance.now() }
      listeners.set(response, listener)
      response.on('close', () => {
        listeners.delete(response)
        if (listeners.size > 0) return
        clearTimeout(timer)
        latest = undefined
      })
      if (listeners.size === 1) void look()
      else show(response, listener)
    },
    close() {
      closed = true
      clearTimeout(timer)
      for (const response of listeners.keys()) {
        if (response.writableNeedDrain) response.destroy()
        else response.end()
      }
    },
  }
}
