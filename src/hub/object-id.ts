import { randomBytes } from 'node:crypto'

const ofProcess = randomBytes(5).toString('hex')
let counter = randomBytes(3).readUIntBE(0, 3)

/**
 * A new id of the hub: 24 hexadecimal digits as BSON's ObjectId has them (protocol §1.4). The seconds, then five random
 * bytes of this process and a counter from a random start: unique across processes without asking anybody. `at`: when what
 * it names was made, by which a store tells an echo.
 */
export function newObjectId(at = new Date()): string {
  counter = (counter + 1) % 2 ** 24
  const seconds = Math.floor(at.getTime() / 1_000)
  return hex(seconds, 8) + ofProcess + hex(counter, 6)
}

export function isObjectId(text: string): boolean {
  return /^[0-9a-f]{24}$/.test(text)
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0')
}
