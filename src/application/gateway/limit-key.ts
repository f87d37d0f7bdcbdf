import { isIPv4, isIPv6 } from 'node:net'

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
  if (isIPv4(bare)) return bare
  if (!isIPv6(bare)) return 'unknown'
  const groups = expand(bare)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6)
    return [high >> 8, high & 255, low >> 8, low & 255].join('.')
  }
  return `${groups
    .slice(0, GROUPS_OF_64)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

function expand(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const text = dotted ? `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}` : address
  const [head = '', tail] = text.split('::')
  const before = numbers(head)
  if (tail === undefined) return before
  const after = numbers(tail)
  return [...before, ...Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after]
}

function numbers(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

function hex(high: string | undefined, low: string | undefined): string {
  return (Number(high) * 256 + Number(low)).toString(16)
}
