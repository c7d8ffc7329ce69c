import { fileURLToPath } from 'node:url'

/** A file of the project; the compiled bench lies two folders below it. */
export function projectFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url))
}
