// From the snapshot's texts to the forms of the wire. The snapshot's schema has checked the texts already.

export function wireId(id: string): number {
  return Number(id)
}

export function wireOptionalId(id: string | null): number | null {
  return id === null ? null : Number(id)
}

/** At least one decimal and no superfluous one: `10` → `10.0`, `59.9800` → `59.98`. */
export function wireDecimal(decimal: string): string {
  const [whole = '', fraction = ''] = decimal.split('.')
  return `${whole}.${fraction.replace(/0+$/, '') || '0'}`
}

export function wireOptionalDecimal(decimal: string | null): string | null {
  return decimal === null ? null : wireDecimal(decimal)
}

/** UTC with milliseconds and `Z`. A time without zone is UTC: so do all stores write it. */
export function wireTime(time: string): string {
  if (!/^[^.]{19}(\.\d+)?$/.test(time)) return new Date(time).toISOString()
  return `${time.slice(0, 19)}.${time.slice(20, 23).padEnd(3, '0')}Z`
}

export function wireOptionalTime(time: string | null): string | null {
  return time === null ? null : wireTime(time)
}

/** Of a time that anybody may have written: in UTC. One that is in UTC already stays as it is written. */
export function utcTime(time: string): string {
  if (time.endsWith('Z')) return time
  const hasZone = /[+-]\d\d:\d\d$/.test(time)
  return new Date(hasZone ? time : `${time}Z`).toISOString()
}

/** Sum of two decimals, exact: money must not pass through floating point. */
export function addDecimals(a: string, b: string): string {
  const decimals = Math.max(fractionLength(a), fractionLength(b))
  const sum = scaled(a, decimals) + scaled(b, decimals)
  const digits = (sum < 0n ? -sum : sum).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  return `${sum < 0n ? '-' : ''}${whole}${decimals === 0 ? '' : `.${digits.slice(-decimals)}`}`
}

/** Negative where `a` is less than `b`, 0 where they are equal. */
export function compareDecimals(a: string, b: string): number {
  const decimals = Math.max(fractionLength(a), fractionLength(b))
  const difference = scaled(a, decimals) - scaled(b, decimals)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

function fractionLength(decimal: string): number {
  const point = decimal.indexOf('.')
  return point < 0 ? 0 : decimal.length - point - 1
}

function scaled(decimal: string, decimals: number): bigint {
  return BigInt(decimal.replace('.', '') + '0'.repeat(decimals - fractionLength(decimal)))
}
