/** How one field differs over all that were compared; `example` is of the first. */
export type FieldDifference = Readonly<{
  /** `line_items[].variant.sku`: of lists all places are one. */
  path: string
  how: 'vanishes' | 'appears' | 'changes'
  count: number
  example: Readonly<{ of: string; here: unknown; there: unknown }>
}>

/** Gathers in which fields pairs of payloads differ. */
export class Differences {
  readonly #found = new Map<string, { -readonly [key in keyof FieldDifference]: FieldDifference[key] }>()

  /** `of` names the pair. Of each field one difference per pair is counted. */
  compare(of: string, here: unknown, there: unknown): void {
    const seen = new Set<string>()
    this.#compare(of, '', here, there, seen)
  }

  /** By field. */
  list(): FieldDifference[] {
    return [...this.#found.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  }

  #compare(of: string, path: string, here: unknown, there: unknown, seen: Set<string>): void {
    if (Array.isArray(here) && Array.isArray(there)) {
      if (here.length !== there.length)
        this.#note(of, `${path}[]`, 'changes', here.length, there.length, seen)
      for (const [index, part] of here.entries())
        if (index < there.length) this.#compare(of, `${path}[]`, part, there[index], seen)
    } else if (isObject(here) && isObject(there)) {
      for (const key of new Set([...Object.keys(here), ...Object.keys(there)])) {
        const at = path === '' ? key : `${path}.${key}`
        if (!(key in there)) this.#note(of, at, 'vanishes', here[key], undefined, seen)
        else if (!(key in here)) this.#note(of, at, 'appears', undefined, there[key], seen)
        else this.#compare(of, at, here[key], there[key], seen)
      }
    } else if (here !== there) this.#note(of, path, 'changes', here, there, seen)
  }

  #note(
    of: string,
    path: string,
    how: FieldDifference['how'],
    here: unknown,
    there: unknown,
    seen: Set<string>,
  ): void {
    const name = `${path} ${how}`
    if (seen.has(name)) return
    seen.add(name)
    const known = this.#found.get(name)
    if (known) known.count++
    else this.#found.set(name, { path, how, count: 1, example: { of, here, there } })
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
