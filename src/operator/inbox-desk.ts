export const INBOX_STATES = ['applied', 'failed', 'discarded'] as const

/** An inbound message as people see it. */
export type InboundMessage = Readonly<{
  id: string
  /** The store's id at the hub whose message it is. */
  hub: string
  messageId: string
  type: string
  state: string
  attempts: number
  /** How often it came again after it was applied. */
  repeats: number
  /** The HTTP status that it was answered with. */
  status: number
  lastError: string | null
  receivedAt: Date
  changedAt: Date
}>

export type InboundPage = Readonly<{
  states?: readonly string[] | undefined
  types?: readonly string[] | undefined
  limit: number
  /** Only ids below this one. */
  before?: string | undefined
}>

/** What the operator's API asks of the inbox, for one message at a time. */
export type InboxDesk = Readonly<{
  /** The latest first. */
  list(page: InboundPage): Promise<readonly InboundMessage[]>
  /** With the texts of payload and answer; undefined where no such message is known. */
  show(id: string): Promise<(InboundMessage & Readonly<{ payload: string; answer: string }>) | undefined>
  /** Applies a failed message again; how it went is in the message afterwards. */
  retry(id: string): Promise<unknown>
  /** A failed message is given up: nothing of it is applied. */
  discard(id: string): Promise<unknown>
}>
