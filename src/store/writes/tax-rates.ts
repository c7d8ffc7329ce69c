import { type Amount, sumOf } from '../../messages/amount.ts'

/** A rate by which a store of Solidus taxes what goes to some place. */
export type OwnRate = Readonly<{
  id: string
  label: string
  hundredThousandths: bigint
  /** Whether the prices hold it. */
  included: boolean
  taxCategoryIds: readonly string[]
  /** How, where it is not a part of each price. */
  countedElsewhere: string | null
}>

const WHOLE = 100_000n
const CENT = 100n

/**
 * What a rate makes of the price of a line or a shipment, to the cent, as `Spree::Calculator::DefaultTax` has it: of a price
 * that holds taxes, what is left without those of all rates on it.
 */
export function shareOfRate(
  rates: readonly OwnRate[],
  rate: OwnRate,
  price: Amount,
  taxCategoryId: string | null,
): Amount {
  const isOn = ({ taxCategoryIds }: OwnRate) =>
    taxCategoryId !== null && taxCategoryIds.includes(taxCategoryId)
  if (!isOn(rate)) return 0n
  const onIt = rates.filter(isOn).map(({ hundredThousandths }) => hundredThousandths)
  const divisor = rate.included ? WHOLE + sumOf(onIt) : WHOLE
  return toCents(price * rate.hundredThousandths, divisor)
}

/** Half a cent goes up. */
function toCents(dividend: bigint, divisor: bigint): Amount {
  const cents = (2n * dividend + divisor * CENT) / (2n * divisor * CENT)
  return cents * CENT
}
