import { z } from 'zod'
import { startChild } from './child.ts'

/** `note` keeps each message and when it came; `hangUp` answers nobody. */
const sinkConduct = z.enum(['count', 'note', 'hangUp'])

export const sinkRequest = z.discriminatedUnion('do', [
  z.object({ do: z.literal('listen') }),
  z.object({ do: z.literal('reset'), delayMs: z.number(), does: sinkConduct }),
  z.object({ do: z.literal('arrived'), count: z.number() }),
  z.object({ do: z.literal('arrivals') }),
])

type SinkRequest = z.infer<typeof sinkRequest>

/** A request as it came in. `at` is in milliseconds on the clock of the machine, which all processes share: `machineTime`. */
const arrival = z.object({ at: z.number(), body: z.string() })

export type Arrival = z.infer<typeof arrival>

export type Sink = Readonly<{
  hubUrl: string
  /** Forgets what came, and answers after `delayMs` from now on. */
  reset(delayMs?: number): Promise<void>
  /** Waits until `count` different messages have come. A repeated one tells of a lost answer: none is lost here. */
  arrived(count: number): Promise<void>
  /** Waits until at least so many have come, for those who send on and on. */
  arrivedAtLeast(count: number): Promise<void>
  /** As `reset`, and from now on keeps each message with its time, until it forgets again. */
  noteArrivals(): Promise<void>
  /** As `reset`, and from now on breaks every connection, as a hub does that is down. */
  hangUp(): Promise<void>
  /** The noted ones. */
  arrivals(): Promise<readonly Arrival[]>
  stop(): Promise<void>
}>

/** A hub in a process of its own, so that it takes no time from the sender's. */
export async function startSink(): Promise<Sink> {
  const child = startChild('sink')
  const ask = <Reply>(request: SinkRequest, reply: z.ZodType<Reply>) => child.ask(request, reply)
  const { port } = await ask({ do: 'listen' }, z.object({ port: z.number() }))
  const reset = async (delayMs: number, does: z.infer<typeof sinkConduct>) => {
    await ask({ do: 'reset', delayMs, does }, z.object({}))
  }
  const arrived = (count: number) =>
    ask({ do: 'arrived', count }, z.object({ arrived: z.number(), repeated: z.number() }))
  return {
    hubUrl: `http://127.0.0.1:${port}`,
    reset: (delayMs = 0) => reset(delayMs, 'count'),
    arrived: async (count) => {
      const reply = await arrived(count)
      if (reply.arrived !== count || reply.repeated > 0) {
        throw new Error(`Of ${count} messages ${reply.arrived} arrived, ${reply.repeated} more than once.`)
      }
    },
    arrivedAtLeast: async (count) => {
      await arrived(count)
    },
    noteArrivals: () => reset(0, 'note'),
    hangUp: () => reset(0, 'hangUp'),
    arrivals: () => ask({ do: 'arrivals' }, z.array(arrival)),
    stop: () => child.stop(),
  }
}
