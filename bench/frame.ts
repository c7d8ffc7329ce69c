/** What one run of one variant measured, by name and unit: `{ 'messages/s': 9012 }`. */
export type Measurement = Readonly<Record<string, number>>

/** One way to do the work; all variants of an experiment take turns in each round. */
export type Variant = Readonly<{ name: string; run(): Promise<Measurement> }>

type Side = Readonly<{ variant: string; metric: string }>

/** A number with a bound, made of two measurements of the same round. */
export type Figure = Readonly<{
  name: string
  /** Of the value, and so of `must` and `aim`. */
  unit: string
  measured: Side
  reference: Side
  /** How the value comes from the two sides; `alone` shows the reference beside it without using it. */
  compare: 'ratio' | 'difference' | 'alone'
  must: number
  aim: number
  better: 'higher' | 'lower'
}>

/** What each variant measured in one round. */
export type Round = Readonly<Record<string, Measurement>>

export type FigureResult = Readonly<{
  figure: Figure
  /** The median over the rounds of what each round compared. */
  value: number
  /** Medians of the two sides by themselves, in the metric's unit. */
  measured: number
  reference: number
  rounds: readonly number[]
  verdict: 'aim' | 'must' | 'missed'
}>

export function judge(figure: Figure, rounds: readonly Round[]): FigureResult {
  const measured = rounds.map((round) => read(round, figure.measured))
  const references = rounds.map((round) => read(round, figure.reference))
  const values = measured.map((number, index) =>
    compare(figure.compare, number, references[index] ?? Number.NaN),
  )
  const value = median(values)
  const reaches = (bound: number) => (figure.better === 'higher' ? value >= bound : value <= bound)
  return {
    figure,
    value,
    measured: median(measured),
    reference: median(references),
    rounds: values,
    verdict: reaches(figure.aim) ? 'aim' : reaches(figure.must) ? 'must' : 'missed',
  }
}

function read(round: Round, { variant, metric }: Side): number {
  const number = round[variant]?.[metric]
  if (number === undefined) throw new Error(`The variant "${variant}" did not measure "${metric}".`)
  return number
}

function compare(how: Figure['compare'], measured: number, reference: number): number {
  if (how === 'ratio') return measured / reference
  return how === 'difference' ? measured - reference : measured
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

/** The number below which `share` of them lie: between the two next to that place. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const lower = sorted[Math.floor(place)] ?? Number.NaN
  const upper = sorted[Math.ceil(place)] ?? Number.NaN
  return lower + (upper - lower) * (place - Math.floor(place))
}

/** Each round begins with another one, so that no variant always follows the same neighbour's mess. */
export function turnsOf<T>(variants: readonly T[], round: number): T[] {
  const first = round % variants.length
  return [...variants.slice(first), ...variants.slice(0, first)]
}

/** The public form of the results; its names are fixed. */
export function toJson(results: readonly FigureResult[]): string {
  return JSON.stringify({
    figures: results.map(({ figure, value, reference, rounds }) => ({
      name: figure.name,
      value: short(value),
      reference: short(reference),
      unit: figure.unit,
      must: figure.must,
      aim: figure.aim,
      better: figure.better,
      rounds: rounds.map(short),
    })),
  })
}

/** Four digits: more than any of these measurements knows. */
export function short(number: number): number {
  return Number(number.toPrecision(4))
}
