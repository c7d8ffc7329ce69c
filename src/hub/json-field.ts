import { z } from 'zod'

/** A field that old clients send as JSON text, and others as the structure it is (protocol §2.6, §2.8). */
export function orJsonText<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => (typeof value === 'string' ? read(value) : value), schema)
}

/** What is no JSON is left to the schema to refuse. */
function read(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
