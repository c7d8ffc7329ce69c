import type { Command } from 'commander'

import { sampleNames, sampleOf } from '../messages/samples/samples.ts'
import { OperatorError } from './exit.ts'
import type { Print } from './store-command.ts'

/** `spree-bridge samples`: what messages look like. */
export function addSamplesCommand(program: Command, print: Print): void {
  program
    .command('samples [message]')
    .description('list the sample messages, or print one as JSON')
    .option('--version <version>', 'of Spree, e.g. 6.0')
    .option('--json', 'print data as JSON, which a sample is anyhow')
    .action((message: string | undefined, options: Readonly<{ version?: string; json?: boolean }>) => {
      if (message === undefined) {
        return print(options.json ? JSON.stringify(sampleNames()) : sampleNames().join('\n'))
      }
      const sample = sampleOf(message, options.version)
      if (!sample) {
        throw new OperatorError(
          `There is no sample of ${message}. There are: ${sampleNames().join(', ')}.`,
          2,
        )
      }
      print(JSON.stringify(sample, null, options.json ? 0 : 2))
    })
}
