import pg from 'pg'
import { BRIDGE_QUEUE } from '../../src/queue/message.ts'
import type { SenderRequest } from '../start-sender.ts'
import { createBenchClient, pushOne } from './push-client.ts'

type Row = { id: string; key: string; type: string; aggregate: string; payload: string }

/**
 * The least that is told at once and lost by no crash: LISTEN, read what is new, push it, delete it. For one writer at a
 * time: it forgets what commits late, keeps no order and repeats nothing.
 */
export async function loadListenLoop({ hubUrl, databaseUrl, count, inFlight }: SenderRequest) {
  const client = createBenchClient(hubUrl, inFlight)
  const listener = new pg.Client(databaseUrl)
  const deleter = new pg.Client(databaseUrl)
  await Promise.all([listener.connect(), deleter.connect()])
  const { signal } = new AbortController()
  return async () => {
    let last = '0'
    let left = count
    await new Promise<void>((resolve, reject) => {
      const sendOne = async ({ id, ...message }: Row) => {
        await pushOne(client, message, signal)
        await deleter.query('delete from bridge.message where id = $1', [id])
        if (--left === 0) resolve()
      }
      const readNew = async () => {
        const { rows } = await listener.query<Row>(
          'select id, key, type, aggregate, payload from bridge.message where id > $1 order by id',
          [last],
        )
        last = rows.at(-1)?.id ?? last
        for (const row of rows) sendOne(row).catch(reject)
      }
      listener.on('notification', () => void readNew().catch(reject))
      listener.query(`listen ${BRIDGE_QUEUE.channel}`).then(readNew).catch(reject)
    })
    return async () => {
      await listener.end()
      await deleter.end()
      await client.close()
    }
  }
}
