import { type FigureResult, type Measurement, median, type Round, short } from './frame.ts'
import type { Machine } from './machine.ts'

/** All that one experiment found. */
export type Findings = Readonly<{
  experiment: string
  rounds: readonly Round[]
  results: readonly FigureResult[]
  /** Cores kept busy by processes that are not ours, one number per run of a variant. */
  othersCores: readonly number[]
}>

const heads = ['figure', 'value', 'spread', 'must', 'aim', '', 'measured', 'reference']

/** The figures as lines for a terminal. */
export function figureLines(results: readonly FigureResult[]): string[] {
  const rows = [heads, ...results.map(figureRow)]
  const widths = heads.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function figureRow({ figure, value, rounds, verdict, measured, reference }: FigureResult): string[] {
  const sign = figure.better === 'higher' ? '≥' : '≤'
  return [
    figure.name,
    `${readable(value)} ${figure.unit}`,
    spread(rounds),
    `${sign} ${figure.must}`,
    `${sign} ${figure.aim}`,
    { aim: 'aim reached', must: 'pass', missed: 'MISSED' }[verdict],
    `${readable(measured)} ${figure.measured.metric}`,
    `${readable(reference)} ${figure.reference.metric} (${figure.reference.variant})`,
  ]
}

export function measurementLine(variant: string, measurement: Measurement): string {
  const numbers = Object.entries(measurement).map(([metric, number]) => `${readable(number)} ${metric}`)
  return `${variant}: ${numbers.join(', ')}`
}

/** The page that is kept: what was found, on what machine, how quiet it was. */
export function resultsPage(findings: readonly Findings[], machine: Machine, run: string): string {
  const results = findings.flatMap((finding) => finding.results)
  return [
    '# Bench',
    '',
    `${machine.date}, \`${run}\`. ${machine.cores} cores (${machine.processor}), Node ${machine.node}, PostgreSQL ${machine.postgres}, ${machine.store}.`,
    '',
    'Medians over the rounds, spread from the lowest to the highest round. In each round all variants of an',
    'experiment take turns, so a value is compared with a reference of the same minute. CPU is that of the sending',
    'process and of all processes of PostgreSQL together.',
    '',
    ...table(heads.with(5, 'verdict'), results.map(figureRow)),
    ...findings.flatMap(experimentSection),
    '',
  ].join('\n')
}

function experimentSection({ experiment, rounds, othersCores }: Findings): string[] {
  const variants = Object.keys(rounds[0] ?? {})
  const metrics = [...new Set(variants.flatMap((variant) => Object.keys(rounds[0]?.[variant] ?? {})))]
  const rows = variants.map((variant) => [variant, ...metrics.map((metric) => cell(rounds, variant, metric))])
  return [
    '',
    `## ${experiment}`,
    '',
    `${rounds.length} rounds. ${noiseLine(othersCores)}`,
    '',
    ...table(['', ...metrics], rows),
  ]
}

/** What a reader must know before believing a wall time. */
export function noiseLine(othersCores: readonly number[]): string {
  return `Other processes kept ${readable(median(othersCores))} cores busy (${spread(othersCores)}).`
}

function cell(rounds: readonly Round[], variant: string, metric: string): string {
  const numbers = rounds.flatMap((round) => round[variant]?.[metric] ?? [])
  return numbers.length === 0 ? '' : `${readable(median(numbers))} (${spread(numbers)})`
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`)
}

function spread(numbers: readonly number[]): string {
  return `${readable(Math.min(...numbers))}–${readable(Math.max(...numbers))}`
}

function readable(number: number): string {
  const digits = Math.abs(number) < 10 ? 2 : Math.abs(number) < 100 ? 1 : 0
  return Number.isFinite(number) ? short(number).toFixed(digits) : 'none'
}
