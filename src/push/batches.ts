/** What is sent together has the same root and ends with the same signal. */
export type Item = Readonly<{ root: string; signal: AbortSignal; alone: boolean }>

/**
 * Gathers what is asked for in one turn of the event loop into batches: workers finish and begin by the batch, so those of
 * one batch come together again. Nothing waits for company.
 */
export class Batches<Own extends Item, Result> {
  readonly #most: number
  readonly #send: (batch: readonly Own[]) => Promise<readonly Result[]>
  #waiting: { item: Own; settle: Settle<Result> }[] = []

  /** @param send Resolves with one result for each, in their order. */
  constructor(most: number, send: (batch: readonly Own[]) => Promise<readonly Result[]>) {
    this.#most = most
    this.#send = send
  }

  add(item: Own): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush())
      this.#waiting.push({ item, settle: { resolve, reject } })
    })
  }

  #flush(): void {
    const open = new Map<AbortSignal, Map<string, { item: Own; settle: Settle<Result> }[]>>()
    for (const entry of this.#waiting.splice(0)) {
      const { root, signal, alone } = entry.item
      if (alone) {
        void this.#sendBatch([entry])
        continue
      }
      const ofSignal = open.get(signal) ?? new Map()
      open.set(signal, ofSignal)
      const batch = ofSignal.get(root) ?? []
      ofSignal.set(root, batch)
      batch.push(entry)
      if (batch.length === this.#most) {
        void this.#sendBatch(batch)
        ofSignal.delete(root)
      }
    }
    for (const ofSignal of open.values()) for (const batch of ofSignal.values()) void this.#sendBatch(batch)
  }

  async #sendBatch(batch: readonly { item: Own; settle: Settle<Result> }[]): Promise<void> {
    try {
      const results = await this.#send(batch.map(({ item }) => item))
      batch.forEach(({ settle }, index) => {
        const result = results[index]
        if (result === undefined) settle.reject(new Error('a batch was sent without a result for each of it'))
        else settle.resolve(result)
      })
    } catch (error) {
      for (const { settle } of batch) settle.reject(error)
    }
  }
}

type Settle<Result> = Readonly<{ resolve(result: Result): void; reject(error: unknown): void }>
