import { readFileSync } from 'node:fs'
import { z } from 'zod'

import { sampleOf } from '../messages/samples/samples.ts'
import { OperatorError } from './exit.ts'

/** Where a command takes the payload of a message from: exactly one of them. */
export type PayloadOptions = Readonly<{ file?: string; sample?: boolean }>

type Payload = Readonly<Record<string, unknown>>

const payload = z.record(z.string(), z.unknown())

/** @throws OperatorError 2 where there is no payload, or none that is a JSON object. */
export function choosePayload(
  message: string,
  { file, sample }: PayloadOptions,
  sampleFor: (message: string) => Payload | undefined = (name) => sampleOf(name)?.payload,
): Payload {
  if ((file === undefined) === !sample) {
    throw new OperatorError('Give the payload: either --file FILE (- is stdin) or --sample.', 2)
  }
  return file === undefined ? chooseSample(message, sampleFor(message)) : readPayload(file)
}

function chooseSample(message: string, sample: Payload | undefined): Payload {
  if (sample) return sample
  throw new OperatorError(
    `There is no sample of ${message}: \`spree-bridge samples\` lists those there are.`,
    2,
  )
}

function readPayload(file: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new OperatorError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      2,
    )
  }
  const parsed = payload.safeParse(parseJson(text))
  if (!parsed.success) throw new OperatorError(`${file} must hold the payload: one JSON object.`, 2)
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
