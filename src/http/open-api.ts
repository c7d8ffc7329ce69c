import { z } from 'zod'

/** Whose token a request needs. */
export type Caller = 'anybody' | 'operator' | 'hub' | 'store' | 'admin'

/** One thing that can be asked of a process, for `/openapi.json`. */
export type Operation = Readonly<{
  summary: string
  by: Caller
  query?: z.ZodType
  body?: z.ZodType
  /** What each status means. */
  answers: Readonly<Record<number, string>>
}>

/** By method and path, `GET /messages/{id}`. */
export type Operations = Readonly<Record<string, Operation>>

const SCHEMES = {
  operator: { type: 'http', scheme: 'bearer', description: 'OPERATOR_TOKEN' },
  hub: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Augury-Token',
    description: 'WEBHOOK_TOKEN; X-Hub-Token too',
  },
  store: { type: 'apiKey', in: 'header', name: 'X-Augury-Token', description: "The store's token" },
  admin: { type: 'apiKey', in: 'header', name: 'X-Augury-Token', description: 'HUB_ADMIN_TOKEN' },
} as const

/** The description of an API as OpenAPI 3.1 has it. */
export function openApi(
  title: string,
  version: string,
  operations: Operations,
): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [name, operation] of Object.entries(operations)) {
    const [method = '', path = ''] = name.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(path, operation) }
  }
  const callers = new Set(Object.values(operations).map(({ by }) => by))
  const securitySchemes = Object.fromEntries(
    Object.entries(SCHEMES).filter(([caller]) => callers.has(caller as Caller)),
  )
  return { openapi: '3.1.0', info: { title, version }, paths, components: { securitySchemes } }
}

function describe(path: string, { summary, by, query, body, answers }: Operation) {
  return {
    summary,
    security: by === 'anybody' ? [] : [{ [by]: [] }],
    parameters: [...pathParameters(path), ...(query ? queryParameters(query) : [])],
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body) } } },
    }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, description]) => [status, { description }]),
    ),
  }
}

function pathParameters(path: string) {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(query: z.ZodType) {
  const { properties = {} } = queryProperties.parse(jsonSchema(query))
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }))
}

const queryProperties = z.object({ properties: z.record(z.string(), z.unknown()).optional() })

/** What may be sent: before a schema makes something else of it. */
function jsonSchema(schema: z.core.$ZodType): Record<string, unknown> {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    // What is only read in two forms is described in the one that it means.
    override({ zodSchema, jsonSchema: written }) {
      const { def } = zodSchema._zod
      if (def.type === 'pipe' && def.in._zod.def.type === 'transform')
        Object.assign(written, jsonSchema(def.out))
    },
  })
  return described
}
