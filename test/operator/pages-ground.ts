import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { z } from 'zod'
import { type Handler, NotApplicable } from '../../src/apply/handler.ts'
import type { Handlers } from '../../src/apply/handlers.ts'
import { createApp } from '../../src/http/app.ts'
import { type Listening, listen } from '../../src/http/listen.ts'
import type { OperatorAccess } from '../../src/http/operator-guard.ts'
import { createHubFace } from '../../src/hub/page/page-api.ts'
import { createLog } from '../../src/observe/log.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { createOperatorFace } from '../../src/operator/api.ts'
import { retryInbound } from '../../src/operator/inbound.ts'
import { applyMigrations, readMigrations } from '../../src/postgres/migrate.ts'
import type { Pool } from '../../src/postgres/pool.ts'
import { countLanes, insertMessages } from '../../src/queue/enqueue.ts'
import { BRIDGE_QUEUE } from '../../src/queue/message.ts'
import { openStore } from '../../src/store/store.ts'

const migrations = path.resolve(import.meta.dirname, '../../migrations')

/** Both schemas in one database, as `migrate` and `migrate --hub` make them. */
export async function migrateBoth(pool: Pool): Promise<void> {
  for (const schema of ['bridge', 'hub'])
    await applyMigrations(pool, schema, await readMigrations(path.join(migrations, schema)))
}

export type Face = Listening & Readonly<{ url: string }>

export type FaceOptions = Readonly<{
  access?: Partial<OperatorAccess>
  port?: number
  handlers?: Handlers
}>

const HOST = '127.0.0.1'
const LEASE_SECONDS = 12
const { log } = createLog({ level: 'error', format: 'json' })

const renamingSchema = z.object({ sku: z.string(), name: z.string() })

/** Applies what the tests receive, where the store has the SKU. */
const renaming: Handler<z.output<typeof renamingSchema>> = {
  message: 'product:update',
  description: 'Renames a product.',
  schema: renamingSchema,
  async apply(db, _store, { payload: { sku, name } }) {
    const { rowCount } = await db.query(
      `update public.spree_products set name = $2
        where id in (select product_id from public.spree_variants where sku = $1)`,
      [sku, name],
    )
    if (rowCount === 0) throw new NotApplicable('unknown_sku', `No variant has the SKU ${sku}.`)
    return { notifications: [], details: {} }
  },
}

/** A web process over a store of 4.10, as far as operators see it. */
export async function openDashboard(
  pool: Pool,
  { access, port = 0, handlers = [renaming] }: FaceOptions = {},
): Promise<Face> {
  const operator = { host: HOST, ...access }
  const store = await openStore(pool)
  const face = createOperatorFace({
    pool,
    retryInbound: (id) => retryInbound({ pool, store, handlers, log }, id),
    access: operator,
    log,
    leaseSeconds: LEASE_SECONDS,
  })
  return serve(face, operator, port)
}

/** A hub process, as far as operators see it. */
export async function openHub(pool: Pool, { access, port = 0 }: FaceOptions = {}): Promise<Face> {
  const operator = { host: HOST, variable: 'HUB_ADMIN_TOKEN', ...access } as const
  return serve(createHubFace({ pool, access: operator, log, leaseSeconds: LEASE_SECONDS }), operator, port)
}

async function serve(
  face: ReturnType<typeof createOperatorFace>,
  operator: OperatorAccess,
  port: number,
): Promise<Face> {
  const app = createApp({ log, readyChecks: {}, metrics: createMetrics(), operator, routers: [face.router] })
  const server = await listen(app, { port, host: HOST })
  return {
    url: server.url,
    close() {
      face.close()
      return server.close()
    },
  }
}

/** A worker that is alive for longer than any test lasts. */
export async function addWorker(pool: Pool, report: object): Promise<void> {
  const id = randomUUID()
  await pool.query(
    `insert into bridge.worker (id, process, host, pid, version, started_at, expires_at, status)
     values ($1, 'worker', 'web-1.example', 4711, '0.1.0', clock_timestamp() - interval '3 hours',
             clock_timestamp() + interval '1 hour', $2)`,
    [id, JSON.stringify(report)],
  )
  await pool.query('update bridge.lane set owner = $1', [id])
}

export type Seed = Readonly<{
  aggregate: string
  type: string
  payload: object
  /** Order number or SKU, as the collector would have noted it. */
  about?: string
}>

/** Puts messages into the queue as the collector does; returns their ids. */
export async function enqueue(pool: Pool, seeds: readonly Seed[]): Promise<string[]> {
  await insertMessages(
    pool,
    BRIDGE_QUEUE,
    await countLanes(pool, BRIDGE_QUEUE),
    seeds.map(({ aggregate, type, payload }) => ({
      aggregate,
      type,
      payload: JSON.stringify(payload),
      subject: type === 'product:update' ? 'product' : null,
      changedAt: new Date(),
    })),
  )
  for (const { aggregate, about } of seeds) {
    if (about === undefined) continue
    const isOrder = aggregate.startsWith('order')
    await pool.query(
      `insert into bridge.baseline (aggregate, part, natural_key, shape) values ($1, $2, $3, 1)
       on conflict do nothing`,
      [
        aggregate,
        isOrder ? 'order' : 'catalogue',
        isOrder ? about : JSON.stringify({ sku: about, variants: [] }),
      ],
    )
  }
  const { rows } = await pool.query<{ id: string }>(
    'select id from bridge.message order by id desc limit $1',
    [seeds.length],
  )
  return rows.map(({ id }) => id).reverse()
}

