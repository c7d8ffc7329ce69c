import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'

/** A process of the bench's own that answers one request at a time. */
export type Child = Readonly<{
  ask<Reply>(request: object, reply: z.ZodType<Reply>): Promise<Reply>
  stop(): Promise<void>
}>

/** Starts `bench/<name>` as a process; it ends when its channel to this one closes, however that happens. */
export function startChild(name: 'sink' | 'sender', args: readonly string[] = []): Child {
  const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
  const child = fork(file, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: ['--expose-gc'],
  })
  return {
    ask: async (request, reply) => reply.parse(await exchange(child, name, request)),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.disconnect()
      await ended
    },
  }
}

function exchange(child: ChildProcess, name: string, request: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      child.off('message', answered)
      child.off('exit', ended)
      act()
    }
    const answered = (reply: unknown) => settle(() => resolve(reply))
    const ended = () => settle(() => reject(new Error(`The bench's ${name} process ended, see above.`)))
    child.on('message', answered)
    child.on('exit', ended)
    child.send(request)
  })
}

/** The other end: answers each request with what `work` makes of it; an error ends the process. */
export function answerRequests(work: (request: unknown) => Promise<object>): void {
  process.on('message', (request) => {
    void work(request).then(
      (reply) => process.send?.(reply),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
  process.on('disconnect', () => process.exit())
}
