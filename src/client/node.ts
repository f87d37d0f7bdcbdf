import { WebSocket } from 'ws'
import type { SocketLike, SocketMaker } from './sockets.js'
import { type ClientOptions, VendueClient } from './vendue-client.js'

export * from './exports.js'

const HANDSHAKE_MS = 10_000

/**
 * Those of `ws`: Node 20 has none of its own, and these send tokens in headers, out of the logs of what lies between.
 */
const wsSockets: SocketMaker = {
  sendsHeaders: true,
  open: (url, headers) =>
    new WebSocket(url, { headers: { ...headers }, handshakeTimeout: HANDSHAKE_MS }) as unknown as SocketLike,
}

/** A client of the gateways, for Node. */
export function createClient(options: ClientOptions): VendueClient {
  return new VendueClient({ sockets: wsSockets, ...options })
}
