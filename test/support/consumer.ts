import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Delivered = Readonly<{
  path: string
  headers: IncomingHttpHeaders
  message: string
  messageId: string
  source: string | undefined
  payload: Record<string, unknown>
  at: number
}>

/** What a consumer answers: a status and a body; a body that is an object gets the delivered `message_id`. */
export type ConsumerAnswer = Readonly<{ status?: number; body?: unknown; headers?: Record<string, string> }>

export type TestConsumer = Readonly<{
  url: string
  got: readonly Delivered[]
  /** What came since it was asked last. */
  news(): Delivered[]
  /** From now on; `undefined` for an answer that never comes. */
  answers(
    answer: (delivered: Delivered) => ConsumerAnswer | undefined | Promise<ConsumerAnswer | undefined>,
  ): void
  close(): Promise<void>
}>

/** A consumer behind a hub: records what it is sent and answers as it is told, 200 otherwise. */
export async function startTestConsumer(): Promise<TestConsumer> {
  const got: Delivered[] = []
  let told = 0
  let decide: Parameters<TestConsumer['answers']>[0] = () => ({})
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = JSON.parse(Buffer.concat(chunks).toString()) as {
      message: string
      message_id: string
      source?: string
      payload: Record<string, unknown>
    }
    const delivered: Delivered = {
      path: request.url ?? '',
      headers: request.headers,
      message: body.message,
      messageId: body.message_id,
      source: body.source,
      payload: body.payload,
      at: Date.now(),
    }
    got.push(delivered)
    const answer = await decide(delivered)
    if (!answer) return
    const { status = 200, body: said = {}, headers = {} } = answer
    const text =
      typeof said === 'object' ? JSON.stringify({ message_id: delivered.messageId, ...said }) : String(said)
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`,
    got,
    news: () => {
      const from = told
      told = got.length
      return got.slice(from)
    },
    answers: (next) => {
      decide = next
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
