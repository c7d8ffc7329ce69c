import type { Log } from '../../observe/log.ts'
import { onceInAWhile } from '../../observe/once-in-a-while.ts'
import type { Pool } from '../../postgres/pool.ts'
import { backOffSeconds } from '../../queue/policy.ts'
import {
  type AlarmTable,
  claimUntold,
  forgetTold,
  noteTold,
  noteTroubles,
  type Untold,
} from './alarm-table.ts'
import type { Channel } from './channels.ts'
import { noticeOf } from './notice.ts'
import type { Trouble } from './trouble.ts'

export type AlarmsOptions = Readonly<{
  pool: Pool
  table: AlarmTable
  channels: readonly Channel[]
  /** Whose alarms these are, as people know it. */
  bridge(): Promise<string>
  log: Log
}>

export type Alarms = Readonly<{
  /** Notes what is the matter now, and tells each change of state once. Several processes may look: one of them tells. */
  look(troubles: readonly Trouble[]): Promise<void>
  /** Lets what is being sent end, which takes no second, or breaks it off: then another process sends it. */
  stop(): Promise<void>
}>

const SENT_WITHIN_MILLISECONDS = 2_000
/** The first retry after some seconds, then as messages are: up to ten minutes apart. */
const ATTEMPTS_AHEAD = 2

/** The state of the alarms in a database, and the sending of what changes in it. */
export function createAlarms({ pool, table, channels, bridge, log }: AlarmsOptions): Alarms {
  const quietly = onceInAWhile(log)
  const names = channels.map(({ name }) => name)
  const breakingOff = new AbortController()
  let stopping = false
  let telling: Promise<void> | undefined

  async function tellAll(): Promise<void> {
    while (!stopping) {
      const untold = await claimUntold(pool, table, names)
      if (!untold) break
      await tell(untold)
    }
    await forgetTold(pool, table, names)
  }

  async function tell(untold: Untold): Promise<void> {
    const notice = noticeOf(await bridge(), untold)
    const wanted = channels.filter(({ name }) => untold.by.includes(name))
    const sent = await Promise.allSettled(wanted.map((channel) => channel.send(notice, breakingOff.signal)))
    const told = wanted.filter((_, index) => sent[index]?.status === 'fulfilled').map(({ name }) => name)
    const failures = wanted.flatMap(({ name }, index) => {
      const result = sent[index]
      return result?.status === 'rejected' ? [{ name, error: result.reason as unknown }] : []
    })
    const fields = { alarm: untold.cause, about: untold.subject, state: untold.state }
    if (told.length > 0) log.info('an alarm was sent', { ...fields, by: told })
    for (const { name, error } of failures)
      quietly(`alarm ${name}`, 'warn', 'an alarm could not be sent and will be tried again', {
        ...fields,
        by: name,
        error,
      })
    const failure =
      failures.length === 0
        ? undefined
        : {
            reason: failures.map(({ name, error }) => `${name}: ${reasonOf(error)}`).join(' '),
            seconds: backOffSeconds(untold.attempts + ATTEMPTS_AHEAD, Math.random()),
          }
    await noteTold(pool, table, untold, told, failure)
  }

  return {
    async look(troubles) {
      await noteTroubles(pool, table, troubles)
      // What is being sent may take its time; the next look must not wait for it.
      telling ??= tellAll()
        .catch((error: unknown) => quietly('alarm', 'warn', 'the alarms could not be told', { error }))
        .finally(() => {
          telling = undefined
        })
    },
    async stop() {
      stopping = true
      // What was sent and not noted would be told twice.
      const patience = setTimeout(() => breakingOff.abort(), SENT_WITHIN_MILLISECONDS)
      await telling
      clearTimeout(patience)
    },
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
