import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { createGround } from '../operator/operations-ground.ts'
import { runBridge } from '../operator/run-bridge.ts'
import { openApiReference } from '../support/open-api-files.ts'

const { processes, environment, openMigratedStore, openDatabase } = createGround()

type Document = Readonly<{
  openapi: string
  paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  components: Readonly<{ securitySchemes: Readonly<Record<string, unknown>> }>
}>
type Described = Readonly<{
  security: readonly Readonly<Record<string, unknown>>[]
  parameters: readonly Readonly<{ name: string; in: string }>[]
  requestBody?: Readonly<{ content: Readonly<Record<string, Readonly<{ schema: object }>>> }>
}>

/** What promise 10 leaves open, and what is nobody's secret: samples, an icon, pages that ask for the token. */
const OPEN = [
  'get /',
  'get /dashboard',
  'get /auth',
  'get /endpoint.json',
  'get /healthz',
  'get /icon.svg',
  'get /openapi.json',
  'get /readyz',
  'get /api/samples',
  'get /api/samples/{type}',
]

describe('a web that serves the hub as well describes itself', () => {
  test('everything that it describes is there, and behind a door but for what is open', async () => {
    const [store, hubDatabase] = [await openMigratedStore(), await openDatabase()]
    const env = {
      ...environment(store),
      ...{ HUB_DATABASE_URL: hubDatabase.url, HUB_ADMIN_TOKEN: 'admin', OPERATOR_TOKEN: 'operator' },
      ...{ WEBHOOK_TOKEN: 'hub', HOST: '127.0.0.1', PORT: '0' },
    }
    expect((await runBridge(['migrate', '--hub'], env)).status).toBe(0)
    const web = processes.start(['web'], { env })
    const { url } = JSON.parse(await web.line((line) => line.includes('"listening"'))) as { url: string }
    const { openapi, paths, components } = (await (await fetch(`${url}/openapi.json`)).json()) as Document
    expect(openapi).toBe('3.1.0')
    expect(Object.keys(components.securitySchemes).sort()).toEqual(['admin', 'hub', 'operator', 'store'])

    const open: string[] = []
    for (const [path, operations] of Object.entries(paths))
      for (const [method, { security }] of Object.entries(operations)) {
        const asked = `${url}${path.replaceAll(/\{\w+\}/g, '1')}`
        const { status } = await fetch(asked, { method: method.toUpperCase(), redirect: 'manual' })
        if (security.length === 0) open.push(`${method} ${path}`)
        else expect([method, path, status]).toEqual([method, path, 401])
      }
    expect(open.sort()).toEqual(OPEN.sort())

    const operation = (method: string, path: string) => paths[path]?.[method]
    expect(operation('get', '/api/v1/messages')?.parameters.map(({ name }) => name)).toContain('state')
    expect(operation('post', '/api/stores/{store}/mappings')?.requestBody).toMatchObject({
      content: {
        'application/json': {
          schema: {
            properties: { messages: { type: 'array', items: { type: 'string' } } },
            required: ['name', 'url', 'token', 'messages'],
          },
        },
      },
    })
    await web.terminate()
  })
})

test.each([...openApiReference()])('%s is what the process says of itself', (file, content) => {
  expect(readFileSync(file, 'utf8')).toBe(content)
})
