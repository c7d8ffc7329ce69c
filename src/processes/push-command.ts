import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'

import { takeRows } from '../capture/outbox.ts'
import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import { countLanes, insertMessages } from '../queue/enqueue.ts'
import { listMessages } from '../queue/look.ts'
import { BRIDGE_QUEUE } from '../queue/message.ts'
import { OperatorError } from './exit.ts'
import { choosePayload, type PayloadOptions } from './payload-option.ts'
import { type CommonOptions, type Print, withStore } from './store-command.ts'
import { codeVersion, requireSchema } from './store-database.ts'

type PushOptions = CommonOptions & PayloadOptions & Readonly<{ wait?: boolean }>

const WAIT_MILLISECONDS = 60_000
const LOOK_MILLISECONDS = 100

/** `spree-bridge push`: one message of a person's own, through the queue like any other. */
export function addPushCommand(program: Command, print: Print, finish: (status: number) => void): void {
  program
    .command('push <message>')
    .description('push one message to the hub by hand; a worker sends it, in no order with what waits')
    .option('--file <file>', 'its payload, a JSON object; - reads it from stdin')
    .option('--sample', 'a sample payload')
    .option('--wait', 'wait until the hub has taken it, and print what it calls it')
    .option('--config <file>', 'YAML file with settings; the environment wins')
    .option('--json', 'print data as JSON')
    .action((message: string, options: PushOptions) =>
      withStore(options, async ({ pool }) => {
        const payload = choosePayload(message, options)
        await requireSchema(pool, await codeVersion())
        // An aggregate of its own: it waits for nothing, and nothing waits for it.
        const aggregate = `push:${randomUUID()}`
        await enqueue(pool, aggregate, message, JSON.stringify(payload))
        if (!options.wait) {
          const [queued] = await listMessages(pool, BRIDGE_QUEUE, { aggregate, limit: 1 })
          return print(options.json ? JSON.stringify(queued) : `Message ${queued?.id} waits to be sent.`)
        }
        finish(await awaitOutcome(pool, aggregate, options, print))
      }),
    )
}

async function enqueue(pool: Pool, aggregate: string, type: string, payload: string): Promise<void> {
  const laneCount = await countLanes(pool, BRIDGE_QUEUE)
  const message = { aggregate, type, payload, subject: null, changedAt: new Date() }
  await inTransaction(pool, async (db) => {
    await insertMessages(db, BRIDGE_QUEUE, laneCount, [message])
    // One more that was made: what is found in the queue is held against that.
    await takeRows(db, [], { told: 0, silent: 0, unmapped: 0, messages: 1 })
  })
}

async function awaitOutcome(
  pool: Pool,
  aggregate: string,
  options: PushOptions,
  print: Print,
): Promise<number> {
  const deadline = Date.now() + WAIT_MILLISECONDS
  for (;;) {
    const [message] = await listMessages(pool, BRIDGE_QUEUE, { aggregate, limit: 1 })
    const over = message?.state === 'done' || message?.state === 'parked' || message?.state === 'discarded'
    if (message && over) {
      print(
        options.json
          ? JSON.stringify(message)
          : message.state === 'done'
            ? `The hub has taken it as ${message.answer}.`
            : `It is ${message.state}: ${message.lastError}`,
      )
      return message.state === 'done' ? 0 : 1
    }
    if (Date.now() > deadline) {
      const why = message?.lastError ?? 'no worker has sent it: does `spree-bridge worker` run?'
      throw new OperatorError(`The hub had not taken message ${message?.id} after 60 s: ${why}`, 1)
    }
    await pause(LOOK_MILLISECONDS)
  }
}
