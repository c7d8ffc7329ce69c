import { readDocument } from './json-document.ts'
import { isAboutPerson, isPersonalKey, plain } from './personal-keys.ts'

/** A customer who is to be forgotten: the address, and what was learnt from the messages that have it. */
export type Person = Readonly<{
  /** The address that was given, and those that the account had before. */
  emails: Set<string>
  /** Numbers of orders: a message that names one is about this person. */
  numbers: Set<string>
  /** Aggregates and message ids: a row that has one is about this person. */
  keys: Set<string>
  /** Streets, phones, whole names and other addresses, which tell of nobody else. */
  texts: Set<string>
  /** Addresses that stood beside theirs and are those of another account by now: they lead to nothing. */
  lost: Set<string>
  /** Accounts that somebody else has: they lead to nothing either. */
  others: Set<string>
}>

export function newPerson(email: string): Person {
  const emails = new Set([email.toLowerCase()])
  const none = () => new Set<string>()
  return { emails, numbers: none(), keys: none(), texts: none(), lost: none(), others: none() }
}

/** As much as is known now, whatever is learnt from now on. */
export function copyOf({ emails, numbers, keys, texts, lost, others }: Person): Person {
  return {
    emails: new Set(emails),
    numbers: new Set(numbers),
    keys: new Set(keys),
    texts: new Set(texts),
    lost: new Set(lost),
    others: new Set(others),
  }
}

/** How much is known: more than before means that it pays to look again. */
export function knownOf({ emails, numbers, keys, texts, lost, others }: Person): number {
  return emails.size + numbers.size + keys.size + texts.size + lost.size + others.size
}

/** The shortest of the texts that are looked for everywhere. */
const SHORTEST = 6
const LOOKED_FOR = /email|phone|address1$|street|fullname|login/

/** Whether one of these stands in a text, whatever the case and not as a part of something longer. */
export function patternOf(texts: Iterable<string>): RegExp {
  const escaped = [...texts]
    .sort((one, other) => other.length - one.length)
    .map((text) => text.replace(/[^\p{L}\p{N}]/gu, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`))
  return new RegExp(
    `(?<![\\p{L}\\p{N}]|[\\p{L}\\p{N}][.+_%-])(?:${escaped.join('|')})(?![\\p{L}\\p{N}]|[.+_%-][\\p{L}\\p{N}])`,
    'giu',
  )
}

/** Whether a text of a row, or what it is in JSON, has an address or names one of the orders of the person. */
export function isMentioned(person: Person, value: unknown): boolean {
  const email = patternOf(person.emails)
  return someText(value, (text) => person.numbers.has(text) || text.search(email) >= 0)
}

function someText(value: unknown, holds: (text: string) => boolean): boolean {
  if (typeof value === 'string') return holds(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, part]) => holds(key) || someText(part, holds))
}

/** True of an object that names another address: of a list of orders it may be somebody else's. */
export function isAnothers(person: Person, value: object): boolean {
  const names = Object.entries(value).some(
    ([key, part]) => plain(key).endsWith('email') && typeof part === 'string' && part.includes('@'),
  )
  return names && !isMentioned(person, value)
}

/** Learns from a document about the person: order numbers that stand beside the address, and what is nobody else's. */
export function learnFrom(person: Person, document: unknown): void {
  if (typeof document !== 'object' || document === null) return
  if (isAnothers(person, document)) return
  const own = new Map(Object.entries(document).map(([key, value]) => [plain(key), value]))
  if (person.emails.has(String(own.get('email')).toLowerCase())) {
    for (const key of own.has('lineitems') ? ['number', 'id'] : ['number']) {
      const number = own.get(key)
      if (typeof number === 'string' && /^\p{L}/u.test(number)) person.numbers.add(number)
    }
  }
  const whole = [own.get('firstname'), own.get('lastname')].filter(
    (name) => typeof name === 'string' && name !== '',
  )
  if (whole.length === 2) learnText(person, whole.join(' '))
  if (isAboutPerson('', own)) learnText(person, own.get('name'))
  for (const [key, value] of own) {
    if (isPersonalKey(key, false) && LOOKED_FOR.test(key)) learnText(person, value)
    learnFrom(person, value)
  }
}

/** The addresses that a message about an account gives it, now and before. */
export function addressesIn(document: unknown): string[] {
  if (typeof document !== 'object' || document === null) return []
  return Object.entries(document).flatMap(([key, value]) =>
    ['email', 'previousemail'].includes(plain(key)) && typeof value === 'string' && value.includes('@')
      ? [value.toLowerCase()]
      : addressesIn(value),
  )
}

function learnText({ texts, lost }: Person, value: unknown): void {
  if (typeof value !== 'string') return
  const text = value.trim().toLowerCase()
  if (text.length >= SHORTEST && /[\s\d@]/.test(text) && !lost.has(text)) texts.add(text)
}

/** What a text says, as data where it is JSON. */
export function readText(text: string): unknown {
  return readDocument(text) ?? text
}
