import { type ChildProcess, execFile, fork } from 'node:child_process'
import path from 'node:path'
import { afterAll } from '@jest/globals'

const root = path.resolve(import.meta.dirname, '../..')

export type Run = Readonly<{ status: number; stdout: string; stderr: string }>

type Command = Readonly<{
  args: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  cwd: string
}>

const TIMEOUT_MS = 120_000

/** What these do at their end is done to their process. */
const LONG_RUNNING = ['start', 'worker', 'web', 'hub']

const free: ChildProcess[] = []
const all: ChildProcess[] = []
afterAll(() => {
  for (const host of all) host.kill('SIGKILL')
})

/**
 * Runs one command of the built program to its end, with nothing of this process's environment but `env`; in a folder
 * without a demo unless `cwd` says otherwise. What runs long has a process of its own, other commands of a file share one.
 */
export async function runBridge(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string = import.meta.dirname,
): Promise<Run> {
  const command = { args, env: { PATH: process.env['PATH'], LOG_FORMAT: 'json', ...env }, cwd }
  if (LONG_RUNNING.includes(args[0] ?? '')) return runAlone(command)
  const host = free.pop() ?? startHost()
  const run = await runIn(host, command)
  free.push(host)
  return run
}

function startHost(): ChildProcess {
  const file = path.join(import.meta.dirname, '../support/command-host.mjs')
  const host = fork(file, { env: { PATH: process.env['PATH'] }, execArgv: [] })
  all.push(host)
  return host
}

function runIn(host: ChildProcess, command: Command): Promise<Run> {
  return new Promise((resolve, reject) => {
    const failed = (why: string) => () => {
      host.kill('SIGKILL')
      reject(new Error(`${command.args.join(' ')} ${why}`))
    }
    const timeout = setTimeout(failed(`did not end within ${TIMEOUT_MS} ms`), TIMEOUT_MS)
    host.once('exit', failed('ended its process'))
    host.once('message', (run: Run) => {
      clearTimeout(timeout)
      host.removeAllListeners('exit')
      resolve(run)
    })
    host.send(command)
  })
}

function runAlone({ args, env, cwd }: Command): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [path.join(root, 'dist/main.js'), ...args],
      { cwd, env, timeout: TIMEOUT_MS, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (child.exitCode === null)
          reject(new Error(`${args.join(' ')} was cut off: ${stderr}`, { cause: error }))
        else resolve({ status: child.exitCode, stdout, stderr })
      },
    )
  })
}
