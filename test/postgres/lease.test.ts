import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { createLog } from '../../src/observe/log.ts'
import { joinWorkers } from '../../src/postgres/membership.ts'
import { createPool, type Db } from '../../src/postgres/pool.ts'
import { openLeaseConnection } from '../../src/processes/lease.ts'
import { createQueue, until } from '../queue/ground.ts'
import { openDetour } from '../queue/half-open.ts'
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer.ts'
import type { TestDatabase } from '../support/postgres.ts'

const { log } = createLog({ level: 'error', format: 'json' })

/** All of them wait for leases, so all wait at once. */
describe('a worker keeps its lease', () => {
  keeping('whatever else it has queued: a renewal waits for none of its other statements', async (queue) => {
    const busy = createPool(queue.url, { applicationName: 'busy', max: 2, onConnectionError: () => {} })
    const queued: Promise<unknown>[] = []
    try {
      await keeps(busy, queue.url, 8_000, () => {
        for (let each = 0; each < 2; each++) queued.push(busy.query('select pg_sleep(9)'))
        for (let each = 0; each < 50; each++) queued.push(busy.query('select 1'))
      })
    } finally {
      await Promise.all(queued)
      await busy.end()
    }
  })

  keeping(
    'where the connection of its renewals is half-open: it tries again in time, on a new one',
    async (queue) => {
      const detour = await openDetour(queue.url)
      await keeps(queue.pool, detour.url, 12_000, detour.freeze).finally(detour.close)
    },
  )

  keeping(
    'where the server has no room for its connection: it renews it on one of the pool',
    async (queue) => {
      const full = () => Promise.reject(new Error('sorry, too many clients already'))
      await stays(queue.pool, { query: full }, 8_000)
    },
  )

  keeping(
    'where its connection breaks while the pool does not answer: it tries again on its own',
    async (queue) => {
      let breaks = false
      const own: Db = {
        query(text, values) {
          if (!breaks) return queue.pool.query(text, values)
          breaks = false
          return Promise.reject(new Error('Connection terminated unexpectedly'))
        },
      }
      const deaf: Db = {
        query: (text, values) =>
          text.includes('set expires_at') ? new Promise(() => {}) : queue.pool.query(text, values),
      }
      await stays(deaf, own, 8_000, () => {
        breaks = true
      })
    },
  )

  if (hasPgBouncer) {
    keeping(
      'behind a pooler that lets it wait for seconds: it keeps its place in the queue',
      async (queue) => {
        const pooler = await startPgBouncer(queue.url, 1)
        const others = createPool(pooler.url, { applicationName: 'others', onConnectionError: () => {} })
        let crowded = true
        // A session comes after 3.5 to 4 s.
        const holding = Array.from({ length: 8 }, async () => {
          while (crowded) await others.query('select pg_sleep(0.5)')
        })
        try {
          await keeps(queue.pool, pooler.url, 12_000)
        } finally {
          crowded = false
          await Promise.all(holding)
          await others.end()
          await pooler.close()
        }
      },
    )
  }
})

function keeping(name: string, look: (queue: TestDatabase) => Promise<void>) {
  test.concurrent(name, async () => {
    const queue = await createQueue()
    await look(queue).finally(queue.drop)
  })
}

/** Registered, renewing over `url` while `pool` is anything: the registration is still the same after more than `milliseconds`. */
async function keeps(pool: Db, url: string, milliseconds: number, meanwhile = () => {}) {
  const own = openLeaseConnection(url, 'test lease', log)
  await stays(pool, own, milliseconds, meanwhile).finally(() => own.end())
}

async function stays(pool: Db, ownConnection: Db, milliseconds: number, meanwhile = () => {}) {
  const membership = joinWorkers({
    process: 'test',
    version: '0',
    pool,
    ownConnection,
    table: 'bridge.worker',
    leaseMilliseconds: milliseconds,
    heartbeatMilliseconds: milliseconds / 4,
    status: () => '{}',
    watch: (work) => work(),
    onError: () => {},
  })
  try {
    await until(
      () => membership.registration() !== undefined,
      () => 'not registered',
    )
    const { id, signal } = membership.registration()!
    meanwhile()
    await pause(1.5 * milliseconds)
    expect(signal.aborted).toBe(false)
    expect(membership.registration()?.id).toBe(id)
    expect(membership.heartbeatAge()).toBeLessThan(milliseconds)
  } finally {
    await membership.leave()
  }
}
