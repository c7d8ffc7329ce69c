/** A place in the order of the table: by transaction, then by id; decimal texts without leading zeros. */
export type Position = Readonly<{ xid: string; id: string }>

export const BEGINNING: Position = { xid: '0', id: '0' }

export function isBefore(a: Position, b: Position): boolean {
  return compareDecimal(a.xid, b.xid) < 0 || (a.xid === b.xid && compareDecimal(a.id, b.id) < 0)
}

function compareDecimal(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}
