import { runProgram } from './processes/run-program.ts'

// The reader of a pipe may have had enough (`… | head`): that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})
process.exitCode = await runProgram()
