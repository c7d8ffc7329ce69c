import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export type PushedBatch = Readonly<{
  path: string
  headers: IncomingMessage['headers']
  body: string
  status: number
  at: number
}>
export type PushedObject = Readonly<{ type: string; object: Readonly<Record<string, unknown>> }>
type Answer = Readonly<{ status: number; body?: string; headers?: Record<string, string> }>

export type ObjectHub = Readonly<{
  /** For HUB_URL: of Cangaroo's form, with a path. */
  url: string
  storeId: string
  token: string
  /** Every request, in the order of its answer. */
  batches: readonly PushedBatch[]
  /** What was accepted, one by one. */
  objects: readonly PushedObject[]
  /** What it holds: `<type> <id>` → the last object that was pushed. */
  held: ReadonlyMap<string, PushedObject['object']>
  /** From now on whatever gets so far meets this answer, where there is one. */
  misbehave(
    decide?: (batch: Readonly<{ type: string; objects: readonly object[] }>) => Answer | undefined,
  ): void
  close(): Promise<void>
}>

const PATH = '/cangaroo/endpoint'

/** A hub of the second generation, by the rules of Cangaroo (protocol §9.1): what it refuses it takes nothing of. */
export async function startObjectHub(): Promise<ObjectHub> {
  const storeId = 'connection-17'
  const token = 'connection-token'
  const batches: PushedBatch[] = []
  const objects: PushedObject[] = []
  const held = new Map<string, PushedObject['object']>()
  let decide: Parameters<ObjectHub['misbehave']>[0]

  const judge = ({ url, headers, method }: IncomingMessage, body: string): Answer => {
    const failure = (status: number, error: string): Answer => ({ status, body: JSON.stringify({ error }) })
    if (method !== 'POST' || url !== PATH) return { status: 404 }
    if (headers['content-type'] !== 'application/json') return { status: 406 }
    if (headers['x-hub-store'] !== storeId || headers['x-hub-access-token'] !== token)
      return failure(401, 'wrong credentials')
    let pushed: Record<string, unknown>
    try {
      pushed = JSON.parse(body)
    } catch {
      return failure(500, 'Something went wrong!')
    }
    const entries = Object.entries(pushed)
    if (entries.length === 0) return failure(500, `The property '#/' did not have a minimum of 1 properties`)
    for (const [type, list] of entries) {
      if (!/^[a-z\-_]*$/.test(type) || !Array.isArray(list))
        return failure(500, `The property '#/${type}' of type Object did not match`)
      const without = list.findIndex((object) => !('id' in object))
      if (without >= 0)
        return failure(
          500,
          `The property '#/${type}/${without}' did not contain a required property of 'id' in schema`,
        )
      const answer = decide?.({ type, objects: list })
      if (answer) return answer
    }
    for (const [type, list] of entries as [string, PushedObject['object'][]][])
      for (const object of list) {
        objects.push({ type, object })
        held.set(`${type} ${object['id']}`, object)
      }
    const counts = entries.map(([type, list]) => [type, (list as unknown[]).length])
    return { status: 202, body: JSON.stringify(Object.fromEntries(counts)) }
  }

  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const answer = judge(request, body)
    batches.push({
      path: request.url ?? '',
      headers: request.headers,
      body,
      status: answer.status,
      at: Date.now(),
    })
    response.writeHead(answer.status, { 'Content-Type': 'application/json', ...answer.headers })
    response.end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}${PATH}`,
    storeId,
    token,
    batches,
    objects,
    held,
    misbehave: (next) => {
      decide = next
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
