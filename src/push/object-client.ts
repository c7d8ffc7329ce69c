import { Batches } from './batches.ts'
import type { PushClient, PushClientOptions, PushMessage } from './client.ts'
import { createExchange, describeFault, toAnswer } from './exchange.ts'
import { createHubPool } from './hub-pool.ts'
import { readObjectsAnswer, refusesContent, type SentOutcome } from './outcome.ts'
import { ExchangeFault } from './undici-adapter.ts'

type Sending = Readonly<{ root: string; signal: AbortSignal; alone: boolean; message: PushMessage }>

/** As many as the stores' own clients sent at once (protocol §9.1). */
const MOST_OBJECTS = 10
const MOST_ANSWER_BYTES = 1_000_000
/** What a hub takes for the plural of a type of objects. */
const ROOT = /^[a-z_-]+$/

/**
 * A client for one store at a hub of the second generation: Wombat, FlowLink, Cangaroo (protocol §9.1). Objects of one root
 * that are to be sent at the same time, each of another aggregate, go as one batch, and each has the outcome of its batch.
 * What may be the fault of one of them is none of the others': then each is sent alone, and so is whatever failed before. No
 * key goes along: an object that comes again, under the same id, is an update.
 */
export function createObjectClient(options: PushClientOptions): PushClient {
  const { token, timeoutMilliseconds } = options
  const { origin, host, pathname } = new URL(options.hubUrl)
  const pool = createHubPool(origin, options.connections)
  const exchange = createExchange(pool, {
    headers: {
      'X-Hub-Store': options.storeId,
      'X-Hub-Access-Token': token,
      'User-Agent': `spree-bridge/${options.version}`,
    },
    timeoutMilliseconds,
  })

  const post = async (
    root: string,
    objects: readonly string[],
    signal: AbortSignal,
  ): Promise<SentOutcome> => {
    const answer = await exchange(
      {
        method: 'post',
        url: pathname,
        headers: { 'X-Hub-Timestamp': String(Math.floor(Date.now() / 1_000)) },
        data: `{${JSON.stringify(root)}:[${objects.join(',')}]}`,
        maxContentLength: MOST_ANSWER_BYTES,
      },
      signal,
    )
    if (answer instanceof ExchangeFault) return describeFault(answer, host, timeoutMilliseconds)
    return readObjectsAnswer(toAnswer(answer), token)
  }
  const sendOne = ({ root, message, signal }: Sending) => post(root, [message.payload], signal)
  const batches = new Batches<Sending, SentOutcome>(MOST_OBJECTS, async (batch) => {
    const [first] = batch
    if (first === undefined || batch.length === 1) return Promise.all(batch.map(sendOne))
    const outcome = await post(
      first.root,
      batch.map(({ message }) => message.payload),
      first.signal,
    )
    return maySpeakOfOne(outcome) ? Promise.all(batch.map(sendOne)) : batch.map(() => outcome)
  })

  return {
    async push(message, signal) {
      const { type: root, hasFailed: alone = false } = message
      if (!ROOT.test(root))
        return { kind: 'foreign', text: `${root} is a message, no object; HUB_DIALECT is wombat now.` }
      return batches.add({ root, signal, alone, message })
    },

    async probe(signal) {
      // The one thing that such a hub can be asked, and harmless: nothing is in it.
      const outcome = await post('orders', [], signal)
      if (outcome.kind !== 'accepted') return outcome
      return { kind: 'reachable', types: [], isOurs: false, date: undefined }
    },

    close: () => pool.destroy(),
  }
}

/** One of a batch is refused, or the hub fell over it: 500 is its word for both. */
function maySpeakOfOne(outcome: SentOutcome): boolean {
  return refusesContent(outcome) || (outcome.kind === 'failed' && outcome.status === 500)
}
