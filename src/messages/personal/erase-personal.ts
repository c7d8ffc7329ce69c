import { readDocument, writeDocument } from './json-document.ts'
import { isAnothers, isMentioned, type Person, patternOf } from './person.ts'
import { isAboutPerson, isPersonalKey, plain } from './personal-keys.ts'

/** What stands in a text where the person stood; a field of a message that is the person's alone becomes null. */
export const ERASED = '[erased]'

type Where = Readonly<{ under: string; inPerson: boolean; isPersonal: boolean }>

/**
 * A text of a row without what tells who the person is: of a message about them all personal fields, of any other text
 * the places where they stand. Numbers of orders, ids and amounts stay, and so does what is somebody else's.
 * @param isTheirs The row is about the person, though the text need not say so.
 */
export function erasePersonal(text: string, person: Person, isTheirs: boolean): string {
  const pattern = patternOf([...person.emails, ...person.texts])
  const document = readDocument(text)
  if (document === undefined) return text.replace(pattern, ERASED)
  const fields = isTheirs || isMentioned(person, document)
  const erased = eraseIn(document, { under: '', inPerson: false, isPersonal: false })
  return erased.changed ? writeDocument(erased.value) : text

  function eraseIn(value: unknown, where: Where): Readonly<{ value: unknown; changed: boolean }> {
    if (typeof value === 'string') {
      if (where.isPersonal) return { value: null, changed: true }
      const clean = value.replace(pattern, ERASED)
      return { value: clean, changed: clean !== value }
    }
    if (typeof value !== 'object' || value === null || isAnothers(person, value))
      return { value, changed: false }
    return Array.isArray(value) ? eraseInList(value, where) : eraseInObject(value, where)
  }

  function eraseInList(list: readonly unknown[], where: Where) {
    const parts = list.map((part) => eraseIn(part, where))
    return { value: parts.map((part) => part.value), changed: parts.some(({ changed }) => changed) }
  }

  function eraseInObject(object: object, where: Where) {
    const entries = Object.entries(object)
    const inPerson = isAboutPerson(where.under, new Set(entries.map(([key]) => plain(key))))
    let changed = false
    const value = Object.fromEntries(
      entries.map(([key, part]) => {
        const under = plain(key)
        const isPersonal = where.isPersonal || (fields && isPersonalKey(under, inPerson))
        const erased = eraseIn(part, { under, inPerson, isPersonal })
        const name = key.replace(pattern, ERASED)
        changed ||= erased.changed || name !== key
        return [name, erased.value]
      }),
    )
    return { value, changed }
  }
}
