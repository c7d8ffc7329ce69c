import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** `listens`: on TCP too. */
export type Running = Readonly<{ pid: number; port: number; socket: string; listens: boolean }>

const stopTimeoutMs = 10_000

/** What the running server of `data` says of itself. */
export function readPidFile(data: string): Running | undefined {
  const file = path.join(data, 'postmaster.pid')
  if (!fs.existsSync(file)) return undefined
  const [pid, , , port, socket, address] = fs.readFileSync(file, 'utf8').split('\n')
  return socket ? { pid: Number(pid), port: Number(port), socket, listens: Boolean(address) } : undefined
}

/** A zombie is dead: in a container nobody may ever reap it. */
export function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`
  try {
    process.kill(pid, 0)
    return !(fs.existsSync(stat) && /\) Z /.test(fs.readFileSync(stat, 'utf8')))
  } catch {
    return false
  }
}

/** SIGINT is the fast shutdown; SIGTERM would wait for every client. */
export async function stopServer(data: string, running: Running): Promise<void> {
  if (readPidFile(data)?.pid === running.pid && isAlive(running.pid)) {
    process.kill(running.pid, 'SIGINT')
    if (!(await endsWithin(running.pid, stopTimeoutMs))) process.kill(running.pid, 'SIGQUIT')
    await endsWithin(running.pid, stopTimeoutMs)
  }
  fs.rmSync(running.socket, { recursive: true, force: true })
}

async function endsWithin(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  while (isAlive(pid) && Date.now() < deadline) await sleep(20)
  return !isAlive(pid)
}
