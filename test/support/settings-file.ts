import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const folder = mkdtempSync(path.join(tmpdir(), 'settings-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

/** Writes a file of settings, as `--config` takes it; its path. */
export function settingsFile(content: string): string {
  const file = path.join(folder, `${Math.random().toString(36).slice(2)}.yml`)
  writeFileSync(file, content)
  return file
}

/** The sections of the example file, which stand in it as comments, without being one. */
export function exampleSections(): string {
  const example = readFileSync('config/spree-bridge.example.yml', 'utf8')
  return (example.match(/^# [a-z]+:\n(# {2}.*\n)+/gm) ?? []).join('').replace(/^# /gm, '')
}
