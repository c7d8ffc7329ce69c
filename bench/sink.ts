import { randomBytes } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { answerRequests } from './child.ts'
import { machineTime } from './machine-time.ts'
import { type Arrival, sinkRequest } from './start-sink.ts'

// The hub of the bench: takes every push and counts the different ones.

const keys = new Set<string>()
const waiting = new Set<() => void>()
let repeated = 0
let delayMs = 0
let arrivals: Arrival[] | undefined
let hangsUp = false
const messageIdStart = randomBytes(8).toString('hex')

const server = createServer((request, response) => {
  if (hangsUp) {
    request.destroy()
    return
  }
  const body: Buffer[] = []
  if (arrivals) request.on('data', (piece: Buffer) => body.push(piece))
  else request.resume()
  request.on('end', () => {
    const key = request.headers['idempotency-key']
    if (typeof key !== 'string') return answer(response, 200, '[]') // asked what it takes
    arrivals?.push({ at: machineTime(), body: Buffer.concat(body).toString() })
    if (keys.has(key)) repeated++
    else keys.add(key)
    if (delayMs === 0) accept(response)
    else void pause(delayMs).then(() => accept(response))
    for (const wake of waiting) wake()
  })
})

function accept(response: ServerResponse): void {
  const messageId = messageIdStart + keys.size.toString(16).padStart(8, '0')
  answer(response, 201, `{"message_id":"${messageId}"}`)
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'x-hub': 'spree-bridge',
  })
  response.end(body)
}

function arrived(count: number): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      if (keys.size < count) return
      waiting.delete(wake)
      resolve()
    }
    waiting.add(wake)
    wake()
  })
}

answerRequests(async (raw) => {
  const request = sinkRequest.parse(raw)
  if (request.do === 'listen') {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { port: (server.address() as AddressInfo).port }
  }
  if (request.do === 'reset') {
    keys.clear()
    repeated = 0
    delayMs = request.delayMs
    arrivals = request.does === 'note' ? [] : undefined
    hangsUp = request.does === 'hangUp'
    return {}
  }
  if (request.do === 'arrivals') return arrivals ?? []
  await arrived(request.count)
  return { arrived: keys.size, repeated }
})
