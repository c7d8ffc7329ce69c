import type { Answer } from './answer.ts'
import type { Applied, DialectName } from './handler.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** How the hubs of one generation write what is to be applied, and how they are answered. */
export type Dialect = Readonly<{
  name: DialectName
  /** A payload as it is kept, in its two parts; `at` is where the content stands in what was sent. @throws PayloadFault */
  read(payload: JsonObject): Readonly<{
    content: unknown
    parameters: ReadonlyMap<string, unknown>
    at: readonly string[]
  }>
  applied(messageId: string, applied: Applied): Answer
  /** A person has decided that it shall not be applied: the hub need not send it again. */
  discarded(messageId: string, type: string): Answer
  /**
   * This store cannot take it: 500, so that the hub shows why and sends it again (protocol §3.5, §7.6, §9.3). The reason's
   * code tells the few that have a status of their own.
   */
  notApplicable(messageId: string, type: string, why: string, code?: string): Answer
  /** Its content is not what messages of its type have. */
  fault(messageId: string, why: string): Answer
  /** `errorId` is to be found in the log, which tells what the sender must not see. */
  bug(messageId: string, errorId: string): Answer
  /** 503: nothing was applied; the same message may well be later. */
  unavailable(messageId: string | null, why: string): Answer
}>
