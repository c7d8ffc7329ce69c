import { z } from 'zod'
import { startChild } from './child.ts'

export const sinkRequest = z.discriminatedUnion('do', [
  z.object({ do: z.literal('listen') }),
  z.object({ do: z.literal('reset'), delayMs: z.number() }),
  z.object({ do: z.literal('arrived'), count: z.number() }),
])

type SinkRequest = z.infer<typeof sinkRequest>

export type Sink = Readonly<{
  hubUrl: string
  /** Forgets what came, and answers after `delayMs` from now on. */
  reset(delayMs?: number): Promise<void>
  /** Waits until `count` different messages have come. A repeated one tells of a lost answer: none is lost here. */
  arrived(count: number): Promise<void>
  stop(): Promise<void>
}>

/** A hub in a process of its own, so that it takes no time from the sender's. */
export async function startSink(): Promise<Sink> {
  const child = startChild('sink')
  const ask = <Reply>(request: SinkRequest, reply: z.ZodType<Reply>) => child.ask(request, reply)
  const { port } = await ask({ do: 'listen' }, z.object({ port: z.number() }))
  return {
    hubUrl: `http://127.0.0.1:${port}`,
    reset: async (delayMs = 0) => {
      await ask({ do: 'reset', delayMs }, z.object({}))
    },
    arrived: async (count) => {
      const reply = await ask(
        { do: 'arrived', count },
        z.object({ arrived: z.number(), repeated: z.number() }),
      )
      if (reply.arrived !== count || reply.repeated > 0) {
        throw new Error(`Of ${count} messages ${reply.arrived} arrived, ${reply.repeated} more than once.`)
      }
    },
    stop: () => child.stop(),
  }
}
