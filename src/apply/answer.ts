/** What the sender is answered; `body` is the text of a JSON object, kept and given again to every repeat. */
export type Answer = Readonly<{ status: number; body: string; retryAfterSeconds?: number }>

/** For as long the sender of a message that met a trouble of ours is asked to wait. */
const RETRY_AFTER_SECONDS = 5

export function answer(status: number, body: Readonly<Record<string, unknown>>): Answer {
  return { status, body: JSON.stringify(body) }
}

/** 503: nothing was applied; the same message may well be later. */
export function notNow(body: Readonly<Record<string, unknown>>): Answer {
  return { ...answer(503, body), retryAfterSeconds: RETRY_AFTER_SECONDS }
}
