/** What stands in a JSON text, without a value being changed by reading it. */
export type JsonText = Readonly<{
  /** Of objects and arrays within each other; a plain value has 0. */
  depth: number
  /** True where a string has the character U+0000, which PostgreSQL cannot keep. */
  hasNul: boolean
  /** Where the text is an object: each member's value as it is written, so that `15.990` stays `15.990`. */
  members: ReadonlyMap<string, string>
}>

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN = new Set([0x7b, 0x5b])
const CLOSE = new Set([0x7d, 0x5d])

/** Reads a text that `JSON.parse` has taken, once through and without recursion. Of a repeated name the last one counts. */
export function readJsonText(text: string): JsonText {
  const members = new Map<string, string>()
  const isObject = text.trimStart().startsWith('{')
  let depth = 0
  let deepest = 0
  let hasNul = false
  let string = ''
  let name: string | undefined
  let valueAt = 0

  const endValue = (at: number) => {
    if (name !== undefined) members.set(name, text.slice(valueAt, at).trim())
    name = undefined
  }
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) {
      const from = at
      for (at++; text.charCodeAt(at) !== QUOTE; at++) {
        if (text.charCodeAt(at) !== BACKSLASH) continue
        at++
        hasNul ||= text.startsWith('u0000', at)
      }
      if (depth === 1 && name === undefined) string = text.slice(from, at + 1)
    } else if (OPEN.has(character)) {
      deepest = Math.max(deepest, ++depth)
    } else if (CLOSE.has(character)) {
      if (--depth === 0) endValue(at)
    } else if (depth === 1 && isObject) {
      if (character === COMMA) endValue(at)
      else if (character === COLON) {
        name = JSON.parse(string)
        valueAt = at + 1
      }
    }
  }
  return { depth: deepest, hasNul, members }
}

/** Deeper than any order or product; what is deeper breaks whatever reads it by recursion. */
export const DEEPEST = 100

export function isKeepable({ depth, hasNul }: JsonText): boolean {
  return depth <= DEEPEST && !hasNul
}

/** The text of an object of these members, their values as they are written. */
export function writeMembers(members: Iterable<readonly [name: string, text: string]>): string {
  return `{${Array.from(members, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}
