export type ConfigProblemCode = 'missing' | 'invalid' | 'unknown_key' | 'file_unreadable' | 'file_malformed'

/** One thing wrong with the settings: `variable` is its environment variable, or its key in the file. */
export type ConfigProblem = Readonly<{
  code: ConfigProblemCode
  variable: string
  wrong: string
  remedy: string
}>

/** The operator's mistake, told as sentences: everything that is wrong, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'config_invalid'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ wrong, remedy }) => `${wrong} ${remedy}`).join('\n'))
    this.problems = problems
  }
}
