import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

const GROUPS_OF_64 = 4

/**
 * What an address is counted as. Whoever has one IPv6 address has the 2^64 of its network, so those count as one; an
 * IPv4 address in IPv6 clothes counts as itself.
 */
export function addressKey(address: string): string {
  const known = keys.get(address)
  if (known !== undefined) return known
  const key = newAddressKey(address)
  if (keys.size >= MAX_REMEMBERED) keys.clear()
  keys.set(address, key)
  return key
}

/** Each bid asks for its address's key, and the longer forms take microseconds to read. */
const keys = new Map<string, string>()
const MAX_REMEMBERED = 10_000

function newAddressKey(address: string): string {
  const bare = address.split('%')[0] as string
  if (isIP(bare) === 0) return 'unknown'
  const ip = ipaddr.process(bare)
  if (!('parts' in ip)) return ip.toString()
  const network = ip.parts.slice(0, GROUPS_OF_64).map((group) => group.toString(16))
  return `${network.join(':')}::/64`
}
