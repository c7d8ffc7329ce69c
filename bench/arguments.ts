import { parseArgs } from 'node:util'

export type Arguments = Readonly<{ names: readonly string[]; quick: boolean; json: boolean }>

/** The command line, or what is wrong with it. No names: all that are known. */
export function readArguments(args: readonly string[], known: readonly string[]): Arguments | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    })
    const unknown = positionals.filter((name) => !known.includes(name))
    if (unknown.length > 0) return `No such bench: ${unknown.join(', ')}. There are: ${known.join(', ')}.`
    const names = known.filter((name) => positionals.length === 0 || positionals.includes(name))
    return { names, quick: values.quick, json: values.json }
  } catch (error) {
    return `${error instanceof Error ? error.message : error}\nUsage: npm run bench [-- NAME…] [--quick] [--json]. Names: ${known.join(', ')}.`
  }
}
