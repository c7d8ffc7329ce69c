import { spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { databaseUrl, onServer } from '../support/postgres.ts'
import { createRandom } from '../support/random.ts'
import type { StoreFamily } from '../support/stores.ts'
import type { Result } from './result.ts'
import {
  expectThat,
  inTrial,
  LEASE_MS,
  type Scenario,
  type Server,
  skipped,
  startWorkers,
} from './scenario.ts'

export const DATABASE: readonly Scenario[] = [
  {
    name: 'PostgreSQL restarts, and its postmaster is killed',
    families: ['spree-4.10'],
    run: (family, seed, server) =>
      restarting(family, seed, server, ['fast', 'kill', 'immediate', 'kill', 'fast'], [4000, 6000]),
  },
  {
    name: 'PostgreSQL restarts again and again, before anybody has recovered',
    families: ['spree-4.10'],
    run: (family, seed, server) => {
      const { pick } = createRandom(seed)
      const hows = Array.from({ length: 10 }, () => pick(['fast', 'immediate', 'kill'] as const))
      return restarting(family, seed, server, hows, [100, 1500])
    },
  },
  {
    name: 'PostgreSQL is killed, and a standby takes its place',
    families: ['spree-4.10'],
    run: (family, seed, server) =>
      inTrial(family, async (trial) => {
        await startWorkers(trial, 2)
        const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 50 })
        for (let times = 0; times < 2; times++) {
          await pause(3000)
          const from = Date.now()
          await server.failOver()
          trial.disturbed('PostgreSQL failed over', from)
        }
        await pause(4000)
        const { interrupted } = await workload.stop()
        return { failovers: 2, "the shop's own statements broken off": interrupted }
      }),
  },
  {
    name: 'PostgreSQL is read-only for a moment and past the lease',
    families: ['spree-4.10'],
    run: (family, seed) =>
      inTrial(family, async (trial) => {
        await startWorkers(trial, 1)
        const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 50 })
        for (const lastsMs of [2000, LEASE_MS + 3000]) {
          await pause(4000)
          const from = Date.now()
          await setReadOnly('on')
          await pause(lastsMs)
          await setReadOnly('off')
          trial.disturbed('read-only', from)
        }
        await pause(4000)
        const { interrupted } = await workload.stop()
        return { 'times read-only': 2, "the shop's own statements refused": interrupted }
      }).finally(() => setReadOnly('off')),
  },
  {
    name: 'no connection is left, for a moment and past the lease',
    families: ['spree-4.10'],
    run: noConnectionLeft,
  },
  {
    name: 'the disk of the store is full, for a moment and past the lease',
    families: ['spree-4.10'],
    run: diskFull,
  },
]

function restarting(
  family: StoreFamily,
  seed: number,
  server: Server,
  hows: readonly Parameters<Server['restart']>[0][],
  [least, most]: readonly [number, number],
): Promise<Result> {
  return inTrial(family, async (trial) => {
    const random = createRandom(seed)
    await startWorkers(trial, 2)
    const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 50 })
    const counts: Record<string, number> = {}
    await pause(3000)
    for (const how of hows) {
      await pause(random.between(least, most))
      const from = Date.now()
      await server.restart(how)
      trial.disturbed(`PostgreSQL restarted (${how})`, from)
      const name = how === 'kill' ? 'kill -9 of the postmaster' : `restarts of PostgreSQL (${how})`
      counts[name] = (counts[name] ?? 0) + 1
    }
    await pause(4000)
    const { interrupted } = await workload.stop()
    return { ...counts, "the shop's own statements broken off": interrupted }
  })
}

/** As after a failover to a server that is not promoted yet. */
export async function setReadOnly(to: 'on' | 'off'): Promise<void> {
  await onServer(async (server) => {
    await server.query(
      to === 'on'
        ? 'alter system set default_transaction_read_only = on'
        : 'alter system reset default_transaction_read_only',
    )
    await server.query('select pg_reload_conf()')
  })
}

