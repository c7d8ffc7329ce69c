import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import type { ConfigProblem } from './config-error.ts'
import { nearestWord } from './nearest-word.ts'
import { fileKey, type SettingName, settingNames } from './settings.ts'

export type FileValues = Readonly<{
  values: ReadonlyMap<SettingName, unknown>
  problems: readonly ConfigProblem[]
}>

const namesByKey = new Map(settingNames.map((name) => [fileKey(name), name]))

/** Reads a YAML file of settings; what is wrong with it is returned, not thrown, to be told with the rest. */
export function readSettingsFile(file: string): FileValues {
  const content = readText(file)
  if (typeof content !== 'string') return { values: new Map(), problems: [content] }
  const entries = parseMapping(file, content)
  if (!entries.success) return { values: new Map(), problems: [entries.problem] }

  const values = new Map<SettingName, unknown>()
  const problems: ConfigProblem[] = []
  for (const [key, value] of Object.entries(entries.mapping)) {
    const name = namesByKey.get(key)
    if (name === undefined) problems.push(unknownKey(file, key))
    else values.set(name, value === 'null' || value === '~' ? '' : value)
  }
  return { values, problems }
}

function readText(file: string): string | ConfigProblem {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { data } = z.object({ code: z.string() }).safeParse(error)
    return {
      code: 'file_unreadable',
      variable: file,
      wrong: `The settings file ${file} cannot be read${data ? ` (${data.code})` : ''}.`,
      remedy: 'Check the path given with --config and that this user may read it.',
    }
  }
}

type Mapping =
  | { success: true; mapping: Record<string, unknown> }
  | { success: false; problem: ConfigProblem }

function parseMapping(file: string, content: string): Mapping {
  // Failsafe: every scalar stays the text it was written as. The parser's own messages quote the file, hence a code only.
  const document = parseDocument(content, { schema: 'failsafe', logLevel: 'silent' })
  const [fault] = [...document.errors, ...document.warnings]
  if (fault) {
    const at = fault.linePos?.[0]
    return malformed(
      file,
      `is not valid YAML${at ? ` at line ${at.line}, column ${at.col}` : ''} (${fault.code})`,
    )
  }
  try {
    const mapping = z.record(z.string(), z.unknown()).nullable().safeParse(document.toJS())
    if (mapping.success) return { success: true, mapping: mapping.data ?? {} }
    return malformed(file, 'holds no settings: it must be lines of `key: value`')
  } catch {
    return malformed(file, 'refers to an anchor (`*name`) that it does not set')
  }
}

function malformed(file: string, wrong: string): Mapping {
  return {
    success: false,
    problem: {
      code: 'file_malformed',
      variable: file,
      wrong: `The settings file ${file} ${wrong}.`,
      remedy: 'Put values with special characters in quotes; config/spree-bridge.example.yml shows the form.',
    },
  }
}

function unknownKey(file: string, key: string): ConfigProblem {
  const known = [...namesByKey.keys()]
  const nearest = nearestWord(key, known)
  return {
    code: 'unknown_key',
    variable: key,
    wrong: `${file} has the key "${key}", which is no setting.`,
    remedy: nearest ? `Did you mean "${nearest}"?` : `The keys are ${known.join(', ')}.`,
  }
}
