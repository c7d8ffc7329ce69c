import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** As the `code` of a connection that was not made because of its address. */
export const ADDRESS_REFUSED = 'ADDRESS_REFUSED'

const NOT_PUBLIC: readonly (readonly [address: string, prefix: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 127, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
]

const notPublic = new BlockList()
for (const [address, prefix, family] of NOT_PUBLIC) notPublic.addSubnet(address, prefix, family)

/** False for this machine, private networks, and whatever else is not the public internet's. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 0) return false
  // An IPv4 address in IPv6 clothing is found among those of IPv4.
  return !notPublic.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** False where the address of a URL says already that nobody public is there; a name is known when it is resolved. */
export function isPublicTarget(url: string): boolean {
  const hostname = new URL(url).hostname.replace(/^\[|\]$/g, '')
  return isIP(hostname) === 0 ? !/(^|\.)localhost$/i.test(hostname) : isPublicAddress(hostname)
}

/**
 * Resolves a name to its public addresses only, at the moment of connecting: a name that pointed elsewhere when it was
 * checked would pass any check made before.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const [first, ...others] = error ? [] : addresses.filter(({ address }) => isPublicAddress(address))
    if (error) callback(error, '')
    else if (first === undefined)
      callback(Object.assign(new Error(`${hostname} has no public address`), { code: ADDRESS_REFUSED }), '')
    else if (options.all) callback(null, [first, ...others])
    else callback(null, first.address, first.family)
  })
}
