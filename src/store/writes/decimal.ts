/** Rounds a decimal text half up, as PostgreSQL rounds it into a column: `15.995` with 2 → `16.00`. Never negative. */
export function roundDecimal(text: string, decimals: number): string {
  const [whole = '0', fraction = ''] = text.split('.')
  const digits = BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0'))
  const rounded = (digits + ((fraction[decimals] ?? '0') >= '5' ? 1n : 0n))
    .toString()
    .padStart(decimals + 1, '0')
  return decimals === 0 ? rounded : `${rounded.slice(0, -decimals)}.${rounded.slice(-decimals)}`
}
