import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Pool as Connections } from 'undici'
import { migrate } from './bridge.ts'
import type { Experiment, Prepared } from './experiment.ts'
import type { Figure, Measurement } from './frame.ts'
import { quantile } from './frame.ts'
import type { Database, Ground } from './ground.ts'
import { type InboundMessages, orderImports, SKUS, stockChanges } from './inbound-messages.ts'
import { keepInFlight } from './loops/in-flight.ts'
import { cpuSecondsOfTree, ownMegabytes } from './machine.ts'
import { runPgbench } from './pgbench.ts'
import { countFromAbove, EACH_TIME, recordScript } from './recorded-statements.ts'
import { startBareWebhook, startWeb, TOKEN, type Webhook } from './webhooks.ts'

const CONNECTIONS = 32
const STOCK_CHANGES = 8_000
const ORDERS = 2_000
const MANY = 100_000

const STATEMENTS = 'pgbench'
const EXPRESS = 'bare Express'
const WEB = 'web'
const RATE = 'messages/s'
const P99 = 'p99 ms'
const PEAK = 'MB'
const CPU = 'ms CPU/1000'

/** Stock changes that many connections bring at once, against the same statements by pgbench, and bare Express. */
export const inboundStock: Experiment = {
  name: 'inbound-stock',
  rounds: { full: 5, quick: 3 },
  warmsUp: true,
  figures: [
    rateAgainstStatements('stock changes applied', 0.2, 0.35),
    {
      name: 'their p99 against bare Express',
      unit: '×',
      measured: { variant: WEB, metric: P99 },
      reference: { variant: EXPRESS, metric: P99 },
      compare: 'ratio',
      must: 1.8,
      aim: 1.3,
      better: 'lower',
    },
  ],
  prepare: async (ground) => {
    const bare = await startBareWebhook()
    const count = STOCK_CHANGES * ground.scale
    const { variants, close } = await prepareInbound(ground, async () => stockChanges, count)
    return {
      variants: [...variants, { name: EXPRESS, run: () => send(ground, bare, stockChanges, count) }],
      close: async () => {
        await bare.stop()
        await close()
      },
    }
  },
}

/** Orders of two lines, against the same statements by pgbench. */
export const inboundOrders: Experiment = {
  name: 'inbound-orders',
  rounds: { full: 5, quick: 3 },
  warmsUp: true,
  figures: [rateAgainstStatements('orders imported', 0.35, 0.6)],
  prepare: (ground) => prepareInbound(ground, ({ pool }) => orderImports(pool), ORDERS * ground.scale),
}

/** What a web's memory grows to while it applies a hundred thousand messages. */
export const inboundMemory: Experiment = {
  name: 'inbound-memory',
  rounds: { full: 1, quick: 1 },
  warmsUp: false,
  figures: [
    {
      name: 'memory above idle, a hundred thousand messages applied',
      unit: 'MB',
      measured: { variant: WEB, metric: PEAK },
      reference: { variant: 'idle', metric: PEAK },
      compare: 'difference',
      must: 40,
      aim: 20,
      better: 'lower',
    },
  ],
  prepare: async (ground) => {
    const database = await migratedStore(ground)
    const start = () => startWeb(database, ground.sink.hubUrl)
    return {
      variants: [
        { name: 'idle', run: async () => watched(await start(), () => pause(10_000)) },
        {
          name: WEB,
          run: async () => {
            const web = await start()
            return watched(web, () => send(ground, web, stockChanges, MANY * ground.largeScale))
          },
        },
      ],
      close: () => database.drop(),
    }
  },
}

function rateAgainstStatements(name: string, must: number, aim: number): Figure {
  return {
    name,
    unit: '×',
    measured: { variant: WEB, metric: RATE },
    reference: { variant: STATEMENTS, metric: RATE },
    compare: 'ratio',
    must,
    aim,
    better: 'higher',
  }
}

async function migratedStore(ground: Ground): Promise<Database> {
  const database = await ground.createDatabase('store_inbound', await ground.storeTemplate())
  await migrate(database, ground.sink.hubUrl)
  return database
}

async function prepareInbound(
  ground: Ground,
  messagesFor: (database: Database) => Promise<InboundMessages>,
  count: number,
): Promise<Prepared> {
  const database = await migratedStore(ground)
  const messages = await messagesFor(database)
  await countFromAbove(database.pool)
  const scripts: string[] = []
  for (let index = 0; index < SKUS; index++) {
    // As from the second time on: at first a level may get its row.
    for (const unique of [`${index}FIRST`, `${index}X${EACH_TIME}`]) {
      const script = await recordScript(database.pool, messages.handler, messages.payload(index, unique))
      if (unique.endsWith(EACH_TIME)) scripts.push(script)
      await database.pool.query('delete from bridge.inbox')
    }
  }
  const web = await startWeb(database, ground.sink.hubUrl)
  const afresh = async () => {
    await database.pool.query('truncate bridge.outbox') // in place of the collector
    await database.pool.query('checkpoint')
  }
  return {
    variants: [
      {
        name: STATEMENTS,
        run: async () => {
          await afresh()
          return { [RATE]: await runPgbench(database, scripts, { count, connections: CONNECTIONS }) }
        },
      },
      {
        name: WEB,
        run: async () => {
          await afresh()
          return send(ground, web, messages, count)
        },
      },
    ],
    close: async () => {
      await web.stop()
      await database.drop()
    },
  }
}

/** Each message once, on so many connections, each of which waits for its answer. */
async function send(
  ground: Ground,
  { url, pid }: Webhook,
  { handler, payload }: InboundMessages,
  count: number,
): Promise<Measurement> {
  const connections = new Connections(url, { connections: CONNECTIONS, pipelining: 1 })
  const run = randomUUID()
  const took: number[] = []
  const before = { at: performance.now(), own: cpuSecondsOfTree(pid), postgres: ground.postgresCpuSeconds() }
  await keepInFlight(count, CONNECTIONS, async (index) => {
    const from = performance.now()
    const { statusCode, body } = await connections.request({
      method: 'POST',
      path: '/webhook',
      headers: { 'content-type': 'application/json', 'x-augury-token': TOKEN },
      body: JSON.stringify({
        message: handler.message,
        message_id: `${run}-${index}`,
        payload: payload(index, `${run.slice(0, 8)}${index}`),
      }),
    })
    const answer = await body.text()
    if (statusCode !== 200) throw new Error(`The webhook answered ${statusCode}: ${answer}`)
    took.push(performance.now() - from)
  })
  const seconds = (performance.now() - before.at) / 1000
  const cpu = cpuSecondsOfTree(pid) - before.own + ground.postgresCpuSeconds() - before.postgres
  await connections.close()
  return { [RATE]: count / seconds, [P99]: quantile(took, 0.99), [CPU]: (cpu * 1e6) / count }
}

const EVERY_MILLISECONDS = 50

async function watched(web: Webhook, work: () => Promise<unknown>): Promise<Measurement> {
  const samples: number[] = []
  const sampler = setInterval(() => samples.push(ownMegabytes(web.pid)), EVERY_MILLISECONDS)
  try {
    await work()
  } finally {
    clearInterval(sampler)
    await web.stop()
  }
  return { [PEAK]: Math.max(...samples) }
}
