import type { z } from 'zod'

import { explainIssues } from './explain-issues.ts'

/** The payload is not what messages of this type have; the message says which field and why. */
export class PayloadFault extends Error {
  override readonly name = 'PayloadFault'
  readonly code = 'payload'
}

/** `at` is where the value stands in what was sent. @throws PayloadFault */
export function parsePayload<T>(schema: z.ZodType<T>, value: unknown, at: readonly string[]): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new PayloadFault(explainIssues(parsed.error, at))
}
