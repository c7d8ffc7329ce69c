import { maskAddress } from '../observe/redact.ts'
import type { EffectiveSettings } from './read-settings.ts'
import {
  acceptedForm,
  defaultOf,
  describeSetting,
  fileKey,
  isSection,
  operatorName,
  type SettingName,
  type Settings,
  settingNames,
} from './settings.ts'

/** One line of `spree-bridge config`. A value that is not set is null, a secret `(hidden)`. */
export type SettingRow = Readonly<{ name: string; value: string | number | null; source: string }>

/** What is in force and where it comes from, fit to be shown: without a secret. */
export function describeSettings({ settings, sources }: EffectiveSettings): SettingRow[] {
  return settingNames.map((name) => ({
    name: operatorName(name),
    value: presentable(name, settings[name]),
    source: sources.get(name) ?? 'default',
  }))
}

function presentable(name: SettingName, value: Settings[SettingName]): string | number | null {
  if (value === undefined) return null
  const { secret } = describeSetting(name)
  if (secret === 'whole') return '(hidden)'
  if (isSection(name)) return JSON.stringify(value)
  if (typeof value === 'number') return value
  return secret === 'password' ? maskAddress(String(value)) : String(value)
}

/** The page docs/settings.md. */
export function settingsReference(): string {
  const hasVariable = (name: SettingName) => describeSetting(name).variable !== undefined
  return `# Settings

This page is generated from \`src/config/settings.ts\`.

A setting is read from the environment, else from the YAML file given with \`--config FILE\`, else it has its default.
Space around a value is ignored and an empty value counts as not set. \`spree-bridge config\` prints what is in force
and where it comes from, with secrets and the passwords of addresses hidden. A command that lacks what it needs, or
finds a value or a key it does not know, says all that is wrong and does nothing (exit status 2).

## In the environment or the file

${table(settingNames.filter(hasVariable))}

## In the file only

${table(settingNames.filter((name) => !hasVariable(name)))}
`
}

function table(names: readonly SettingName[]): string {
  const rows = names.map((name) => {
    const { variable, meaning, secret } = describeSetting(name)
    const called = [...(variable ? [variable] : []), fileKey(name)].map((word) => `\`${word}\``).join('<br>')
    return `| ${called} | ${meaning}${secret === 'whole' ? ' Secret.' : ''} | ${acceptedForm(name)} | ${defaultText(name)} |`
  })
  return ['| setting | meaning | value | default |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function defaultText(name: SettingName): string {
  const value = defaultOf(name)
  return value === undefined ? (describeSetting(name).otherwise ?? 'none') : `\`${value}\``
}
