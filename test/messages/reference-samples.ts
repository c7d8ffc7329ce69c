import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from '@jest/globals'

/** The protocol's reference samples lie beside the real stores. */
const samples = path.resolve(process.env['STORE_DUMPS'] ?? '', '../protocol/samples')

export const hasReferenceSamples = Boolean(process.env['STORE_DUMPS']) && existsSync(samples)

/** `test`, where the reference samples are. */
export const ifSamples = hasReferenceSamples ? test : test.skip

export function readReferenceSamples(): Record<string, unknown>[] {
  const files = readdirSync(samples).filter((file) => file.endsWith('.json'))
  return files.map((file) => readReferenceSample(path.basename(file, '.json')))
}

export function readReferenceSample(name: string): Record<string, unknown> {
  return JSON.parse(readReferenceText(name))
}

/** As it is written: `10.0` stays what it is. */
export function readReferenceText(name: string): string {
  return readFileSync(path.join(samples, `${name}.json`), 'utf8')
}
