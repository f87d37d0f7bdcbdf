import type { DefaultEventsMap, Namespace, Socket } from 'socket.io'
import type { CountedConnection } from '../../application/gateway/counted-connection.js'
import type { LiveCaller } from '../../application/gateway/live-callers.js'
import type { InOrder } from '../../application/turns/in-order.js'

export interface SocketState {
  caller: LiveCaller | null
  readonly connection: CountedConnection
  /** By auction. */
  readonly leave: Map<string, () => void>
  pending: number
  /** Bids and sellers' commands, in the order in which they come. */
  readonly lane: InOrder
}
type Events = DefaultEventsMap
export type AuctionSocket = Socket<Events, Events, Events, SocketState>
export type AuctionNamespace = Namespace<Events, Events, Events, SocketState>
