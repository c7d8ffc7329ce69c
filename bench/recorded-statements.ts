import pg from 'pg'
import type { Handler } from '../src/apply/handler.ts'
import { createInbox } from '../src/apply/inbox.ts'
import { createLog } from '../src/observe/log.ts'
import type { Connection, Pool } from '../src/postgres/pool.ts'
import { openStore } from '../src/store/store.ts'

/** Stands, at their end, for what is another with every message: its id, an order's number. */
export const EACH_TIME = 'EACHTIME'

/** Ids below are of the store, and the same each time; those of what a message makes are above, and are asked for. */
const FIRST_NEW_ID = 50_000_000

/** From now on each new row has an id by which it is known as new, and of which table. */
export async function countFromAbove(pool: Pool): Promise<void> {
  await pool.query(
    `select setval(s.oid::regclass, ${FIRST_NEW_ID} + 100000 * row_number() over (order by s.oid))
       from pg_class s
       join pg_namespace n on n.oid = s.relnamespace
      where s.relkind = 'S'
        and (n.nspname = 'public' or s.oid = pg_get_serial_sequence('bridge.inbox', 'id')::regclass)`,
  )
}

type Statement = Readonly<{ text: string; values: readonly unknown[]; rows: readonly object[] }>

/**
 * Applies a message as the webhook does, and returns the statements of that as a script of pgbench: the ids of new rows
 * come from the rows that the script itself makes, and what must be unique is.
 */
export async function recordScript(pool: Pool, handler: Handler<unknown>, payload: object): Promise<string> {
  const statements: Statement[] = []
  const { log } = createLog({ level: 'error' })
  const recording: Pool = Object.assign(Object.create(pool), {
    query: pool.query.bind(pool),
    connect: async () => recordOf(await pool.connect(), statements),
  })
  // By itself: in a group, whoever meets another at a row goes by itself in the end, and pgbench cannot.
  const { stockChange: _, ...alone } = handler
  const inbox = createInbox({ pool: recording, store: await openStore(pool), hub: 'bench', log })
  const { outcome, answer } = await inbox.receive(alone, { messageId: EACH_TIME, payload: { ...payload } })
  if (outcome !== 'applied') throw new Error(`${handler.message} was not applied: ${answer.body}`)
  return scriptOf(statements)
}

/** No client of the driver: what would be prepared goes as it is. */
function recordOf(connection: Connection, statements: Statement[]): Connection {
  return {
    query: async (text, values = []) => {
      const result = await connection.query<never>(text, values)
      statements.push({ text, values, rows: result.rows ?? [] })
      return result
    },
    release: (error) => connection.release(error),
    openedAt: connection.openedAt,
  }
}

function scriptOf(statements: readonly Statement[]): string {
  const known = new Map<string, string>()
  const lines = ['\\set each random(1, 900000000000)']
  for (const [index, { text, values, rows }] of statements.entries()) {
    const literals = values.map((value) => literalOf(value, known))
    const sql = text.replace(/\$(\d+)/g, (_, place: string) => literals[Number(place) - 1] ?? 'null')
    const made = rows.length === 1 ? newIds(rows[0] ?? {}) : []
    for (const [column, id] of made) known.set(id, `:s${index}_${column}`)
    lines.push(made.length > 0 ? `${sql} \\gset s${index}_` : `${sql};`)
  }
  return `${lines.join('\n')}\n`
}

/** Numbers that the shop draws at random, each once: of a shipment, and of a payment, which is a value by itself. */
const DRAWN = /\b([A-Z])\d{9,11}\b|(?<=^')(P)[A-Z\d]{7}(?='$)/g

function literalOf(value: unknown, known: ReadonlyMap<string, string>): string {
  if (value === null || value === undefined) return 'null'
  return pg
    .escapeLiteral(textOf(value))
    .replaceAll(EACH_TIME, ':each')
    .replace(DRAWN, '$1$2:each')
    .replace(/\d{8,}/g, (digits) => known.get(digits) ?? digits)
}

/** As the driver sends it. */
function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return `{${value.map(elementOf).join(',')}}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function elementOf(value: unknown): string {
  return value === null || value === undefined ? 'null' : JSON.stringify(textOf(value))
}

function newIds(row: object): [string, string][] {
  return Object.entries(row).flatMap(([column, value]): [string, string][] =>
    typeof value === 'string' && /^\d{8}$/.test(value) && Number(value) > FIRST_NEW_ID
      ? [[column, value]]
      : [],
  )
}
