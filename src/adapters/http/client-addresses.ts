import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { isInNetwork, type Network, networkOf } from '../system/ip-address.js'

type Request = Pick<IncomingMessage, 'headers'> & {
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/**
 * Finds the address behind a request: that of the connection, or the one that a trusted proxy names in X-Forwarded-For.
 */
export class ClientAddresses {
  readonly #trusted: readonly Network[]

  /** `trusted`: addresses of proxies, or networks such as 10.0.0.0/8. */
  constructor(trusted: readonly string[]) {
    this.#trusted = trusted.map(networkOf).filter((network) => network !== null)
  }

  trusts(address: string): boolean {
    return this.#trusted.some((network) => isInNetwork(address, network))
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

/**
 * Of a hop, as proxies write it: alone, with a port, or in the brackets and quotes of RFC 7239. Null for anything else.
 */
function addressOf(hop: string): string | null {
  const bare = hop.trim().replace(/^"(.*)"$/, '$1')
  const match = WITH_PORT.exec(bare)
  const address = match?.[1] ?? match?.[2] ?? bare
  return isIP(address) === 0 ? null : address
}
