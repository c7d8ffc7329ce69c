import { InvalidArgumentError } from 'commander'

/** The value of `--limit`. */
export function readLimit(text: string): number {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000_000)
    throw new InvalidArgumentError('It must be a whole number from 1 to 1000000.')
  return limit
}
