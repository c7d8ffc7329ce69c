import { readFile } from 'node:fs/promises'
import { transform } from '@swc/core'

/** Strips the types of a `.ts` file with the compiler that jest uses; all else is Node's. */
export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context)
  const { code } = await transform(await readFile(new URL(url), 'utf8'), {
    filename: url,
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  })
  return { format: 'module', source: code, shortCircuit: true }
}
