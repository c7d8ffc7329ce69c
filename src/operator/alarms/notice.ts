import type { Untold } from './alarm-table.ts'
import { TITLES } from './trouble.ts'

/** What is sent of an alarm. `text` is the whole story; the rest is for programs. */
export type Notice = Readonly<{
  title: string
  text: string
  /** Whose alarm it is: the store's id at the hub, or the database. */
  bridge: string
  state: Untold['state']
  cause: Untold['cause']
  subject: string
  raised_at: string
  recovered_at: string | null
}>

/** A change of state as people read it. Pure. */
export function noticeOf(bridge: string, untold: Untold): Notice {
  const { state, cause, subject, raisedAt, recoveredAt } = untold
  const what = `${TITLES[cause]}${subject ? ` (${subject})` : ''}`
  const title = `spree-bridge ${bridge}: ${state === 'raised' ? what : `recovered: ${what}`}`
  const since = raisedAt.toISOString()
  const text =
    state === 'raised'
      ? `${title}\n${untold.text}\nSince ${since}.`
      : `${title}\nIt was so from ${since} to ${recoveredAt?.toISOString()}; nothing is left to do.`
  return {
    title,
    text,
    bridge,
    state,
    cause,
    subject,
    raised_at: since,
    recovered_at: recoveredAt?.toISOString() ?? null,
  }
}
