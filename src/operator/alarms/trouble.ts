/** What may be the matter: a kind of trouble at a time is one alarm for each `subject` that it concerns. */
export type Cause = 'parked' | 'circuit' | 'worker' | 'gap' | 'lag'

/** Something a person has to know. `text` says what happened, to what, and what to do; it holds no customer's data. */
export type Trouble = Readonly<{ cause: Cause; subject: string; text: string }>

/** So long it has to last before it is an alarm: a deploy stops every worker for a moment, a hub's restart answers 503. */
export const GRACE_SECONDS: Readonly<Record<Cause, number>> = {
  parked: 0,
  gap: 0,
  lag: 0,
  circuit: 10,
  worker: 20,
}

/** So long it has to be over before it counts as recovered: a hub that works every other minute is one alarm. */
export const CALM_SECONDS = 20

export const TITLES: Readonly<Record<Cause, string>> = {
  parked: 'messages are parked',
  circuit: 'nothing is pushed to the hub',
  worker: 'no worker is running',
  gap: 'changes of the store went unseen',
  lag: 'messages wait too long',
}
