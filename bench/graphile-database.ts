import { makeWorkerUtils } from 'graphile-worker'
import { z } from 'zod'
import type { Database, Ground } from './ground.ts'

export const GRAPHILE_TASK = 'push'

/** The body as a text: as an object it would be parsed, and written again, for each job. */
export const graphileJob = z.object({ body: z.string() })

/** An empty database with graphile-worker's own tables. */
export async function createGraphileDatabase(ground: Ground): Promise<Database> {
  const database = await ground.createDatabase('graphile')
  const utils = await makeWorkerUtils({ connectionString: database.url })
  await utils.migrate()
  await utils.release()
  // Nor may autovacuum analyze it: `fillGraphile` vacuums, and says why it does no more.
  await database.pool.query('alter table graphile_worker._private_jobs set (autovacuum_enabled = off)')
  return database
}

/** Makes `count` jobs ready, each in the queue of its aggregate; among those of one, the earlier made is run earlier. */
export async function fillGraphile(
  { pool }: Database,
  bodies: readonly string[],
  count: number,
): Promise<void> {
  await pool.query('checkpoint')
  const begin = Date.now() - count
  for (let start = 0; start < count; start += 200) {
    const jobs = Array.from({ length: Math.min(200, count - start) }, (_, index) => ({
      body: bodies[(start + index) % bodies.length],
      queue: `order:${(start + index) % bodies.length}`,
      at: new Date(begin + start + index),
    }))
    await pool.query(
      `select count(*)
         from graphile_worker.add_jobs(array(
                select row($1, json_build_object('body', j.body), j.queue, j.at, null, null, null, null)::graphile_worker.job_spec
                  from json_to_recordset($2) j (body text, queue text, at timestamptz)))`,
      [GRAPHILE_TASK, JSON.stringify(jobs)],
    )
  }
  // Without ANALYZE: knowing how many there are, PostgreSQL plans the taking of jobs so that it costs seven times the CPU.
  await pool.query('vacuum')
}

export async function requireNoJobs({ pool }: Database): Promise<void> {
  const { rows } = await pool.query<{ left: number }>(
    'select count(*)::int as left from graphile_worker.jobs',
  )
  if (rows[0]?.left !== 0) throw new Error(`${rows[0]?.left} jobs were sent and not completed.`)
}
