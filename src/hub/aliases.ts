/** Spellings that the protocol's sources have had for one type; the first is the one that is delivered (§11 #16-18). */
const SPELLINGS: readonly (readonly string[])[] = [
  ['order:updated', 'order:update'],
  ['order:canceled', 'order:cancel', 'order:cancelled'],
  ['shipment:confirm', 'shipment:confirmation', 'shipment:confirmed'],
  ['notification:warn', 'notification:warning'],
]

/** Every spelling under which a mapping may have subscribed to a type, itself among them. */
export function spellingsOf(type: string): readonly string[] {
  return SPELLINGS.find((spellings) => spellings.includes(type)) ?? [type]
}

/** The spelling under which a type is delivered, however it was pushed or asked for. */
export function deliveredAs(type: string): string {
  return spellingsOf(type)[0] ?? type
}
