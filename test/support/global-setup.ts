import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type PostgresServer, startPostgres } from '../../src/demo/embedded-postgres.ts'
import { isAlive } from '../../src/demo/postgres-process.ts'
import { chooseBinaries } from './postgres-majors.ts'

declare global {
  var testPostgres: PostgresServer | undefined
}

/** Of one user: what another left behind is not ours to remove. */
const prefix = `bridge-test-${os.userInfo().uid}-`

/** One server for the whole run; the test files, in whatever worker, find it in the environment. */
export default async function startTestPostgres(
  _global: unknown,
  project: { rootDir: string },
): Promise<void> {
  const parent = chooseFolder()
  removeLeftOvers(parent)
  const root = path.join(parent, `${prefix}${process.pid}`)
  mkdirSync(root)
  globalThis.testPostgres = await startPostgres({
    root,
    database: 'postgres',
    durable: false,
    binaries: chooseBinaries(process.env['TEST_POSTGRES']),
    settings: { max_connections: '500' },
  })
  process.env['TEST_POSTGRES_URL'] = globalThis.testPostgres.url

  const dumps = path.resolve(project.rootDir, '../shared/stores')
  if (!process.env['STORE_DUMPS'] && existsSync(dumps)) process.env['STORE_DUMPS'] = dumps
}

/** Copying a store of 200 tables takes a second on a disk and a tenth of that in memory. */
function chooseFolder(): string {
  const memory = '/dev/shm'
  if (!existsSync(memory)) return os.tmpdir()
  const { bavail, bsize } = statfsSync(memory)
  return bavail * bsize > 4 * 2 ** 30 ? memory : os.tmpdir()
}

/** A run that was killed could not remove its server's folder. */
function removeLeftOvers(parent: string): void {
  for (const folder of readdirSync(parent).filter((name) => name.startsWith(prefix))) {
    if (!isAlive(Number(folder.slice(prefix.length)))) {
      rmSync(path.join(parent, folder), { recursive: true, force: true })
    }
  }
}
