import type { z } from 'zod'

type Schema = z.core.JSONSchema.BaseSchema

/** The keys that a schema names, and those of its parts with their way: `variants[].sku`. Of `without` the parts are not listed. */
export function keysOfSchema(schema: Schema, without: readonly string[] = []): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, own]) => {
    if (typeof own === 'boolean') return [name]
    const part = partOf(own)
    const way = part.isList ? `${name}[]` : name
    const inside = without.includes(name) ? [] : Object.keys(part.schema.properties ?? {})
    return [name, ...inside.map((key) => `${way}.${key}`)]
  })
}

function partOf(schema: Schema): Readonly<{ schema: Schema; isList: boolean }> {
  const [whole = schema] = (schema.anyOf ?? []).filter(
    (each): each is Schema => typeof each === 'object' && each.type !== 'null',
  )
  const { items } = whole
  return typeof items === 'object' && !Array.isArray(items)
    ? { schema: partOf(items).schema, isList: true }
    : { schema: whole, isList: false }
}

/** Those that have a value in one of the payloads, likewise. Below a key that the schema names as a whole is nothing. */
export function keysWithValues(
  payloads: readonly unknown[],
  known: readonly string[],
  without: readonly string[] = [],
): ReadonlySet<string> {
  const found = new Set<string>()
  const isWhole = (key: string) =>
    without.includes(key) ||
    key.endsWith('metadata') ||
    (known.includes(key) &&
      !known.some((other) => other.startsWith(`${key}.`) || other.startsWith(`${key}[]`)))
  for (const payload of payloads)
    for (const [key, value] of entriesOf(payload)) {
      if (isEmpty(value)) continue
      found.add(key)
      if (isWhole(key)) continue
      const [parts, way] = Array.isArray(value) ? [value, `${key}[]`] : [[value], key]
      for (const [name, own] of parts.flatMap(entriesOf)) if (!isEmpty(own)) found.add(`${way}.${name}`)
    }
  return found
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
}

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  )
}
