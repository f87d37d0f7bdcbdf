import type { DefaultEventsMap, Namespace, Socket } from 'socket.io'
import type { CountedConnection } from '../../application/gateway/counted-connection.js'
import type { LiveCaller } from '../../application/gateway/live-callers.js'

export interface SocketState {
  caller: LiveCaller | null
  readonly connection: CountedConnection
  /** By auction. */
  readonly leave: Map<string, () => void>
  pending: number
}
type Events = DefaultEventsMap
export type AuctionSocket = Socket<Events, Events, Events, SocketState>
export type AuctionNamespace = Namespace<Events, Events, Events, SocketState>
