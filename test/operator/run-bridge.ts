import { execFile } from 'node:child_process'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../..')

export type Run = Readonly<{ status: number; stdout: string; stderr: string }>

/**
 * Runs one command of the built program to its end, with nothing of this process's environment but `env`; in a folder
 * without a demo unless `cwd` says otherwise.
 */
export function runBridge(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string = import.meta.dirname,
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [path.join(root, 'dist/main.js'), ...args],
      {
        cwd,
        env: { PATH: process.env['PATH'], LOG_FORMAT: 'json', ...env },
        timeout: 40_000,
        maxBuffer: 2 ** 26,
      },
      (error, stdout, stderr) => {
        if (child.exitCode === null)
          reject(new Error(`${args.join(' ')} was cut off: ${stderr}`, { cause: error }))
        else resolve({ status: child.exitCode, stdout, stderr })
      },
    )
  })
}
