/** What one check found; where not all is well, what to do about it. */
export type Finding = Readonly<{
  /** What was looked at, in a word or two. */
  check: string
  /** `warning`: it works, with a drawback. `failed`: it does not. */
  state: 'ok' | 'warning' | 'failed'
  text: string
  mend: string | null
}>

export function ok(check: string, text: string): Finding {
  return { check, state: 'ok', text, mend: null }
}

export function warning(check: string, text: string, mend: string): Finding {
  return { check, state: 'warning', text, mend }
}

export function failed(check: string, text: string, mend: string): Finding {
  return { check, state: 'failed', text, mend }
}

/** What a check ran into that says itself what to do. */
export function fromError(check: string, error: unknown): Finding {
  const text = error instanceof Error ? error.message : String(error)
  return { check, state: 'failed', text, mend: null }
}
