import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

type Request = Pick<IncomingMessage, 'headers'> & {
  readonly socket: { readonly remoteAddress?: string | undefined }
}

const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i

/** Finds the address behind a request: that of the connection, or the one that a trusted proxy names in X-Forwarded-For. */
export class ClientAddresses {
  readonly #trusted = new BlockList()

  /** `trusted`: addresses of proxies, or networks such as 10.0.0.0/8. */
  constructor(trusted: readonly string[]) {
    for (const entry of trusted) {
      const [address = '', bits] = entry.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      if (bits === undefined) this.#trusted.addAddress(address, family)
      else this.#trusted.addSubnet(address, Number(bits), family)
    }
  }

  trusts(address: string): boolean {
    const plain = MAPPED.exec(address)?.[1] ?? address
    const kind = isIP(plain)
    return kind !== 0 && this.#trusted.check(plain, kind === 6 ? 'ipv6' : 'ipv4')
  }

  of({ headers, socket }: Request): string {
    const forwarded = headers['x-forwarded-for']
    const hops = String(forwarded ?? '').split(',')
    let address = socket.remoteAddress ?? ''
    // From the nearest backwards: what stands before the first that is not trusted, its sender may have made up.
    while (this.trusts(address)) {
      const hop = addressOf(hops.pop() ?? '')
      if (hop === null) break
      address = hop
    }
    return address
  }
}

const WITH_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|(\d{1,3}(?:\.\d{1,3}){3}))(?::\d{1,5})?$/

/** Of a hop, as proxies write it: alone, with a port, or in the brackets and quotes of RFC 7239. Null for anything else. */
function addressOf(hop: string): string | null {
  const bare = hop.trim().replace(/^"(.*)"$/, '$1')
  const match = WITH_PORT.exec(bare)
  const address = match?.[1] ?? match?.[2] ?? bare
  return isIP(address) === 0 ? null : address
}
