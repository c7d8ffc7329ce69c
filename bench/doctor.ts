import pg from 'pg'
import { examine } from '../src/operator/doctor/examine.ts'
import { currentIdentity } from '../src/postgres/installation.ts'
import type { Db, Pool } from '../src/postgres/pool.ts'
import { prepareSeededStore } from './bridge.ts'
import type { Experiment } from './experiment.ts'
import type { Variant } from './frame.ts'
import type { Database } from './ground.ts'

const BARE = 'its own statements bare'
const DOCTOR = 'doctor'
const MILLISECONDS = 'ms'
/** As many as the doctor opens: two to see through a pooler, one that listens, one that notifies. */
const CONNECTIONS = 4
const TIMES = 20

type Statement = Readonly<{ text: string; values: readonly unknown[] | undefined }>

/** What all checks of the database take, against the same statements one after the other on as many connections. */
export const doctor: Experiment = {
  name: 'doctor',
  rounds: { full: 5, quick: 5 },
  warmsUp: true,
  figures: [
    {
      name: 'doctor, against its own statements run bare',
      unit: '×',
      measured: { variant: DOCTOR, metric: MILLISECONDS },
      reference: { variant: BARE, metric: MILLISECONDS },
      compare: 'ratio',
      must: 1.5,
      aim: 1.2,
      better: 'lower',
    },
  ],
  prepare: async (ground) => {
    const database = await prepareSeededStore(ground, 'store_to_examine')
    const statements: Statement[] = []
    await examineAll(database, recording(database.pool, statements))
    const timed = (name: string, work: () => Promise<void>): Variant => ({
      name,
      run: async () => {
        const from = performance.now()
        for (let time = 0; time < TIMES; time++) await work()
        return { [MILLISECONDS]: (performance.now() - from) / TIMES }
      },
    })
    return {
      variants: [
        timed(BARE, () => runBare(database, statements)),
        timed(DOCTOR, () => examineAll(database, database.pool)),
      ],
      close: () => database.drop(),
    }
  },
}

/** Neither hub nor web: they are others' time. */
async function examineAll({ url }: Database, pool: Pool): Promise<void> {
  const patient = {
    pool,
    databaseUrl: url,
    listenUrl: url,
    identity: () => currentIdentity(pool, { host: null, hubUrl: null, hubStoreId: null, storeSchema: null }),
    requireSchema: async () => undefined,
    extra: undefined,
    askHub: async () => undefined,
    ordersAs: 'order:persist',
    appliesMessages: false,
    webhook: { address: '', named: false },
  }
  for await (const { check, state, text } of examine(patient))
    if (state === 'failed') throw new Error(`The doctor finds ${check}: ${text}`)
}

function recording(pool: Pool, statements: Statement[]): Pool {
  const noting =
    (db: Db): Db['query'] =>
    (text, values) => {
      statements.push({ text, values })
      return db.query(text, values)
    }
  return {
    ...pool,
    query: noting(pool),
    connect: async () => {
      const connection = await pool.connect()
      return { ...connection, query: noting(connection), release: (error) => connection.release(error) }
    },
  }
}

async function runBare({ url }: Database, statements: readonly Statement[]): Promise<void> {
  const clients = Array.from({ length: CONNECTIONS }, () => new pg.Client(url))
  for (const client of clients) await client.connect()
  const [client] = clients
  for (const { text, values } of statements) await client?.query(text, values as unknown[] | undefined)
  await Promise.all(clients.map((each) => each.end()))
}
