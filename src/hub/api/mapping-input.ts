import { z } from 'zod'
import { FILTER_OPERATORS, faultOf } from '../../messages/shaping/filter.ts'
import { isObjectId } from '../object-id.ts'
import { endpointToken, endpointUrl } from './endpoint-address.ts'
import { orJsonText } from './json-field.ts'
import { messageType } from './pushed.ts'

const flag = z.union([z.boolean(), z.stringbool()], 'has to be true or false')

const NOT_EVALUATED =
  'has to be empty: this release does not evaluate identifiers, and the mapping would get messages that it does not want'

const scalar = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)], {
  error: 'has to be a text or a number',
})

/** Of the root of a message: `payload.order.status`. What clients leave empty is not there (protocol §4.2). */
const filter = z
  .object(
    {
      path: z
        .string('has to be a path from the root of a message: `payload.order.status`')
        .trim()
        .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'has to be steps with dots between: `payload.order.status`'),
      operator: z.enum(FILTER_OPERATORS, `has to be one of ${FILTER_OPERATORS.join(', ')}`),
      value: z
        .preprocess((value) => value ?? undefined, scalar.optional())
        .refine((value) => value === undefined || value.length <= 1_000, 'is longer than 1,000 characters'),
      match_rule: z.preprocess(
        (rule) => rule || undefined,
        z.enum(['all', 'any'], 'has to be all or any').optional(),
      ),
    },
    'has to be an object with path, operator and value',
  )
  .superRefine((given, context) => {
    const fault = faultOf(given)
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
  })

const mappingFields = z.object({
  name: z.string('has to be a string').trim().min(1, 'must not be empty').max(255, 'is too long'),
  url: endpointUrl,
  token: endpointToken,
  messages: orJsonText(
    z
      .array(messageType, 'has to be a list of message types')
      .min(1, 'has to have at least one message type')
      .transform((types) => [...new Set(types)]),
  ),
  enabled: flag.optional(),
  options: orJsonText(z.object({ retries_allowed: flag.default(true) }, 'has to be an object').nullish()),
  parameters: orJsonText(
    z
      .array(
        z.string().refine(isObjectId, 'has to be a list of parameter ids'),
        'has to be a list of parameter ids',
      )
      .transform((ids) => [...new Set(ids)])
      .nullish(),
  ),
  filters: orJsonText(z.array(filter, 'has to be a list').max(100, 'has more than 100 filters').nullish()),
  identifiers: orJsonText(
    z
      .record(z.string(), z.unknown(), 'has to be an object')
      .refine((paths) => Object.keys(paths).length === 0, NOT_EVALUATED)
      .nullish(),
  ),
})

/** Bodies have the root key `mapping`. */
export const mappingBody = z.object(
  { mapping: z.record(z.string(), z.unknown(), 'has to be an object with the fields of the mapping') },
  'has to be an object with the key mapping',
)

/** For `POST mappings`. Unknown keys are left out: clients send back all that they were shown. */
export const newMapping = mappingFields
/** For `PUT mappings/:id`: what is not given stays. */
export const changedMapping = mappingFields.partial()

export type NewMapping = Readonly<z.output<typeof newMapping>>
export type MappingChange = Readonly<z.output<typeof changedMapping>>
