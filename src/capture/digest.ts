import { hash } from 'node:crypto'

/**
 * Version of what a digest is made of. Raised with each field that a release adds to a payload, together with an entry
 * in `INTRODUCED`: a digest made under an older shape is then compared without the new field, else each such release
 * would announce the whole catalogue.
 */
export const SHAPE = 3

/** The shape since which what is null is no content. */
const WITHOUT_NULLS = 3

/** Top-level payload key → the shape that brought it. Keys of shape 1 are not listed. */
const INTRODUCED: ReadonlyMap<string, number> = new Map([
  ['options', 2],
  ['taxons', 2],
  ['properties', 2],
  ['images', 2],
  ['variant_images', 2],
  ['translations', 2],
])

/** A moved `updated_at` alone is no content. */
const TIME = /"updated_at":(?:"[^"]*"|null),?/g
/** Nor that a unit is of one piece, which no store says before Spree 3.3. */
const TIME_AND_LATER =
  /"updated_at":(?:"[^"]*"|null),?|,"quantity":1(?<="shipment_id":\d+,"quantity":1)(?=\})/g

/**
 * Digest of a payload's content as far as `shape` knew it. What is null counts as not there: a column that an upgrade of the
 * shop adds is no change before something stands in it.
 */
export function digestOf(payload: Readonly<Record<string, unknown>>, shape: number = SHAPE): string {
  const known = shape === SHAPE ? payload : asOf(shape, payload)
  const text =
    shape < WITHOUT_NULLS
      ? JSON.stringify(known).replace(TIME, '')
      : JSON.stringify(withoutNulls(known)).replace(TIME_AND_LATER, '')
  // Against change, not against malice: of all digests the one that processors have an instruction for.
  return hash('sha1', text, 'base64')
}

/** For orders by the ten thousand: to leave keys out by their entries costs twice as much. */
function withoutNulls(payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const known = { ...payload }
  for (const key in known) if (known[key] === null) known[key] = undefined
  return known
}

function asOf(shape: number, payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(payload).filter(([key]) => (INTRODUCED.get(key) ?? 1) <= shape))
}

/** Whether content is what a baseline knows: `digest` is the content's of today, asked for again only of an older shape. */
export function isUnchanged(
  before: Readonly<{ digest: string | null; shape: number }> | undefined,
  digest: string,
  payload: Readonly<Record<string, unknown>>,
): boolean {
  if (before === undefined || before.digest === null) return false
  return before.digest === (before.shape === SHAPE ? digest : digestOf(payload, before.shape))
}
