/** Before a number that is kept as it was written: no text of a shop begins with it. */
const MARK = '\u{F8FF}#'
const STRING_OR_NUMBER = /("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)/g
const MARKED = new RegExp(`"${MARK}([^"]*)"`, 'g')

/** The object or list that a text is in JSON, its numbers as marked texts, so that none is rounded; else undefined. */
export function readDocument(text: string): object | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined
  try {
    const kept = text.replace(STRING_OR_NUMBER, (_, string, number) => string ?? `"${MARK}${number}"`)
    const value: unknown = JSON.parse(kept)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** The text of what `readDocument` gave, and of what was made of it. */
export function writeDocument(document: unknown): string {
  return JSON.stringify(document).replace(MARKED, '$1')
}
