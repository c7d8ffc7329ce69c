import type { NetConnectOpts } from 'node:net'
import type { RecordedRequest } from './recorded-request.ts'
import { startWire, type Wire } from './wire.ts'

/** A wire, and the address at which it stands for what is behind it. */
export type Way = Readonly<{ url: string; wire: Wire }>

/** A wire to the server of a PostgreSQL address: of a Unix socket, or of TCP. */
export async function wireToDatabase(databaseUrl: string): Promise<Way> {
  const url = new URL(databaseUrl)
  const folder = url.searchParams.get('host')
  const port = url.port || url.searchParams.get('port') || '5432'
  const user = url.username || url.searchParams.get('user')
  const far: NetConnectOpts = folder
    ? { path: `${folder}/.s.PGSQL.${port}` }
    : { host: url.hostname, port: Number(port) }
  const wire = await startWire(far)
  return { wire, url: `postgres://${user}@127.0.0.1:${wire.port}${url.pathname}` }
}

/** A wire to an HTTP server. */
export async function wireToServer(serverUrl: string): Promise<Way> {
  const url = new URL(serverUrl)
  const wire = await startWire({ host: url.hostname, port: Number(url.port) })
  url.port = String(wire.port)
  return { wire, url: url.href.replace(/\/$/, '') }
}

/**
 * The requests as their sender knows them: where a wire lost the answer, that is the one to the last request of the
 * connection, and nobody heard it.
 */
export function asHeard<R extends RecordedRequest>(
  requests: readonly R[],
  wire: Pick<Wire, 'connections'> | undefined,
): R[] {
  const last = new Map(requests.map((request) => [connectionOf(request, wire), request]))
  return requests.map((request) => {
    const connection = connectionOf(request, wire)
    return connection?.missed && last.get(connection) === request ? { ...request, delivered: false } : request
  })
}

function connectionOf({ port, arrivedAt }: RecordedRequest, wire: Pick<Wire, 'connections'> | undefined) {
  return wire?.connections.findLast((each) => each.port === port && each.openedAt <= arrivedAt)
}
