/** Names of the store, of both dialects and of connectors, as `plain` has them. */
const PERSONAL =
  /email|phone|firstname|lastname|fullname|middlename|address[12]$|^street|zipcode|postcode|postalcode|ipaddress|profileid$|specialinstructions|customernote|internalnote|giftmessage|birth|^nameoncard$|lastdigits|^login$|^(guest)?token$/
/** These are a person's only where the object is about one: a product has a name too, and a stock location a city. */
const PERSONAL_IN_PERSONS = /^(name|city|zip|company|statename|note)$/

const PERSONS = /(address|creditcards?|customer|user|recipient|contact)$/
const MARKS_OF_PERSONS = ['address1', 'firstname', 'lastname', 'fullname', 'phone']

/** The name of a key without case and dashes: `firstName`, `first_name` and `firstname` are one. */
export function plain(key: string): string {
  return key.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}

/** Whether what stands under a key, as `plain` has it, tells who somebody is. Countries and states do not. */
export function isPersonalKey(key: string, inPerson: boolean): boolean {
  return PERSONAL.test(key) || (inPerson && PERSONAL_IN_PERSONS.test(key))
}

/** Whether an object is an address, a card, an account: by the key under which it stands, or by its own keys. */
export function isAboutPerson(under: string, own: Pick<ReadonlyMap<string, unknown>, 'has'>): boolean {
  return PERSONS.test(under) || MARKS_OF_PERSONS.some((mark) => own.has(mark))
}
