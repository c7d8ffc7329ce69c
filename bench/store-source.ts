import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { loadDump } from '../test/support/load-dump.ts'
import type { Database } from './ground.ts'
import { projectFile } from './project-file.ts'
import { type StoreSize, scaleStore } from './scale-store.ts'

/** Where the store's data and its recorded steps come from. */
export type StoreSource = Readonly<{ name: string; dump(): string; step(name: string): string }>

/** The real Spree 4.10 of the folder that STORE_DUMPS names, else the project's own small shop. */
export function findStoreSource(): StoreSource {
  const dumps = process.env['STORE_DUMPS']
  const file = path.join(dumps ?? '', 'spree-4.10.3.sql.gz')
  if (dumps && existsSync(file)) {
    return {
      name: 'a real store of Spree 4.10.3',
      dump: () => gunzipSync(readFileSync(file)).toString(),
      step: (step) => readFileSync(path.join(dumps, 'scripts/spree-4.10', `${step}.sql`), 'utf8'),
    }
  }
  const fixtures = projectFile('test/fixtures/stores')
  return {
    name: "the project's own Spree 4.10 fixture",
    dump: () => readFileSync(projectFile('src/demo/sample-store.sql'), 'utf8'),
    step: (step) => readFileSync(path.join(fixtures, 'spree-4.10', `${step}.sql`), 'utf8'),
  }
}

/** What happened in the store before the recorded checkout, whose ids it needs. */
const stepsBefore = ['01-create-product', '02-change-product', '03-stock-movement']

/** Loads the store into an empty database and scales it up. */
export async function makeStore(
  { url, pool }: Database,
  source: StoreSource,
  size: StoreSize,
): Promise<void> {
  await loadDump(url, source.dump())
  const connection = await pool.connect()
  for (const line of stepsBefore.flatMap((step) => source.step(step).split('\n'))) {
    if (line !== '' && !line.startsWith('--')) await connection.query(line)
  }
  connection.release()
  await scaleStore(pool, size)
}