/** A role of the bridge's own: the superuser would always get in. */
export function roleWithLimit(seed: number) {
  const role = `bridge_${seed}`
  return {
    /** The address of a database for the role, which comes to be with the first. */
    asRole: async (databaseUrl: string) => {
      const url = new URL(databaseUrl)
      const owner = url.searchParams.get('user')
      await onServer(async (server) => {
        const { rowCount } = await server.query('select from pg_roles where rolname = $1', [role])
        if (!rowCount) await server.query(`create role ${role} login in role ${owner}`)
      })
      url.searchParams.set('user', role)
      return { url: url.href }
    },
    /** -1: none. With 0 those who are in are sent away as well. */
    setLimit: (limit: number) =>
      onServer(async (server) => {
        await server.query(`alter role ${role} connection limit ${limit}`)
        if (limit === 0)
          await server.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
            role,
          ])
      }),
    drop: () => onServer((server) => server.query(`drop role if exists ${role}`)),
  }
}

async function noConnectionLeft(family: StoreFamily, seed: number): Promise<Result> {
  const { asRole, setLimit, drop } = roleWithLimit(seed)
  return inTrial(
    family,
    async (trial) => {
      await startWorkers(trial, 1)
      const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 50 })
      // Three are too few for a worker: its connections wait for each other, and for ever fail to listen.
      for (const [limit, lastsMs] of [
        [0, 3000],
        [0, LEASE_MS + 3000],
        [3, LEASE_MS],
      ] as const) {
        await pause(4000)
        const from = Date.now()
        await setLimit(limit)
        await pause(lastsMs)
        await setLimit(-1)
        trial.disturbed('no connection left', from)
      }
      await pause(4000)
      const { interrupted } = await workload.stop()
      expectThat(interrupted === 0, `the shop goes on without the bridge: ${interrupted} statements failed`)
      return { 'times without a connection': 2, 'times with three connections': 1 }
    },
    { toDatabase: asRole },
  ).finally(drop)
}

const DISK_MEGABYTES = 64

/**
 * The store's database lies on a small disk of its own (a tmpfs), which a file then fills to the last byte: the shop itself
 * cannot write then, nor can the bridge. The WAL is elsewhere: without room for it the server crashes, and that is a restart.
 */
async function diskFull(family: StoreFamily, seed: number): Promise<Result> {
  const { searchParams } = new URL(databaseUrl('postgres'))
  const { uid, gid } = statSync(searchParams.get('host') ?? '/')
  const disk = mkdtempSync(path.join(os.tmpdir(), 'bridge-disk-'))
  const mounted = spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', `size=${DISK_MEGABYTES}m`, 'tmpfs', disk])
  if (mounted.status !== 0) {
    rmSync(disk, { recursive: true })
    return skipped('a small disk can be mounted by root only')
  }
  const tablespace = `small_${seed}`
  const filler = path.join(disk, 'filler')
  try {
    chownSync(disk, uid, gid)
    await onServer((server) => server.query(`create tablespace ${tablespace} location '${disk}'`))
    const moveThere = async (url: string) => {
      const name = new URL(url).pathname.slice(1)
      await onServer((server) => server.query(`alter database ${name} set tablespace ${tablespace}`))
      return { url }
    }
    return await inTrial(
      family,
      async (trial) => {
        await startWorkers(trial, 1)
        const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 50 })
        for (const lastsMs of [4000, LEASE_MS + 3000]) {
          await pause(4000)
          const from = Date.now()
          fillUp(filler)
          await pause(lastsMs)
          rmSync(filler)
          trial.disturbed('the disk was full', from)
        }
        await pause(4000)
        const { interrupted } = await workload.stop()
        return { 'times the disk was full': 2, "the shop's own statements refused": interrupted }
      },
      { toDatabase: moveThere },
    )
  } finally {
    await onServer((server) => server.query(`drop tablespace if exists ${tablespace}`))
    spawnSync('/bin/umount', [disk])
    rmSync(disk, { recursive: true, force: true })
  }
}

function fillUp(file: string): void {
  for (const bytes of [1024 * 1024, 8192, 1]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}
