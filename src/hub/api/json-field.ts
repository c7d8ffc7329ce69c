import { z } from 'zod'

import { isKeepable, readJsonText } from './json-text.ts'

/** A field that old clients send as JSON text, and others as the structure it is (protocol §2.6, §2.8). */
export function orJsonText<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => (typeof value === 'string' ? read(value) : value), schema)
}

/** What is no JSON, or none that can be kept, is left to the schema to refuse: as a text it is no structure. */
function read(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isKeepable(readJsonText(text)) ? value : text
  } catch {
    return text
  }
}
