/** Shorter texts stand in many places and tell of nobody. */
const SHORTEST = 4

/** The places of a payload in which a text still stands that is in one of these values, elements of lists under `*`. */
export function remainsOf(values: readonly unknown[], payload: unknown): string[] {
  const sought = new Set<string>()
  for (const value of values) eachText('', value, (_, text) => text.length >= SHORTEST && sought.add(text))
  const places = new Set<string>()
  eachText('payload', payload, (path, text) => sought.has(text) && places.add(path))
  return [...places]
}

function eachText(path: string, value: unknown, take: (path: string, text: string) => void): void {
  if (typeof value === 'string') take(path, value)
  else if (typeof value === 'object' && value !== null)
    for (const [key, part] of Object.entries(value))
      eachText(`${path}.${Array.isArray(value) ? '*' : key}`, part, take)
}
