import { CommanderError } from 'commander'

import { HANDLERS, type Handlers } from '../apply/handlers.ts'
import { createProgram } from './commands.ts'
import { explainError } from './exit.ts'

/**
 * Runs the command of this process's arguments; resolves with the exit status. Data goes to stdout; whatever else there is
 * to say goes to stderr.
 */
export async function runProgram(handlers: Handlers = HANDLERS): Promise<number> {
  let status = 0
  const program = createProgram(
    (text) => process.stdout.write(`${text}\n`),
    (finished) => {
      status = finished
    },
    handlers,
  )
  try {
    await program.parseAsync()
    return status
  } catch (error) {
    // commander has printed its own message, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const explained = explainError(error)
    process.stderr.write(`${explained?.message ?? (error instanceof Error ? error.stack : String(error))}\n`)
    return explained?.status ?? 1
  }
}
