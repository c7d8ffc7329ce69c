/** Runs `work` at once and then in intervals, never twice at a time. Call the result to end it; it resolves when nothing runs. */
export function every(
  milliseconds: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  let busy = false
  const run = () => {
    if (busy) return
    busy = true
    running = work()
      .catch(onError)
      .finally(() => {
        busy = false
      })
  }
  run()
  const timer = setInterval(run, milliseconds)
  return async () => {
    clearInterval(timer)
    await running
  }
}

/** Of the time, at most this share is spent on looks that only tell people something. */
const SHARE_OF_LOOKING = 0.05

/**
 * Passes over calls for as long as the last one was long: counting a million messages takes seconds, and watching a
 * database in trouble must not be its next trouble.
 */
export function sparingly(work: () => Promise<void>): () => Promise<void> {
  let notBefore = 0
  return async () => {
    const from = performance.now()
    if (from < notBefore) return
    try {
      await work()
    } finally {
      const now = performance.now()
      notBefore = now + (now - from) * (1 / SHARE_OF_LOOKING - 1)
    }
  }
}
