import { runProgram } from '../../src/processes/run-program.ts'
import { TEST_HANDLERS } from './test-handlers.ts'

// `spree-bridge <command>`, but for what it does with inbound messages.
process.exitCode = await runProgram(TEST_HANDLERS)
