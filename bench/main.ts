import { writeFileSync } from 'node:fs'
import { readArguments } from './arguments.ts'
import { backfill } from './backfill.ts'
import { backlog } from './backlog.ts'
import { doctor } from './doctor.ts'
import { drain } from './drain.ts'
import { type Experiment, runExperiment } from './experiment.ts'
import { toJson } from './frame.ts'
import { graphile } from './graphile.ts'
import { prepareGround } from './ground.ts'
import { hotAggregates } from './hot-aggregates.ts'
import { inboundMemory, inboundOrders, inboundStock } from './inbound.ts'
import { latency } from './latency.ts'
import { describeMachine } from './machine.ts'
import { memory } from './memory.ts'
import { PGBENCH } from './pgbench.ts'
import { projectFile } from './project-file.ts'
import { type Findings, resultsPage } from './report.ts'
import { seeding } from './seeding.ts'
import { slowHub } from './slow-hub.ts'
import { snapshots } from './snapshots.ts'
import { takeover } from './takeover.ts'
import { triggers } from './triggers.ts'
import { wholePath } from './whole-path.ts'
import { writers } from './writers.ts'

/** The longest last: a run may be broken off. */
const experiments: readonly Experiment[] = [
  drain,
  graphile,
  slowHub,
  hotAggregates,
  latency,
  wholePath,
  triggers,
  writers,
  takeover,
  // Debian has it with its server.
  ...(PGBENCH === undefined ? [] : [inboundStock, inboundOrders]),
  inboundMemory,
  snapshots,
  doctor,
  memory,
  backlog,
  backfill,
  seeding,
]

/** Share of the full work in a quick run. */
const QUICK_SCALE = 0.25

const say = (line: string) => process.stderr.write(`${line}\n`)

async function bench(args: readonly string[]): Promise<number> {
  const chosen = readArguments(
    args,
    experiments.map(({ name }) => name),
  )
  if (typeof chosen === 'string') {
    say(chosen)
    return 2
  }
  const ground = await prepareGround(chosen.quick ? QUICK_SCALE : 1)
  const machine = describeMachine(ground.postgresVersion, ground.storeSource.name)
  const run = ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ')
  const findings: Findings[] = []
  try {
    for (const experiment of experiments.filter(({ name }) => chosen.names.includes(name))) {
      const rounds = chosen.quick ? experiment.rounds.quick : experiment.rounds.full
      findings.push(await runExperiment(experiment, ground, rounds, say))
      // What takes an hour may be broken off.
      writeFileSync(projectFile('bench/results.md'), resultsPage(findings, machine, run))
    }
  } finally {
    await ground.close()
  }
  const results = findings.flatMap((finding) => finding.results)
  if (chosen.json) process.stdout.write(`${toJson(results)}\n`)
  return results.some(({ verdict }) => verdict === 'missed') ? 1 : 0
}

process.exitCode = await bench(process.argv.slice(2))
