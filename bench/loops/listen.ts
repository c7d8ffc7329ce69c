import pg from 'pg'
import { createPool } from '../../src/postgres/pool.ts'
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
  const pool = createPool(databaseUrl, { applicationName: 'bench listen', onConnectionError: () => {} })
  const listener = new pg.Client(databaseUrl)
  await Promise.all([listener.connect(), pool.query('select 1')])
  const { signal } = new AbortController()
  return async () => {
    await new Promise<void>((resolve, reject) => {
      let last = '0'
      let left = count
      let reading = Promise.resolve()
      const sendOne = async ({ id, ...message }: Row) => {
        await pushOne(client, message, signal)
        await pool.query('delete from bridge.message where id = $1', [id])
        if (--left === 0) resolve()
      }
      const readNew = async () => {
        const { rows } = await pool.query<Row>(
          'select id, key, type, aggregate, payload from bridge.message where id > $1 order by id',
          [last],
        )
        last = rows.at(-1)?.id ?? last
        for (const row of rows) sendOne(row).catch(reject)
      }
      listener.on('notification', () => {
        reading = reading.then(readNew).catch(reject)
      })
      reading = listener.query(`listen ${BRIDGE_QUEUE.channel}`).then(readNew).catch(reject)
    })
    await listener.end()
    return async () => {
      await pool.end()
      await client.close()
    }
  }
}
