import { z } from 'zod'
import { isObjectId } from '../object-id.ts'
import { endpointToken, endpointUrl } from './endpoint-address.ts'
import { orJsonText } from './json-field.ts'
import { messageType } from './pushed.ts'

const flag = z.union([z.boolean(), z.stringbool()], 'has to be true or false')

const notEvaluated = (what: string) =>
  `has to be empty: this release does not evaluate ${what}, and the mapping would get messages that it does not want`

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
  filters: orJsonText(z.array(z.unknown(), 'has to be a list').max(0, notEvaluated('filters')).nullish()),
  identifiers: orJsonText(
    z
      .record(z.string(), z.unknown(), 'has to be an object')
      .refine((paths) => Object.keys(paths).length === 0, notEvaluated('identifiers'))
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
