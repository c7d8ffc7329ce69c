import { type Figure, judge, type Round, turnsOf, type Variant } from './frame.ts'
import type { Ground } from './ground.ts'
import { cpuSecondsOfMachine, cpuSecondsOfTree } from './machine.ts'
import { type Findings, figureLines, measurementLine, noiseLine } from './report.ts'

/** Figures that come from the same rounds. */
export type Experiment = Readonly<{
  name: string
  figures: readonly Figure[]
  /** Short runs need more of them. */
  rounds: Readonly<{ full: number; quick: number }>
  /** Whether a round that does not count goes before; the warm processes of those that take minutes are not worth it. */
  warmsUp: boolean
  prepare(ground: Ground): Promise<Prepared>
}>

export type Prepared = Readonly<{ variants: readonly Variant[]; close(): Promise<void> }>

/** Runs all variants in turns, in each round. */
export async function runExperiment(
  { name, figures, warmsUp, prepare }: Experiment,
  ground: Ground,
  roundCount: number,
  say: (line: string) => void,
): Promise<Findings> {
  say(`\n${name}: preparing`)
  const { variants, close } = await prepare(ground)
  const rounds: Round[] = []
  const othersCores: number[] = []
  try {
    if (warmsUp) for (const variant of variants) await variant.run()
    for (let index = 0; index < roundCount; index++) {
      const round: Record<string, Round[string]> = {}
      for (const variant of turnsOf(variants, index)) {
        const { measurement, others } = await watchOthers(variant)
        round[variant.name] = measurement
        othersCores.push(others)
        say(`round ${index + 1}/${roundCount}  ${measurementLine(variant.name, measurement)}`)
      }
      rounds.push(Object.fromEntries(variants.map((variant) => [variant.name, round[variant.name] ?? {}])))
    }
  } finally {
    await close()
  }
  const results = figures.map((figure) => judge(figure, rounds))
  for (const line of [...figureLines(results), noiseLine(othersCores)]) say(line)
  return { experiment: name, rounds, results, othersCores }
}

/** How many cores the rest of the machine kept busy meanwhile: what tells a noisy round from a slow one. */
async function watchOthers(variant: Variant) {
  const begun = { at: performance.now(), all: cpuSecondsOfMachine(), ours: cpuSecondsOfTree(process.pid) }
  const measurement = await variant.run()
  const seconds = (performance.now() - begun.at) / 1000
  const all = cpuSecondsOfMachine() - begun.all
  const ours = cpuSecondsOfTree(process.pid) - begun.ours
  return { measurement, others: Math.max(0, (all - ours) / seconds) }
}
