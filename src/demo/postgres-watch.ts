import { spawn } from 'node:child_process'
import type { Identity } from './postgres-identity.ts'

/** Ends by a line on its stdin, or by the end of it: that comes when we die, however we die. */
const SCRIPT = 'read -r _ || kill -INT "$1"'

/**
 * Has the server of `pid` shut down when this process dies, `kill -9` included; returns what calls the watch off.
 * By /bin/sh, which is everywhere; detached, so that a terminal's Ctrl-C is for us alone.
 */
export function endWithUs(pid: number, identity: Identity): () => void {
  const watch = spawn('/bin/sh', ['-c', SCRIPT, 'spree-bridge-watch', String(pid)], {
    ...identity,
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  for (const each of [watch, watch.stdin]) each.on('error', () => {}) // gone: there is nothing left to call off
  watch.unref()
  return () => watch.stdin.end('\n')
}
