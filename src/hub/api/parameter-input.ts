import { z } from 'zod'

import { orJsonText } from './json-field.ts'

const text = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)], {
  error: 'has to be a string',
})
const number = z.union(
  [
    z.number(),
    z
      .string()
      .trim()
      .regex(/^-?\d{1,15}(\.\d{1,15})?$/)
      .transform(Number),
  ],
  { error: 'has to be a number' },
)
const list = z.array(
  z.record(z.string(), z.unknown()),
  'has to be a list of objects, at most 100 levels deep and without NUL characters',
)

/** What a value may be for each type. Text, from forms and old clients, is read as what it stands for. */
const VALUES = {
  string: text,
  integer: number.pipe(z.int('has to be a whole number')),
  float: number,
  boolean: z.union([z.boolean(), z.stringbool()], { error: 'has to be true or false' }),
  list: orJsonText(list),
}

export type DataType = keyof typeof VALUES

const dataTypes = Object.keys(VALUES) as DataType[]

const fields = z.object({
  name: z.string('has to be a string').trim().min(1, 'must not be empty').max(255, 'is too long'),
  value: z.unknown(),
  data_type: z.enum(dataTypes, `has to be one of ${dataTypes.join(', ')}`),
})

/** The flat object of old clients, or the same under `parameter` (protocol §2.8). */
function flatOrRooted<Schema extends z.ZodType>(schema: Schema) {
  const rooted = z.object({ parameter: z.record(z.string(), z.unknown()) })
  return z.preprocess((body) => rooted.safeParse(body).data?.parameter ?? body, schema)
}

export const newParameter = flatOrRooted(
  fields.extend({ data_type: fields.shape.data_type.default('string') }),
)
export const changedParameter = flatOrRooted(fields.partial())

export type NewParameter = Readonly<z.output<typeof newParameter>>
export type ParameterChange = Readonly<z.output<typeof changedParameter>>

/** The schema of a parameter's value, for `parseObject`. */
export function valueSchema(dataType: DataType) {
  return z.object({ value: VALUES[dataType] })
}
