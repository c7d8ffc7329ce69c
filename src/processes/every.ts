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
