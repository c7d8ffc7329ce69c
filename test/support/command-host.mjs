// A process that has loaded the built program once and runs one command after another in it: nine tenths of what a short
// command costs is the start of Node and the loading of the program. Plain JavaScript: that process has no TypeScript.
import { runProgram } from '../../dist/processes/run-program.js'

// Its parent holds the other end: no test leaves a process behind, however it dies.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.on('message', async (command) => process.send(await run(command)))

async function run({ args, env, cwd }) {
  process.argv = [...process.argv.slice(0, 2), ...args]
  process.env = env
  process.chdir(cwd)
  const said = { stdout: '', stderr: '' }
  const write = { stdout: process.stdout.write, stderr: process.stderr.write }
  for (const name of ['stdout', 'stderr'])
    process[name].write = (text, encoding, done = encoding) => {
      said[name] += text
      if (typeof done === 'function') process.nextTick(done)
      return true
    }
  try {
    return { status: await runProgram(), ...said }
  } finally {
    for (const name of ['stdout', 'stderr']) process[name].write = write[name]
  }
}
