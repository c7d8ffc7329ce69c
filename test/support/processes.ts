import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

const ours = path.resolve(import.meta.dirname, '../..')

const withTestHandlers = path.join(ours, 'node_modules/.bridge-with-test-handlers/main.js')

/** To be awaited before anything is started with `testHandlers`; it takes seconds. */
export async function buildWithTestHandlers(): Promise<void> {
  const build = path.join(import.meta.dirname, 'build-test-program.mjs')
  await promisify(execFile)(process.execPath, [build, withTestHandlers], { cwd: ours })
}

export type Ending = Readonly<{ code: number | null; signal: NodeJS.Signals | null }>

/** A bridge process, as an operator's machine would run it. */
export type BridgeProcess = Readonly<{
  pid: number
  /** Everything it wrote, to stdout and stderr, line by line. */
  lines: readonly string[]
  ended: Promise<Ending>
  /** Resolves with the first line, past or to come, that `wanted` accepts; rejects when the process ends without it. */
  line(wanted: (line: string) => boolean, timeoutMs?: number): Promise<string>
  kill(): Promise<Ending>
  /** From now on it dies as by `kill -9` when it has passed this step so often. */
  dieAt(step: string, count: number): void
  /** From now on it stands still, as by SIGSTOP, when it has passed this step so often. Resolves when it does. */
  stopAt(step: string, count: number): Promise<void>
  /** From now on its wall clock is wrong by so much. */
  shiftClock(ms: number): void
  /** SIGSTOP: it stands still, with its connections open. */
  pause(): void
  resume(): void
  /** SIGTERM, as a deploy sends it. */
  terminate(): Promise<Ending>
}>

export type StartOptions = Readonly<{
  /** In addition to PATH and the like; nothing else of this process's environment goes in. */
  env: Readonly<Record<string, string>>
  /** Dies as by `kill -9` at the `count`-th time that it passes this step, e.g. `collect.commit:after`. */
  killAt?: Readonly<{ step: string; count?: number }>
  /** The folder of another version of the program. */
  root?: string
  /** With the inbound handlers of the tests (test-handlers.ts) in place of its own; see `buildWithTestHandlers`. */
  testHandlers?: boolean
}>

export type Processes = Readonly<{
  /** `node dist/main.js <command>`: the built program. */
  start(command: readonly string[], options: StartOptions): BridgeProcess
  /** For `afterAll`: kills what still runs. */
  killAll(): Promise<void>
}>

/** Keeps track of the processes of one test file. A process whose parent is gone kills itself, too. */
export function createProcesses(): Processes {
  const running = new Set<BridgeProcess>()
  return {
    start: (command, options) => {
      const started = start(command, options)
      running.add(started)
      void started.ended.then(() => running.delete(started))
      return started
    },
    killAll: async () => {
      await Promise.all([...running].map((process_) => process_.kill()))
    },
  }
}

function start(
  command: readonly string[],
  { env, killAt, root = ours, testHandlers }: StartOptions,
): BridgeProcess {
  const preload = path.join(import.meta.dirname, 'child-preload.mjs')
  const program = testHandlers ? withTestHandlers : path.join(root, 'dist/main.js')
  const child = spawn(process.execPath, ['--import', preload, program, ...command], {
    cwd: root,
    env: {
      ...pick(process.env, ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ']),
      ...env,
      ...(killAt && { KILL_AT: killAt.step, KILL_COUNT: String(killAt.count ?? 1) }),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const lines: string[] = []
  const listeners = new Set<(line: string) => void>()
  const hear = (line: string) => {
    lines.push(line)
    for (const listener of listeners) listener(line)
  }
  readLines(child, hear)
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const send = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
  }
  return {
    pid: child.pid ?? 0,
    lines,
    ended,
    line: (wanted, timeoutMs = 60_000) => awaitLine(wanted, timeoutMs, { lines, listeners, ended }),
    kill: () => {
      send('SIGKILL')
      return ended
    },
    dieAt: (step, count) => child.send({ step, count }),
    stopAt: async (step, count) => {
      child.send({ step, count, signal: 'SIGSTOP' })
      while (child.exitCode === null && child.signalCode === null && !standsStill(child.pid)) await pause(100)
    },
    shiftClock: (ms) => child.send({ shiftClock: ms }),
    pause: () => send('SIGSTOP'),
    resume: () => send('SIGCONT'),
    terminate: () => {
      send('SIGTERM')
      return ended
    },
  }
}

function standsStill(pid = 0): boolean {
  return spawnSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).stdout.startsWith('T')
}

function readLines(child: ChildProcess, hear: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream?.setEncoding('utf8')
    stream?.on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) hear(line)
    })
    stream?.on('end', () => {
      if (rest !== '') hear(rest)
    })
  }
}

type Heard = Readonly<{
  lines: readonly string[]
  listeners: Set<(line: string) => void>
  ended: Promise<Ending>
}>

function awaitLine(
  wanted: (line: string) => boolean,
  timeoutMs: number,
  { lines, listeners, ended }: Heard,
): Promise<string> {
  const past = lines.find(wanted)
  if (past !== undefined) return Promise.resolve(past)
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer)
      listeners.delete(listen)
    }
    const fail = (why: string) => {
      leave()
      reject(new Error(`The line did not come: ${why}. The last lines:\n${lines.slice(-20).join('\n')}`))
    }
    const listen = (line: string) => {
      if (!wanted(line)) return
      leave()
      resolve(line)
    }
    const timer = setTimeout(() => fail(`waited ${timeoutMs} ms`), timeoutMs)
    listeners.add(listen)
    void ended.then(
      ({ code, signal }) => fail(`the process ended with ${signal ?? code}`),
      (error: unknown) => fail(String(error)),
    )
  })
}

function pick(env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}
