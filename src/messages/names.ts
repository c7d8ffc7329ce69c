/** Splits a whole name where a store keeps only that: the first word, and the rest. */
export function splitName(name: string | null): Readonly<{ first: string | null; last: string | null }> {
  if (name === null) return { first: null, last: null }
  const [first = '', ...rest] = name.trim().split(/\s+/)
  return { first, last: rest.join(' ') }
}
