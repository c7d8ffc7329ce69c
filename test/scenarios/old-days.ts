import { readExpected } from '../expected/read-expected.ts'
import type { OldStore } from '../support/stores.ts'
import { expectedReturn, isReturn, type Payload, type Told } from './told.ts'

/** Of each SKU in the days, its product. */
const owners: Readonly<Record<string, number>> = { 'DC-S': 901, 'DC-L': 901, 'BP-1': 904, 'HC-F': 31 }

export function aboutOf(type: string, payload: Payload): string {
  if (type === 'order:persist') return `order-${payload['number']}`
  if (isReturn(type)) return `order-${(payload['order'] as Payload)['number']}`
  return `product-${type.startsWith('stock:') ? owners[String(payload['sku'])] : payload['id']}`
}

/** `product:update product-901` with the payload written for that step, `stock:change DC-S -2` as it stands. */
export function toldOnOldDay(
  version: OldStore,
  day: Readonly<Record<string, readonly string[]>>,
  step: string,
): Told[] {
  return day[step]!.map((line) => {
    const [type = '', name = '', quantity] = line.split(' ')
    if (quantity !== undefined) {
      const payload = { sku: name, quantity: Number(quantity) }
      return { about: aboutOf(type, payload), type, payload }
    }
    const sofar = Object.keys(day)
      .sort()
      .filter((other) => other <= step && day[other]!.some((message) => message.endsWith(` ${name}`)))
    const payload = readExpected(version, 'fixture', name, sofar)
    if (!isReturn(type)) return { about: name, type, payload }
    const store = { family: version, source: 'fixture' } as const
    return { about: name, type, payload: expectedReturn(type, payload, step, store) }
  })
}
