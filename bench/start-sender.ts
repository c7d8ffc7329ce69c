import { z } from 'zod'
import { startChild } from './child.ts'

export const senderRequest = z.object({
  hubUrl: z.string(),
  databaseUrl: z.string(),
  /** Texts of payloads, used in turn by those that send from memory. */
  payloads: z.array(z.string()),
  count: z.number(),
  inFlight: z.number(),
})

export type SenderRequest = z.infer<typeof senderRequest>

const senderReply = z.object({ seconds: z.number(), cpuSeconds: z.number() })

type SenderReply = z.infer<typeof senderReply>

/**
 * `undici` and `client` send from memory; `queue`, `graphile` and `listen` what lies in the database, and `collect` puts
 * it there.
 */
export const senderWay = z.enum(['undici', 'client', 'queue', 'graphile', 'listen', 'collect'])

export type SenderWay = z.infer<typeof senderWay>

export type Sender = Readonly<{
  send(request: SenderRequest): Promise<SenderReply>
  stop(): Promise<void>
}>

/** A process that works in one way, each time until `count` messages are through. */
export function startSender(way: SenderWay): Sender {
  const child = startChild('sender', [way])
  return { send: (request) => child.ask(request, senderReply), stop: () => child.stop() }
}
