import type { Server } from 'node:http'
import { type AddressInfo, isIPv6, type Socket } from 'node:net'

export type ListenOptions = Readonly<{
  port: number
  host: string
  /** The setting that moves the port. */
  variable?: 'PORT' | 'HUB_PORT' | undefined
  /** After this long requests still in flight are cut off. */
  closeWithinMs?: number
}>

export type Listening = Readonly<{
  url: string
  /** Takes no more requests; resolves when those in flight are answered. */
  close(): Promise<void>
}>

/** The port cannot be opened; the message says what to change. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code = 'cannot_listen'
}

const SWEEP_EVERY_MS = 100
/** Longer than proxies keep an idle connection: who closes it first while the other sends a request breaks that request. */
const KEEP_ALIVE_MS = 65_000

/** Opens the server's port, or throws a ListenError. */
export async function listen(server: Server, options: ListenOptions): Promise<Listening> {
  const { port, host, variable = 'PORT', closeWithinMs = 10_000 } = options
  server.keepAliveTimeout = KEEP_ALIVE_MS
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await opened(server, port, host, variable)

  let closed: Promise<void> | undefined
  return {
    url: urlOf(server.address(), host),
    close() {
      closed ??= drain(server, sockets, closeWithinMs)
      return closed
    },
  }
}

function opened(server: Server, port: number, host: string, variable: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ListenError(whyNot(error, port, host, variable), { cause: error }))
    })
    server.listen({ port, host }, resolve)
  })
}

function whyNot(
  { code, message }: NodeJS.ErrnoException,
  port: number,
  host: string,
  variable: string,
): string {
  const what = `Port ${port} on ${host} cannot be opened: `
  switch (code) {
    case 'EADDRINUSE':
      return `${what}another process uses it. Stop that process, or set ${variable} to a free one.`
    case 'EACCES':
      return `${what}this user may not. Set ${variable} to 1024 or more.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${what}this machine has no such address. Set HOST to one it has, or to 0.0.0.0 for all.`
    default:
      return `${what}${message}. Check HOST and ${variable}.`
  }
}

function urlOf(address: string | AddressInfo | null, host: string): string {
  const port = typeof address === 'object' && address ? address.port : 0
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`
}

/**
 * `server.close()` alone waits for two kinds of connection nobody needs: those kept alive after an answer given since
 * (hence the sweep), and those over which no byte has come yet, which Node counts as busy.
 */
async function drain(server: Server, sockets: ReadonlySet<Socket>, closeWithinMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const sweep = () => {
    server.closeIdleConnections()
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  }
  sweep()
  const sweeping = setInterval(sweep, SWEEP_EVERY_MS)
  const limit = setTimeout(() => server.closeAllConnections(), closeWithinMs)
  await closed
  clearInterval(sweeping)
  clearTimeout(limit)
}
