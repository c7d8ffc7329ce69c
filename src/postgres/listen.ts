import { setTimeout as pause } from 'node:timers/promises'

import pg from 'pg'

export type ListenOptions = Readonly<{
  applicationName: string
  /** The setting that a direct connection belongs in, for who reads why nothing is heard. */
  variable: 'DATABASE_LISTEN_URL' | 'HUB_DATABASE_URL'
  onNotify(channel: string, payload: string): void
  /** The connection was lost or never came; it is tried again until stopped. */
  onError(error: Error): void
}>

export type Listener = Readonly<{
  /** True while a connection stands that hears what others notify: behind a transaction pooler none does. */
  hears(): boolean
  stop(): Promise<void>
}>

const ECHO_SECONDS = 10
const PROVEN_WITHIN_MILLISECONDS = 3_000
const ELSEWHERE = 'elsewhere'

/**
 * Holds one connection with LISTEN. It is only a wake-up: whoever uses it polls as well, so nothing depends on it.
 * First another connection notifies: through a transaction pooler one hears at most what it notifies itself. From then on
 * the echo of its own NOTIFY every 10 s tells a half-open connection from a working one.
 */
export function listen(url: string, channels: readonly string[], options: ListenOptions): Listener {
  const stopping = new AbortController()
  let heardAt = Number.NEGATIVE_INFINITY
  const running = run()

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await holdConnection()
      } catch (error) {
        options.onError(error instanceof Error ? error : new Error(String(error)))
      }
      heardAt = Number.NEGATIVE_INFINITY
      await pause(1_000 + Math.random() * 1_000, undefined, { signal: stopping.signal }).catch(
        () => undefined,
      )
    }
  }

  function newClient(): pg.Client {
    return new pg.Client({
      connectionString: url,
      application_name: options.applicationName,
      connectionTimeoutMillis: 10_000,
      query_timeout: 10_000,
      keepAlive: true,
    })
  }

  function refuseDeafness(): never {
    throw new Error(
      `LISTEN hears nothing: is this a transaction pooler? Set ${options.variable} to a direct connection; without one ` +
        'what is new is found by asking.',
    )
  }

  async function notifyFromElsewhere(channel: string): Promise<void> {
    const other = newClient()
    other.on('error', () => undefined)
    try {
      await other.connect()
      await other.query('select pg_notify($1, $2)', [channel, ELSEWHERE])
    } finally {
      await Promise.race([other.end().catch(() => undefined), pause(1_000)])
    }
  }

  async function holdConnection(): Promise<void> {
    const client = newClient()
    const losing = new AbortController()
    const over = AbortSignal.any([stopping.signal, losing.signal])
    const lost = new Promise<never>((_, reject) => {
      losing.signal.addEventListener('abort', () => reject(losing.signal.reason))
    })
    lost.catch(() => undefined)
    client.on('error', (error) => losing.abort(error))
    client.on('end', () => losing.abort(new Error('the LISTEN connection was closed')))
    try {
      await client.connect()
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
      const echo = `bridge_echo_${rows[0]?.pid ?? 0}`
      const proven = new Promise<void>((resolve) => {
        client.on('notification', ({ channel, payload = '' }) => {
          if (channel !== echo) return options.onNotify(channel, payload)
          heardAt = performance.now()
          if (payload === ELSEWHERE) resolve()
        })
      })
      for (const channel of [echo, ...channels])
        await client.query(`listen ${client.escapeIdentifier(channel)}`)
      await Promise.race([lost, notifyFromElsewhere(echo)])
      const patience = pause(PROVEN_WITHIN_MILLISECONDS, undefined, { signal: stopping.signal, ref: false })
      await Promise.race([lost, proven, patience.then(refuseDeafness, () => undefined)])
      // Not raced with `lost`: a promise that stays pending for months would keep something of every turn.
      while (!over.aborted) {
        await client.query('select pg_notify($1, $2)', [echo, ''])
        await pause(ECHO_SECONDS * 1_000, undefined, { signal: over }).catch(() => undefined)
        if (!over.aborted && performance.now() - heardAt > 2 * ECHO_SECONDS * 1_000) refuseDeafness()
      }
      losing.signal.throwIfAborted()
    } finally {
      await Promise.race([client.end().catch(() => undefined), pause(1_000)])
    }
  }

  return {
    hears: () => performance.now() - heardAt < 2 * ECHO_SECONDS * 1_000,
    async stop() {
      stopping.abort()
      await running
    },
  }
}
