#!/usr/bin/env node
import { CommanderError } from 'commander'

import { createProgram } from './processes/commands.ts'
import { explainError } from './processes/exit.ts'

/** Runs one command. Data goes to stdout; whatever else there is to say goes to stderr. */
async function main(): Promise<number> {
  let status = 0
  const program = createProgram(
    (text) => process.stdout.write(`${text}\n`),
    (finished) => {
      status = finished
    },
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

// The reader of a pipe may have had enough (`… | head`): that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})
process.exitCode = await main()
