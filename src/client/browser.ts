import { ClientError } from './client-error.js'
import type { SocketLike, SocketMaker } from './sockets.js'
import { type ClientOptions, VendueClient } from './vendue-client.js'

export * from './exports.js'

/** The platform's own WebSocket. */
const platformSockets: SocketMaker = {
  sendsHeaders: false,
  open(url) {
    const { WebSocket } = globalThis as { WebSocket?: new (url: string) => SocketLike }
    if (!WebSocket) throw new ClientError('NO_WEBSOCKET', 'there is no WebSocket here; give one as `sockets`')
    return new WebSocket(url)
  },
}

/** A client of the gateways, for browsers and whatever else has `fetch` and `WebSocket`. */
export function createClient(options: ClientOptions): VendueClient {
  return new VendueClient({ sockets: platformSockets, ...options })
}
