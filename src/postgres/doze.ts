/** The rest between two polls, which a wake-up cuts short. A wake-up that comes while nobody rests is kept for the next. */
export class Doze {
  #woken = false
  #wake: (() => void) | undefined

  wake(): void {
    this.#woken = true
    this.#wake?.()
  }

  /** Resolves after `milliseconds`, or as soon as something wakes. One at a time. */
  async rest(milliseconds: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    this.#woken = false
  }
}
