import { readFileSync } from 'node:fs'

const LOOK_MILLISECONDS = 500

/**
 * Resolves when the npm that started this process has died, and with it the terminal's hold on us. Started by anything
 * else it never does: a shell may well leave us to run on.
 */
export function npmIsGone(): Promise<Error> {
  return new Promise((resolve) => {
    if (process.env['npm_lifecycle_event'] === undefined) return
    const [parent, above] = launchers()
    const timer = setInterval(() => {
      const now = launchers()
      if (now[0] === parent && now[1] === above) return
      clearInterval(timer)
      resolve(new Error('The npm that started this is gone, so it stops.'))
    }, LOOK_MILLISECONDS)
    timer.unref()
  })
}

/** Our parent and, where that is the shell in which npm runs its scripts, the shell's. */
function launchers(): readonly [number, number | undefined] {
  const parent = process.ppid
  try {
    // "pid (name) state parent …", on Linux only; elsewhere npm's shell makes way for what it runs.
    const [, name = '', above] = /\((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${parent}/stat`, 'utf8')) ?? []
    return [parent, /^(ba|da|a|k|z)?sh$/.test(name) ? Number(above) : undefined]
  } catch {
    return [parent, undefined]
  }
}
