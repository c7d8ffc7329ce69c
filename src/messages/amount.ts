/** Money, exact: in ten-thousandths of the currency's unit, the finest that a store's columns keep. */
export type Amount = bigint

const PLACES = 4

/**
 * The amount that a JSON number or a decimal text says; undefined where it says none, is 100 million or more, or is
 * finer than a ten-thousandth. Numbers are rounded to that: senders add them up in floating point.
 */
export function parseAmount(value: number | string): Amount | undefined {
  const text = typeof value === 'number' ? value.toFixed(PLACES) : value
  const match = /^(-?)0*(\d{1,8})(?:\.(\d{1,4})0*)?$/.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = ''] = match
  const digits = BigInt(whole + fraction.padEnd(PLACES, '0'))
  return sign === '-' ? -digits : digits
}

/** Of a value that a schema let through. */
export function amountOf(value: number | string): Amount {
  const amount = parseAmount(value)
  if (amount === undefined) throw new Error(`${value} is no amount.`)
  return amount
}

/** As a column of a store takes it, and a person reads it: `59.98`, `-1.50`, `0.0125`. */
export function amountText(amount: Amount): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(PLACES + 1, '0')
  const fraction = digits.slice(-PLACES).replace(/0{1,2}$/, '')
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -PLACES)}.${fraction}`
}

export function sumOf(amounts: readonly Amount[]): Amount {
  return amounts.reduce((sum, amount) => sum + amount, 0n)
}

const CENT = 100n

/** `amount` over the bases in their proportion, in whole cents; what is left over goes to the last that has a share. */
export function apportion(amount: Amount, bases: readonly Amount[]): Amount[] {
  const total = sumOf(bases)
  if (total === 0n) return bases.map((_, index) => (index === 0 ? amount : 0n))
  const shares = bases.map((base) => ((amount * base) / total / CENT) * CENT)
  const last = bases.findLastIndex((base) => base !== 0n)
  return shares.map((share, index) => (index === last ? share + amount - sumOf(shares) : share))
}
