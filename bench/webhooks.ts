import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { environment, MAIN } from './bridge.ts'
import type { Database } from './ground.ts'

export const TOKEN = 'bench-webhook-token'

/** A process that takes messages at `url`. */
export type Webhook = Readonly<{ url: string; pid: number; stop(): Promise<void> }>

/** `spree-bridge web` on a migrated store. */
export async function startWeb(database: Database, hubUrl: string): Promise<Webhook> {
  const port = await freePort()
  const web = spawn(process.execPath, [MAIN, 'web'], {
    env: {
      ...environment(database, hubUrl),
      HOST: '127.0.0.1',
      PORT: String(port),
      WEBHOOK_TOKEN: TOKEN,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const url = `http://127.0.0.1:${port}`
  while (!(await isReady(url))) {
    if (web.exitCode !== null) throw new Error('The web ended, see above.')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { url, ...running(web) }
}

/** Express with the same body, and nothing behind it. */
export async function startBareWebhook(): Promise<Webhook> {
  const file = fileURLToPath(new URL('./bare-webhook.js', import.meta.url))
  const bare = fork(file, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [told] = await once(bare, 'message')
  const { port } = z.object({ port: z.number() }).parse(told)
  return { url: `http://127.0.0.1:${port}`, ...running(bare) }
}

function running(child: ChildProcess): Pick<Webhook, 'pid' | 'stop'> {
  const endWithUs = () => child.kill('SIGKILL')
  process.once('exit', endWithUs) // should the bench fail
  const ended = once(child, 'exit')
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
      process.off('exit', endWithUs)
    },
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('There is no free port.')
  return address.port
}
