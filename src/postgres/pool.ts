import pg from 'pg'

import { transactionAborted } from './errors.ts'

/**
 * What a query needs: the pool, or one connection inside a transaction. A connection sends each statement at once, without
 * waiting for the answers to those before it: statements that do not depend on one another take one round trip together.
 * Where one of a transaction fails, those that were sent behind it fail as well.
 */
export type Db = Readonly<{
  query<R extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<pg.QueryResult<R>>
}>

export type Pool = Db &
  Readonly<{
    connect(): Promise<Connection>
    end(): Promise<void>
  }>

/** `cutOff` breaks the connections, also those in use, for good: what runs over them fails, and is rolled back. */
export type OwnPool = Pool & Readonly<{ cutOff(): void }>

/** One connection of the pool. `release(error)` closes it instead of handing it back. */
export type Connection = Db &
  Readonly<{
    release(error?: Error): void
    /** By `performance.now()`. What was read before that may be of a server that has crashed since. */
    openedAt: number
    /** What the server refused last, but for what it refused only because of that (`transactionAborted`). */
    refused?: Error
  }>

export type PoolOptions = Readonly<{
  /** Shown in pg_stat_activity, so that an operator sees who holds a connection. */
  applicationName: string
  max?: number
  /** Waiting for a free connection counts as well. Default: ten seconds. */
  connectWithinMilliseconds?: number
  /** An answer that takes longer fails and its connection is closed: a half-open one would never answer. Default: none. */
  answerWithinMilliseconds?: number
  /** Told of a connection that broke between queries (a server that stops sends 57P01); without it the process would die. */
  onConnectionError(error: Error): void
}>

/** A pool over one database. Its statements are sent unprepared, so PgBouncer may stand between; see also `queryPrepared`. */
export function createPool(url: string, options: PoolOptions): OwnPool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: options.applicationName,
    max: options.max ?? 8,
    connectionTimeoutMillis: options.connectWithinMilliseconds ?? 10_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    pipeline: true,
    ...(options.answerWithinMilliseconds === undefined
      ? {}
      : { query_timeout: options.answerWithinMilliseconds }),
  })
  // A server that stops together with us may be quicker than our good-bye.
  const tell = (error: Error) => {
    if (!pool.ending) options.onConnectionError(error)
  }
  // Each connection tells it itself, also one in use that breaks between two queries; of an idle one the pool tells it again.
  pool.on('error', () => {})
  const open = new Set<pg.Client>()
  let isCut = false
  pool.on('connect', (client) => {
    client.on('error', tell)
    client.connection.on('errorMessage', (error: Error) => {
      if (!transactionAborted(error)) Object.assign(client, { refused: error })
    })
    Object.assign(client, { openedAt: performance.now() })
    sendInOnePiece(client)
    open.add(client)
    if (isCut) client.connection.stream.destroy()
  })
  pool.on('remove', (client) => open.delete(client))
  const cutOff = () => {
    isCut = true
    for (const client of open) client.connection.stream.destroy()
  }
  // pg types its values as any[]; ours are readonly. The pool and its clients satisfy Db as they are.
  return Object.assign(pool, { cutOff }) as unknown as OwnPool
}

/**
 * pg writes each statement to its socket by itself. Those of one turn of the event loop leave together instead: one call of
 * the system, and one waking of the server, for all that take a round trip together.
 */
function sendInOnePiece(client: pg.Client): void {
  const { stream } = client.connection
  client.query = new Proxy(client.query, {
    apply(query, self, given) {
      if (stream.writableCorked === 0) {
        stream.cork()
        process.nextTick(() => stream.uncork())
      }
      return Reflect.apply(query, self, given)
    },
  })
}
