import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Database } from './ground.ts'

const DEBIAN = '/usr/lib/postgresql'

/** PostgreSQL's own load generator, of whatever version: Debian's, or the one on the path. */
function findPgbench(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : []
  const folders = [
    ...versions.map((version) => path.join(DEBIAN, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(path.delimiter),
  ]
  return folders.map((folder) => path.join(folder, 'pgbench')).find((file) => existsSync(file))
}

export const PGBENCH = findPgbench()

/** Runs `count` transactions, each one of the scripts, on so many connections. Returns how many a second. */
export async function runPgbench(
  { url }: Database,
  scripts: readonly string[],
  { count, connections }: Readonly<{ count: number; connections: number }>,
): Promise<number> {
  if (PGBENCH === undefined) throw new Error('This machine has no pgbench.')
  const folder = mkdtempSync(path.join(os.tmpdir(), 'bench-scripts-'))
  try {
    const files = scripts.map((script, index) => {
      const file = path.join(folder, `${index}.sql`)
      writeFileSync(file, script)
      return ['-f', file]
    })
    const each = Math.ceil(count / connections)
    const args = ['-n', '-c', String(connections), '-j', '2', '-t', String(each), ...files.flat(), url]
    const { stdout } = await promisify(execFile)(PGBENCH, args, { maxBuffer: 2 ** 26 })
    const done = /transactions actually processed: (\d+)/.exec(stdout)?.[1]
    const rate = /^tps = ([\d.]+)/m.exec(stdout)?.[1]
    if (Number(done) !== each * connections) throw new Error(`pgbench did not do it all: ${stdout}`)
    return Number(rate)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