/** What the sender writes after an attempt that did not get through. */
export async function fail(
  pool: Pool,
  id: string,
  state: 'failing' | 'parked',
  reason: string,
): Promise<void> {
  await pool.query(
    `update bridge.message
        set state = $2, attempts = attempts + 1, last_error = $3, due = clock_timestamp() + interval '5 minutes'
      where id = $1`,
    [id, state, reason],
  )
}

/** What the sender writes when the hub has taken a message. */
export async function acknowledge(pool: Pool, id: string, answer: string): Promise<void> {
  await pool.query(
    `with gone as (delete from bridge.message where id = $1 returning *)
     insert into bridge.history (id, aggregate, key, type, payload, state, attempts, answer, changed_at, created_at)
     select id, aggregate, key, type, payload, 'done', attempts + 1, $2, changed_at, created_at from gone`,
    [id, answer],
  )
}

export type ReceivedSeed = Readonly<{ messageId: string; type: string; reason?: string; payload?: object }>

/** Inbound messages, applied, or failed for a reason; returns their ids. */
export async function receive(pool: Pool, seeds: readonly ReceivedSeed[]): Promise<string[]> {
  const ids: string[] = []
  for (const { messageId, type, reason, payload = { sku: 'MUG-BLK', name: 'Mug, black' } } of seeds) {
    const { rows } = await pool.query<{ id: string }>(
      `insert into bridge.inbox (hub, dialect, message_id, type, payload, state, status, answer, last_error)
       values ('52811a8584a8169f7a000001', 'seed', $1, $2, $3, $4, $5, $6, $7)
       returning id`,
      [
        messageId,
        type,
        JSON.stringify(payload),
        reason === undefined ? 'applied' : 'failed',
        reason === undefined ? 200 : 500,
        JSON.stringify({ message_id: messageId }),
        reason ?? null,
      ],
    )
    ids.push(rows[0]?.id ?? '')
  }
  return ids
}

export const HUB_STORE = '52811a8584a8169f7a000001'

/** A store with two mappings, and one order that came in: one copy delivered after a failure, one parked. Returns the keys. */
export async function seedHub(
  pool: Pool,
): Promise<Readonly<{ arrival: string; delivered: string; parked: string }>> {
  const keys = {
    arrival: `${HUB_STORE.slice(0, 22)}c1`,
    delivered: `${HUB_STORE.slice(0, 22)}d1`,
    parked: `${HUB_STORE.slice(0, 22)}d2`,
  }
  await pool.query(`insert into hub.store (id, name) values ($1, 'Totes & Mugs')`, [HUB_STORE])
  await pool.query(
    `insert into hub.mapping (id, store_id, name, url, token, messages, is_store)
     values ('m-books', $1, 'erp.books', 'https://erp.example.com/a/very/long/path/of/an/integration/without/any/break', 'x', '{order:persist}', false),
            ('m-warehouse', $1, 'warehouse.orders', 'https://warehouse.example.com/orders', 'x', '{order:persist,order:new}', false)`,
    [HUB_STORE],
  )
  await pool.query(`update hub.mapping set filters = $1 where id = 'm-warehouse'`, [
    JSON.stringify([{ path: 'payload.order.status', operator: 'eq', value: 'complete' }]),
  ])
  const columns =
    'id, aggregate, key, type, payload, attempts, changed_at, created_at, store_id, mapping_id, parent_id'
  const message = (key: string, attempts: number, mapping: string | null, parent: string) => [
    `${mapping ?? HUB_STORE}/order:R612345678`,
    key,
    'order:persist',
    '{"orders": [{"number": "R612345678"}]}',
    attempts,
    HUB_STORE,
    mapping,
    parent,
  ]
  const values = `nextval('hub.message_id'), $1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp(), $6, $7, $8`
  const archive = (source: string, answer: string) =>
    `insert into hub.archived (${columns}, state, source, answer, envelope) values (${values}, 'done', '${source}', '${answer}', '{"sent_by": "a test"}')`
  await pool.query(archive('incoming', ''), message(keys.arrival, 1, null, ''))
  await pool.query(
    archive('accepted', '{"code":"200","response":{"ok":true}}'),
    message(keys.delivered, 2, 'm-books', keys.arrival),
  )
  await pool.query(
    `insert into hub.accepted (${columns}, lane, state, last_error)
     values (${values}, 3, 'parked', 'Endpoint response code was ''422'', expected ''200''')`,
    message(keys.parked, 1, 'm-warehouse', keys.arrival),
  )
  await pool.query(
    `insert into hub.result (message_id, code, response) values ($1, 503, '{"error": "closed"}'), ($2, 422, '{"error": "no such SKU"}')`,
    [keys.delivered, keys.parked],
  )
  return keys
}
