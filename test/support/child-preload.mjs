// Loaded into a bridge process of the tests by `node --import`. Plain JavaScript: that process has no TypeScript.
import { subscribe } from 'node:diagnostics_channel'

// Its parent holds the other end: no test leaves a process behind, however it dies.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// Its parent may also say so while it runs: {step, count, signal}; or that the clock jumps: {shiftClock: ms}.
process.on('message', (order) => ('shiftClock' in order ? shiftClock(order.shiftClock) : dieAt(order)))
process.channel?.unref()

// KILL_AT='collect.commit:after' KILL_COUNT=3: dies as by `kill -9`, at the third time, before anything else happens.
const { KILL_AT, KILL_COUNT = '1' } = process.env
if (KILL_AT) dieAt({ step: KILL_AT, count: Number(KILL_COUNT) })

function dieAt({ step, count, signal = 'SIGKILL' }) {
  let left = count
  subscribe('spree-bridge:step', (passed) => {
    if (passed !== step || --left !== 0) return
    process.kill(process.pid, signal)
    // The signal is delivered at the latest when the process next waits: it must not do anything until then.
    if (signal === 'SIGKILL') for (;;);
  })
}

/** The wall clock alone: timers and `performance.now()` go on as they did. */
function shiftClock(ms) {
  const { now } = Date
  globalThis.Date = new Proxy(Date, {
    get: (target, name) => (name === 'now' ? () => now() + ms : Reflect.get(target, name)),
    construct: (target, given, made) =>
      Reflect.construct(target, given.length > 0 ? given : [now() + ms], made),
  })
}
