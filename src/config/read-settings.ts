import { ConfigError, type ConfigProblem } from './config-error.ts'
import { dialectConflicts } from './dialect-conflicts.ts'
import {
  acceptedForm,
  defaultOf,
  describeSetting,
  faultsOf,
  isSection,
  operatorName,
  type SettingName,
  type Settings,
  settingNames,
  settingsSchema,
} from './settings.ts'
import { readSettingsFile } from './settings-file.ts'

type Given<Name extends SettingName> = { readonly [N in Name]-?: NonNullable<Settings[N]> }

/** The settings in force, and of each that is no default its source: `environment`, or the path of the file. */
export type EffectiveSettings<Needed extends SettingName = never> = Readonly<{
  settings: Settings & Given<Needed>
  sources: ReadonlyMap<SettingName, string>
}>

export type SettingsInput<Needed extends SettingName> = Readonly<{
  env: Readonly<Record<string, string | undefined>>
  /** Path of a YAML file; the environment wins over it. */
  file?: string | undefined
  /** What holds where neither says otherwise, by environment variable: a demo that was started here, or the store's own notes. */
  fallback?: Readonly<{ source: string; env: Readonly<Record<string, string>> }> | undefined
  /** What this command cannot do without. */
  needs: readonly Needed[]
}>

type RawValue = Readonly<{ value: unknown; source: string }>

/**
 * Reads every setting from the environment, then the file, then the fallback, then its default.
 * Throws one ConfigError that lists all that is wrong. An empty value counts as not set.
 */
export function readSettings<Needed extends SettingName = never>(
  input: SettingsInput<Needed>,
): EffectiveSettings<Needed> {
  const { raw, problems } = collectValues(input)
  const parsed = settingsSchema.safeParse(
    Object.fromEntries([...raw].map(([name, { value }]) => [name, value])),
  )
  const sources = new Map([...raw].map(([name, { source }]) => [name, source]))
  const found = [
    ...problems,
    ...[...input.needs, ...[...raw.keys()].flatMap((name) => describeSetting(name).needs ?? [])]
      .filter((name) => !raw.has(name) && defaultOf(name) === undefined)
      .map(missingSetting),
    ...[...raw].flatMap(invalidSetting),
    ...(parsed.success ? dialectConflicts(parsed.data, sources) : []),
  ]
  if (found.length > 0 || !parsed.success || !hasAll(parsed.data, input.needs)) throw new ConfigError(found)
  return { settings: parsed.data, sources }
}

function collectValues({ env, file, fallback }: Pick<SettingsInput<never>, 'env' | 'file' | 'fallback'>) {
  const fromFile = file === undefined ? undefined : readSettingsFile(file)
  const raw = new Map<SettingName, RawValue>()
  for (const name of settingNames) {
    const variable = describeSetting(name).variable
    const fromEnv = variable === undefined ? undefined : env[variable]
    const inFile = fromFile?.values.get(name)
    if (!isBlank(fromEnv)) raw.set(name, { value: fromEnv, source: 'environment' })
    else if (!isBlank(inFile)) raw.set(name, { value: inFile, source: file ?? '' })
    else if (variable !== undefined && fallback?.env[variable] !== undefined)
      raw.set(name, { value: fallback.env[variable], source: fallback.source })
  }
  return { raw, problems: fromFile?.problems ?? [] }
}

function isBlank(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value.trim() === '')
}

function hasAll<Needed extends SettingName>(
  settings: Settings,
  needs: readonly Needed[],
): settings is Settings & Given<Needed> {
  return needs.every((name) => settings[name] !== undefined)
}

function missingSetting(name: SettingName): ConfigProblem {
  const variable = operatorName(name)
  return {
    code: 'missing',
    variable,
    wrong: `${variable} is not set. ${describeSetting(name).meaning}`,
    remedy: `Set it to ${acceptedForm(name)}.`,
  }
}

function invalidSetting([name, { value, source }]: [SettingName, RawValue]): ConfigProblem[] {
  const faults = faultsOf(name, value)
  const variable = operatorName(name)
  if (isSection(name))
    return faults.map(({ path, message }) => {
      const where = [variable, ...path].join('.')
      return {
        code: 'invalid',
        variable: where,
        wrong: `${where} (from ${source}) ${message.replace(/(?<![.?])$/, '.')}`,
        remedy: 'config/spree-bridge.example.yml shows the form.',
      }
    })
  const otherwise = defaultOf(name)
  return faults.slice(0, 1).map(() => ({
    code: 'invalid',
    variable,
    wrong: `${variable} (from ${source === 'environment' ? 'the environment' : source}) ${whatItIs(name, value)}.`,
    remedy: `It must be ${acceptedForm(name)}${otherwise === undefined ? '' : `; left out, it is ${otherwise}`}.`,
  }))
}

/** A secret is not repeated, not even where it is malformed. */
function whatItIs(name: SettingName, value: unknown): string {
  if (typeof value !== 'string') return 'is a list or a mapping'
  return describeSetting(name).secret ? 'has a value that cannot be used' : `is "${value}"`
}
