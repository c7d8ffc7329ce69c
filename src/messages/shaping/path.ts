/** Steps from the root of a message: keys, numbers of elements, and `*` for all elements or values (protocol §4.1). */
export type Path = readonly string[]

export function parsePath(path: string): Path {
  return path.split('.')
}

/**
 * What stands at a path: with a `*` in it a list, empty where a step is missing; else one value, null where a step is
 * missing.
 */
export function valuesAt(root: unknown, path: Path): readonly unknown[] {
  const found = path.reduce<readonly unknown[]>(
    (values, step) => values.flatMap((value) => (step === '*' ? valuesOf(value) : stepsOf(value, step))),
    [root],
  )
  return found.length === 0 && !path.includes('*') ? [null] : found
}

/** The same with null in each of these places, copied along the path; where it leads nowhere nothing is added. */
export function nullAt<Root>(root: Root, path: Path): Root {
  const [step, ...rest] = path
  if (step === undefined || typeof root !== 'object' || root === null) return root
  const keys = step === '*' ? Object.keys(root) : Object.hasOwn(root, step) ? [step] : []
  if (keys.length === 0) return root
  const copy: Root & object = Array.isArray(root) ? Object.assign([], root) : { ...root }
  for (const key of keys)
    Reflect.set(copy, key, rest.length === 0 ? null : nullAt<unknown>(Reflect.get(root, key), rest))
  return copy
}

function valuesOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : []
}

function stepsOf(value: unknown, step: string): unknown[] {
  const leads = typeof value === 'object' && value !== null && Object.hasOwn(value, step)
  return leads ? [Reflect.get(value, step) ?? null] : []
}

/** Whether anything stands there, be it null. */
export function isAt(root: unknown, path: Path): boolean {
  const [step, ...rest] = path
  if (step === undefined) return true
  if (typeof root !== 'object' || root === null) return false
  if (step === '*') return Object.values(root).some((value) => isAt(value, rest))
  return Object.hasOwn(root, step) && isAt(Reflect.get(root, step), rest)
}
