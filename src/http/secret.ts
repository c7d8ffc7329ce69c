import { hash, timingSafeEqual } from 'node:crypto'

/** Whether a text is one of certain secrets. */
export type IsSecret = (given: string) => boolean

/** Takes the same time whichever of `secrets` it is that is given, and however much of it is right. */
export function oneOf(secrets: readonly string[]): IsSecret {
  const digests = secrets.map(digest)
  return (given) => {
    const digestOfGiven = digest(given)
    let found = false
    for (const secret of digests) if (timingSafeEqual(digestOfGiven, secret)) found = true
    return found
  }
}

// Equal lengths, which the comparison in constant time needs, and nothing learnt of the secret's own.
function digest(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}
