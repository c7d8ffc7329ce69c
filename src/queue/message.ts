/** The tables of one queue; names come from constants of ours only, never from outside. */
export type QueueTables = Readonly<{
  message: string
  lane: string
  history: string
  acknowledged: string
  worker: string
  /** The channel on which new messages are notified. */
  channel: string
}>

/** The bridge's outgoing messages. */
export const BRIDGE_QUEUE: QueueTables = {
  message: 'bridge.message',
  lane: 'bridge.lane',
  history: 'bridge.history',
  acknowledged: 'bridge.acknowledged',
  worker: 'bridge.worker',
  channel: 'bridge_message',
}

/** A message to be put into the queue. */
export type NewMessage = Readonly<{
  aggregate: string
  type: string
  /** JSON text, sent as it stands. */
  payload: string
  /** True where a newer message of its type and aggregate makes it old news. */
  stateLike: boolean
  /** When the first change behind it was written. */
  changedAt: Date
}>

export type MessageState = 'waiting' | 'failing' | 'parked'

/** A message as it lies in the queue. Ids are decimal texts. */
export type QueuedMessage = NewMessage &
  Readonly<{
    id: string
    xid: string
    lane: number
    /** The idempotency key: the same for every attempt. */
    key: string
    state: MessageState
    attempts: number
    /** On the clock of `performance.now()`, which no one sets. */
    dueAt: number
    createdAt: Date
  }>

/** What becomes of a message after an attempt to send it. */
export type Decision =
  /** It arrived; `answer` is what the receiver calls it. */
  | Readonly<{ do: 'acknowledge'; answer: string }>
  /** Again after a back-off, and not before `afterSeconds`; counts as an attempt. */
  | Readonly<{ do: 'retry'; reason: string; afterSeconds?: number }>
  /** It will never be taken as it is: a person is needed. */
  | Readonly<{ do: 'park'; reason: string }>
  /** Stays where it is, as if not tried: the fault is not the message's. */
  | Readonly<{ do: 'hold'; reason: string }>
