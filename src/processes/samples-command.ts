import type { Command } from 'commander'

import { OBJECT_TYPES, type ObjectType } from '../messages/message.ts'
import { objectSamples } from '../messages/samples/objects.ts'
import { sampleNames, sampleOf } from '../messages/samples/samples.ts'
import { OperatorError } from './exit.ts'
import type { Print } from './store-command.ts'

/** `spree-bridge samples`: what messages look like. */
export function addSamplesCommand(program: Command, print: Print): void {
  program
    .command('samples [message]')
    .description('list the sample messages, or print one as JSON')
    .option('--version <version>', 'of Spree, e.g. 6.0')
    .option('--config <file>', 'as every command takes it; samples do not depend on settings')
    .option('--json', 'print data as JSON, which a sample is anyhow')
    .action((message: string | undefined, options: Readonly<{ version?: string; json?: boolean }>) => {
      const names = [...sampleNames(), ...OBJECT_TYPES]
      if (message === undefined) return print(options.json ? JSON.stringify(names) : names.join('\n'))
      const sample = batchOf(message) ?? sampleOf(message, options.version)
      if (!sample)
        throw new OperatorError(`There is no sample of ${message}. There are: ${names.join(', ')}.`, 2)
      print(JSON.stringify(sample, null, options.json ? 0 : 2))
    })
}

/** Objects are pushed in batches, without an envelope. */
function batchOf(name: string) {
  const type = OBJECT_TYPES.find((known): known is ObjectType => known === name)
  return type && { [type]: [objectSamples[type]] }
}
