import type { Message, MessageType } from '../messages/message.ts'
import { type Difference, differencesOf, type Outcome } from '../messages/shaping/difference.ts'
import type { Shape, Shaped, WithheldBy } from '../messages/shaping/shape.ts'
import type { Breathe } from './breathe.ts'

/** How messages are shaped, and how a configuration on trial would shape them; without either they are as they are mapped. */
export type Shaping = Readonly<{
  live?: Shape | undefined
  /** `trial` is another where live or shadow is. */
  shadow?: Readonly<{ shape: Shape; trial: string }> | undefined
}>

/** A message as it will be sent: its payload is text. */
type ShapedMessage = Pick<Message, 'type' | 'subject'> & Readonly<{ payload: string }>

/** A message that the configuration keeps back. */
export type Withheld = Readonly<{ type: MessageType; by: WithheldBy }>

/** A message that the shadow has shaped as well. */
export type Compared = Readonly<{ type: MessageType; differences: readonly Difference[] }>

export type ShapedMessages = Readonly<{
  messages: readonly ShapedMessage[]
  withheld: readonly Withheld[]
  compared: readonly Compared[]
}>

/** Without shapes. */
export function unshaped(messages: readonly Message[]): ShapedMessages {
  return { messages: messages.map((message) => inText(message, message.payload)), withheld: [], compared: [] }
}

/**
 * The messages of one aggregate as the configuration shapes them: at once where no expression has a part in it, so that
 * the objects can go, else the work that is left.
 * @throws ExpressionError, from that work
 */
export function shapeMessages(
  messages: readonly Message[],
  shaping: Shaping,
): ShapedMessages | ((breathe: Breathe) => Promise<ShapedMessages>) {
  const steps = messages.map((message) => shapeOne(message, shaping))
  const ready = steps.filter((step) => typeof step !== 'function')
  if (ready.length === steps.length) return gather(ready)
  return async (breathe) => {
    const done: Finished[] = []
    for (const step of steps) done.push(typeof step === 'function' ? await step(breathe) : step)
    return gather(done)
  }
}

/** One message with what the live shape has made of it, and the shadow. */
type Finished = Readonly<{ message: Message; live: Outcome; shadow: Outcome | undefined }>

function shapeOne(message: Message, shaping: Shaping): Finished | ((breathe: Breathe) => Promise<Finished>) {
  const live = shaping.live?.(message) ?? { payload: message.payload, transform: undefined }
  const shadow = shaping.shadow?.shape(message)
  if (!isUnfinished(live) && !(shadow && isUnfinished(shadow))) return { message, live, shadow }
  return async (breathe) => ({
    message,
    live: await finish(live, breathe),
    shadow: shadow && (await finish(shadow, breathe).catch(failed)),
  })
}

function isUnfinished(shaped: Shaped): boolean {
  return 'payload' in shaped && shaped.transform !== undefined
}

async function finish(shaped: Shaped, breathe: Breathe): Promise<Outcome> {
  if (!('payload' in shaped) || shaped.transform === undefined) return shaped
  await breathe()
  return { payload: await shaped.transform(shaped.payload) }
}

function failed(error: unknown): Outcome {
  return { failed: error instanceof Error ? error.message : String(error) }
}

function gather(finished: readonly Finished[]): ShapedMessages {
  return {
    messages: finished.flatMap(({ message, live }) =>
      'payload' in live ? [inText(message, live.payload)] : [],
    ),
    withheld: finished.flatMap(({ message: { type }, live }) =>
      'withheldBy' in live ? [{ type, by: live.withheldBy }] : [],
    ),
    compared: finished.flatMap(({ message: { type }, live, shadow }) =>
      shadow ? [{ type, differences: differencesOf(live, shadow) }] : [],
    ),
  }
}

function inText({ type, subject }: Message, payload: Readonly<Record<string, unknown>>): ShapedMessage {
  return { type, subject, payload: JSON.stringify(payload) }
}
