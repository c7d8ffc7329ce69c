import { z } from 'zod'
import { startChild } from './child.ts'

export const senderRequest = z.object({
  hubUrl: z.string(),
  databaseUrl: z.string(),
  /** Texts of payloads, used in turn. */
  payloads: z.array(z.string()),
  count: z.number(),
  inFlight: z.number(),
})

export type SenderRequest = z.infer<typeof senderRequest>

const senderReply = z.object({ seconds: z.number(), cpuSeconds: z.number() })

export type Sender = Readonly<{
  send(request: SenderRequest): Promise<z.infer<typeof senderReply>>
  stop(): Promise<void>
}>

/** A process that sends in one way: `undici` and `client` from memory, `queue` what waits in the database. */
export function startSender(way: 'undici' | 'client' | 'queue'): Sender {
  const child = startChild('sender', [way])
  return { send: (request) => child.ask(request, senderReply), stop: () => child.stop() }
}
