import { hash } from 'node:crypto'

/**
 * Version of what a payload contains. Raised with each field that a release adds to a payload, together with an entry
 * in `INTRODUCED`: a digest made under an older shape is then compared without the new field, else each such release
 * would announce the whole catalogue.
 */
export const SHAPE = 2

/** Top-level payload key → the shape that brought it. Keys of shape 1 are not listed. */
const INTRODUCED: ReadonlyMap<string, number> = new Map([
  ['options', 2],
  ['taxons', 2],
  ['properties', 2],
  ['images', 2],
  ['variant_images', 2],
  ['translations', 2],
])

/** Digest of a payload's content as far as `shape` knew it. A moved `updated_at` alone is no content. */
export function digestOf(payload: Readonly<Record<string, unknown>>, shape: number = SHAPE): string {
  const known =
    shape === SHAPE
      ? payload
      : Object.fromEntries(Object.entries(payload).filter(([key]) => (INTRODUCED.get(key) ?? 1) <= shape))
  const text = JSON.stringify(known).replace(/"updated_at":(?:"[^"]*"|null),?/g, '')
  // Against change, not against malice: of all digests the one that processors have an instruction for.
  return hash('sha1', text, 'base64')
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
