import { setImmediate } from 'node:timers/promises'

import type { Message, MessageType } from '../messages/message.ts'
import type { Shape, WithheldBy } from '../messages/shaping/shape.ts'
import type { Db } from '../postgres/pool.ts'

/** A message as it will be sent: its payload is text. */
export type ShapedMessage = Pick<Message, 'type' | 'subject'> & Readonly<{ payload: string }>

/** A message that the configuration keeps back. */
export type Withheld = Readonly<{ type: MessageType; by: WithheldBy }>

export type ShapedMessages = Readonly<{
  messages: readonly ShapedMessage[]
  withheld: readonly Withheld[]
}>

/** Between two expressions, none of which lets anything else happen. */
export type Breathe = () => Promise<void>

const KEEP_ALIVE_MILLISECONDS = 1_000

/** A process that is deaf for long loses its leases, and a transaction that is idle for long is ended by the server. */
export function breathing(db: Db): Breathe {
  let askedAt = performance.now()
  return async () => {
    await setImmediate()
    if (performance.now() - askedAt < KEEP_ALIVE_MILLISECONDS) return
    await db.query('select')
    askedAt = performance.now()
  }
}

/** Without a shape: the messages as they were mapped. */
export function unshaped(messages: readonly Message[]): ShapedMessages {
  return { messages: messages.map((message) => inText(message, message.payload)), withheld: [] }
}

/**
 * The messages of one aggregate as the configuration shapes them: at once where no expression has a part in it, so that
 * the objects can go, else the work that is left.
 * @throws ExpressionError, from that work
 */
export function shapeMessages(
  messages: readonly Message[],
  shape: Shape,
): ShapedMessages | ((breathe: Breathe) => Promise<ShapedMessages>) {
  const withheld: Withheld[] = []
  const texts: (ShapedMessage | ((breathe: Breathe) => Promise<ShapedMessage>))[] = []
  for (const message of messages) {
    const shaped = shape(message)
    if (shaped.withheldBy !== undefined) {
      withheld.push({ type: message.type, by: shaped.withheldBy })
      continue
    }
    const { payload, transform } = shaped
    texts.push(
      transform === undefined
        ? inText(message, payload)
        : async (breathe) => {
            await breathe()
            return inText(message, await transform(payload))
          },
    )
  }
  const ready = texts.filter((text) => typeof text !== 'function')
  if (ready.length === texts.length) return { messages: ready, withheld }
  return async (breathe) => {
    const done: ShapedMessage[] = []
    for (const text of texts) done.push(typeof text === 'function' ? await text(breathe) : text)
    return { messages: done, withheld }
  }
}

function inText({ type, subject }: Message, payload: Message['payload'] | Readonly<Message['payload']>) {
  return { type, subject, payload: JSON.stringify(payload) }
}
