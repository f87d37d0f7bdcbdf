import { isIP } from 'node:net'
import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js'

/** All addresses as IPv6, so that one comparison does for both kinds. */
export type Network = readonly [address: IPv6, bits: number]

/** An address, or a network such as 10.0.0.0/8; null for anything else. */
export function networkOf(text: string): Network | null {
  const [address = '', bits] = text.split('/')
  // `ipaddr.js` alone takes "127.1" and "010.0.0.1" for addresses, too.
  if (isIP(address) === 0) return null
  const ip = ipaddr.parse(address)
  const most = ip.kind() === 'ipv6' ? 128 : 32
  if (bits !== undefined && !(ipaddr.isValidCIDR(text) && Number(bits) <= most)) return null
  return [toIPv6(ip), 128 - most + Number(bits ?? most)]
}

export function isInNetwork(text: string, network: Network): boolean {
  return isIP(text) !== 0 && toIPv6(ipaddr.parse(text)).match([...network])
}

/** What is given out to the internet's hosts; the rest of IPv6 is other networks in disguise, or nobody's. */
const GLOBAL_IPV6: Network = [ipaddr.parse('2000::') as IPv6, 3]

/**
 * Whether the address is one of the public internet: not private, loopback, link-local, of a carrier's NAT, multicast,
 * reserved, or an IPv4 address of those in IPv6 clothes.
 */
export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0) return false
  const ip = ipaddr.process(text)
  return ip.range() === 'unicast' && (ip.kind() === 'ipv4' || (ip as IPv6).match([...GLOBAL_IPV6]))
}

/** Whether only this machine reaches what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback')
}

const HOST = /^(?:\[([0-9a-f:.]+)\]|([^:]+))(?::\d{1,5})?$/i

/**
 * Whether a Host header names this machine by its loopback: a page elsewhere can lead a name of its own here, and no
 * other.
 */
export function isLoopbackName(host: string | undefined): boolean {
  const [, bracketed, plain] = HOST.exec(host ?? '') ?? []
  return isLoopback((bracketed ?? plain ?? '').toLowerCase())
}

function toIPv6(ip: IPv4 | IPv6): IPv6 {
  return ip.kind() === 'ipv6' ? (ip as IPv6) : (ip as IPv4).toIPv4MappedAddress()
}
