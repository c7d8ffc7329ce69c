import type { Db } from '../postgres/pool.ts'

/** The tables of one queue; names come from constants of ours only, never from outside. */
export type QueueTables = Readonly<{
  message: string
  lane: string
  history: string
  /** Where the last acknowledgement of each aggregate and type is kept; left out where nobody asks for it. */
  acknowledged?: string
  /** Where the types stand that a person has paused; left out where types are not paused. */
  paused?: string
  worker: string
  /** Columns of the queue's own that go along into the history, besides those of every queue. */
  carried: readonly string[]
  /** The channel on which new messages are notified. */
  channel: string
}>

/** The columns with which a message goes from the queue into its history, as a list for SQL. */
export function finishedColumns({ carried }: QueueTables): string {
  return [
    'id, aggregate, key, type, payload, subject, attempts, last_error, changed_at, created_at',
    ...carried,
  ].join(', ')
}

/** The bridge's outgoing messages. */
export const BRIDGE_QUEUE: QueueTables & Readonly<{ paused: string }> = {
  message: 'bridge.message',
  lane: 'bridge.lane',
  history: 'bridge.history',
  acknowledged: 'bridge.acknowledged',
  paused: 'bridge.paused',
  worker: 'bridge.worker',
  carried: [],
  channel: 'bridge_message',
}

/** A message to be put into the queue. */
export type NewMessage = Readonly<{
  aggregate: string
  type: string
  /** JSON text, sent as it stands. */
  payload: string
  /**
   * What the state is of that it tells: a newer message of its aggregate and type with the same subject makes it old news.
   * Null where each message counts, as for differences and for the steps of an order.
   */
  subject: string | null
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
    /** It failed or was parked before: while it was parked, newer news may have left. */
    hasFailed: boolean
    /** On the clock of `performance.now()`, which no one sets. */
    dueAt: number
    createdAt: Date
    /** The columns of the queue's own. */
    carried: Readonly<Record<string, string | null>>
  }>

/** What has to be known of a message once it was sent. The payload is not: memory need not hold it until that is written. */
export type SentMessage = Pick<
  QueuedMessage,
  'id' | 'xid' | 'lane' | 'aggregate' | 'type' | 'subject' | 'attempts'
>

export function sentMessage(message: QueuedMessage): SentMessage {
  const { id, xid, lane, aggregate, type, subject, attempts } = message
  return { id, xid, lane, aggregate, type, subject, attempts }
}

/** What becomes of a message after an attempt to send it. */
export type Decision =
  /** It arrived; `answer` is what the receiver calls it. */
  | (Readonly<{ do: 'acknowledge'; answer: string }> & Consequences)
  /** Again after a back-off, and not before `afterSeconds`; counts as an attempt. */
  | (Readonly<{ do: 'retry'; reason: string; afterSeconds?: number }> & Consequences)
  /** Again after so long, and no attempt: nothing was sent, because nothing may be for now. */
  | (Readonly<{ do: 'wait'; reason: string; seconds: number }> & Consequences)
  /** It will never be taken as it is: a person is needed. */
  | (Readonly<{ do: 'park'; reason: string }> & Consequences)
  /** Stays where it is, as if not tried: the fault is not the message's. */
  | Readonly<{ do: 'hold'; reason: string }>

type Consequences = Readonly<{
  /**
   * What else follows from the outcome: written with it in one transaction, or not at all where the lane has passed to
   * another worker meanwhile. The next message of the aggregate waits for it.
   */
  also?: (db: Db) => Promise<void>
}>
