/** What is to be seen of one row of the store, in words that row and message share: `{ amount: '19.99' }`. */
export type Fields = Readonly<Record<string, string | null>>

/** All that is to be seen of an aggregate: row (`price:12`) → fields. Who is absent is not there or not shown. */
export type Picture = ReadonlyMap<string, Fields>

/**
 * Does a message that shows `shown` tell the truth about a row that stands as `wanted`? It may say more than the
 * store's family knows a word for; a row that only one of them has is a lie.
 */
export function tells(shown: Fields | undefined, wanted: Fields | undefined): boolean {
  if (!shown || !wanted) return shown === wanted
  return Object.keys(wanted).every((name) => (shown[name] ?? null) === wanted[name])
}

export function samePicture(left: Picture, right: Picture): boolean {
  return [...new Set([...left.keys(), ...right.keys()])].every(
    (key) => tells(left.get(key), right.get(key)) && tells(right.get(key), left.get(key)),
  )
}

/** What of one row is told otherwise than it stands: `price:12 amount 9 instead of 10`. */
export function describeLie(key: string, shown: Fields | undefined, wanted: Fields | undefined): string {
  if (!shown) return `${key} is not told`
  if (!wanted) return `${key} is told but not there`
  return Object.keys(wanted)
    .filter((name) => (shown[name] ?? null) !== wanted[name])
    .map((name) => `${key} ${name} '${shown[name] ?? null}' instead of '${wanted[name]}'`)
    .join(', ')
}

export function text(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}

/** '10.50', '10.5' and 10.5 are one amount. */
export function decimal(value: unknown): string | null {
  return value === null || value === undefined ? null : String(Number(value))
}

/** That it happened, not when: the store keeps microseconds without a zone, a message milliseconds with one. */
export function happened(value: unknown): string | null {
  return value === null || value === undefined ? null : 'yes'
}
