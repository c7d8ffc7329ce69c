import { z } from 'zod'

type Issue = z.core.$ZodIssue

const MOST_TOLD = 5

/** Which field is wrong and why, for the sender: `payload.quantity: Invalid input: expected int, received string`. */
export function explainIssues(error: z.core.$ZodError, under: readonly PropertyKey[] = []): string {
  const told = error.issues.flatMap((issue) => explain(issue, under))
  const more = told.length > MOST_TOLD ? `; and ${told.length - MOST_TOLD} more` : ''
  return `${told.slice(0, MOST_TOLD).join('; ')}${more}`
}

function explain(issue: Issue, under: readonly PropertyKey[]): string[] {
  const path = [...under, ...issue.path]
  // Of several forms the sender meant the one to which it came nearest.
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const nearest = issue.errors.reduce((best, other) => (other.length < best.length ? other : best))
    return nearest.flatMap((inner) => explain(inner, path))
  }
  return [`${path.length === 0 ? 'the message' : z.core.toDotPath(path)}: ${issue.message}`]
}
