import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type PostgresServer, startPostgres } from '../../src/demo/embedded-postgres.ts'
import type { Finding } from '../checker/evidence.ts'
import { createRandom } from '../support/random.ts'
import { failOver } from './fail-over.ts'
import { describe, KILL_POINTS, runKillPoints } from './kill-points.ts'
import type { Result } from './result.ts'
import type { Server } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'

/** `npm run test:faults -- [--minutes N] [--seed S] [--only TEXT]`: the kill points once, then the scenarios for so long. */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', default: '' },
  },
})

const MOST_SHOWN = 30

const say = (text: string) => process.stdout.write(`${text}\n`)

async function main(): Promise<void> {
  const seed = Number(values.seed)
  const minutes = Number(values.minutes)
  if (!Number.isInteger(seed) || !(minutes >= 0)) {
    say('Usage: npm run test:faults -- [--minutes N] [--seed S] [--only TEXT]')
    process.exitCode = 2
    return
  }
  say(`seed ${seed}`)
  const root = mkdtempSync(path.join(os.tmpdir(), 'bridge-faults-'))
  const server = await startServer(root)
  const findings: Finding[] = []
  const injected = new Map<string, number>()
  try {
    const runSeed = createRandom(seed)
    const deadline = Date.now() + minutes * 60_000
    if (KILL_POINTS.includes(values.only))
      findings.push(...(await runKillPoints(() => runSeed.between(1, 1e6), say)))
    const scenarios = SCENARIOS.filter(({ name }) => name.includes(values.only))
    do {
      for (const scenario of scenarios)
        for (const family of scenario.families) {
          const ownSeed = runSeed.between(1, 1e6)
          const result = await scenario.run(family, ownSeed, server).catch(brokenOff)
          report(`${scenario.name} (${family}, seed ${ownSeed})`, result)
          for (const [fault, count] of Object.entries(result.injected))
            injected.set(fault, (injected.get(fault) ?? 0) + count)
          findings.push(...result.findings)
        }
    } while (scenarios.length > 0 && Date.now() < deadline)
  } finally {
    await server.stop()
    rmSync(root, { recursive: true, force: true })
  }
  if (injected.size > 0)
    say(`In all: ${[...injected].map(([fault, count]) => `${count} ${fault}`).join(', ')}.`)
  say(findings.length === 0 ? `No findings. (seed ${seed})` : `${findings.length} findings! (seed ${seed})`)
  if (findings.length > 0) process.exitCode = 1
}

/** Something that must hold did not, or the scenario could not go on: the others still run. */
function brokenOff(error: unknown): Result {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const findings = [{ rule: 'scenario', about: 'it was broken off', text }]
  return { injected: {}, changes: 0, messages: 0, requests: 0, findings, complaints: [] }
}

function report(name: string, result: Result): void {
  if (result.skipped !== undefined) {
    say(`${name}: SKIPPED, ${result.skipped}`)
    return
  }
  const { injected, changes, messages, requests, findings, complaints } = result
  const faults = Object.entries(injected).map(([fault, count]) => `${count} ${fault}`)
  say(
    `${name}: ${changes} row changes → ${messages} messages in ${requests} requests, ${findings.length} findings`,
  )
  say(`  injected: ${faults.join(', ')}`)
  for (const finding of findings.slice(0, MOST_SHOWN)) say(describe(finding))
  if (findings.length > MOST_SHOWN) say(`  … and ${findings.length - MOST_SHOWN} more`)
  if (findings.length > 0) for (const line of complaints.slice(-MOST_SHOWN)) say(`  LOG ${line}`)
}

/** A server of the suite's own, under the name by which the test stores find theirs. */
async function startServer(root: string): Promise<Server & Readonly<{ stop(): Promise<void> }>> {
  const start = (folder: string, settings?: Readonly<Record<string, string>>) =>
    startPostgres({
      root: folder,
      database: 'postgres',
      durable: false,
      binaries: process.env['TEST_POSTGRES'] === 'system' ? 'system' : 'embedded',
      // A commit that was confirmed survives the server's crash (not the machine's: nothing here crashes that).
      settings: { max_connections: '600', synchronous_commit: 'on', ...settings },
    })
  let running: PostgresServer = await start(root)
  process.env['TEST_POSTGRES_URL'] = running.url
  return {
    restart: async (how) => {
      if (how !== 'fast') process.kill(running.pid, how === 'kill' ? 'SIGKILL' : 'SIGQUIT')
      await running.stop()
      running = await start(root)
    },
    failOver: async () => {
      running = await failOver(running, start)
    },
    stop: () => running.stop(),
  }
}

await main()
// Some connection of some process that died may still be there, and nobody is to wait for it.
process.exit()
