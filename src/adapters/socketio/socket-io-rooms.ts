import { setTimeout as sleep } from 'node:timers/promises'
import type { EventHub } from '../../application/gateway/event-hub.js'
import type { LiveMessage } from '../../application/gateway/live-message.js'
import type { MovingMessage, MovingWatch } from '../../application/gateway/moving-watch.js'
import type { Presence } from '../../application/gateway/presence.js'
import { AuctionSubscription } from '../../application/gateway/subscription.js'
import type { Caller } from '../../ports/accounts/caller.js'
import type { AuctionNamespace, AuctionSocket } from './auction-socket.js'
import { socketIoEvent } from './socket-io-messages.js'
import { waitingOf } from './socket-io-slow-readers.js'

export interface SocketIoRoomsDeps {
  readonly hub: EventHub
  readonly movingWatch: MovingWatch
  readonly presence: Presence
  readonly namespace: AuctionNamespace
  /** The log cannot be read on for this one. */
  readonly fail: (socket: AuctionSocket, error: unknown) => void
}

interface Room {
  watchers: number
  /** Those who still hear what they missed, each for itself; then they join the room. */
  readonly followers: Map<AuctionSocket, AuctionSubscription>
  readonly close: () => void
}

/** A replay goes on below so many waiting messages. */
const REPLAY_WAITING = 64
const REPLAY_POLL_MS = 10

/**
 * Who hears which auction over Socket.IO. An event is encoded once for a whole room; a client that comes back with a
 * seq gets alone what came after it, in order, and joins the room when it is where the room is: no gap and no
 * duplicate.
 */
export class SocketIoRooms {
  readonly #deps: SocketIoRoomsDeps
  /** One listener for each auction that somebody here has joined. */
  readonly #rooms = new Map<string, Room>()

  constructor(deps: SocketIoRoomsDeps) {
    this.#deps = deps
  }

  /** `afterSeq` null: from now on. Call the answer once, to leave. */
  enter(socket: AuctionSocket, id: string, { afterSeq, as }: { afterSeq: number | null; as: NameOf }): () => void {
    const { hub, movingWatch, presence } = this.#deps
    const room = this.#room(id)
    room.watchers += 1
    const away = presence.join(id, as?.name ?? null, null)
    void socket.join(presenceOf(id))
    const moving = movingWatch.of(id)
    if (moving) socket.emit('auctionMoving', movingData(moving))
    if (afterSeq === null) void socket.join(id)
    else {
      const subscription = new AuctionSubscription(
        {
          hub,
          deliver: (message) => emit(socket, message),
          ready: async () => {
            while (!socket.disconnected && waitingOf(socket).length > REPLAY_WAITING) await sleep(REPLAY_POLL_MS)
          },
          fail: (error) => this.#deps.fail(socket, error),
        },
        { auctionId: id, afterSeq },
      )
      room.followers.set(socket, subscription)
      subscription.catchUp()
    }
    return () => {
      room.followers.get(socket)?.close()
      room.followers.delete(socket)
      away()
      void socket.leave(id)
      void socket.leave(presenceOf(id))
      room.watchers -= 1
      if (room.watchers > 0) return
      room.close()
      this.#rooms.delete(id)
    }
  }

  #room(id: string): Room {
    const known = this.#rooms.get(id)
    if (known) return known
    const { hub, movingWatch, presence, namespace } = this.#deps
    const unlisten = hub.listen(id, (message) => this.#notify(room, message))
    const unpresent = presence.listen(id, ({ joined, left, watchers }) => {
      namespace.to(presenceOf(id)).emit('presenceDelta', { auctionId: id, joined, left, count: watchers })
    })
    // Also those who still hear what they missed.
    const unmove = movingWatch.listen(id, (message) => {
      namespace.to(presenceOf(id)).emit('auctionMoving', movingData(message))
    })
    const close = () => {
      unlisten()
      unpresent()
      unmove()
    }
    const room: Room = { watchers: 0, followers: new Map(), close }
    this.#rooms.set(id, room)
    return room
  }

  #notify(room: Room, message: LiveMessage): void {
    emit(this.#deps.namespace.to(message.auctionId), message)
    // Once all have this one, the room's next is theirs.
    if (room.followers.size > 0) queueMicrotask(() => this.#promote(room, message))
  }

  #promote(room: Room, { auctionId, seq }: LiveMessage): void {
    for (const [socket, subscription] of room.followers) {
      if (subscription.lastSeq !== seq) continue
      subscription.close()
      room.followers.delete(socket)
      void socket.join(auctionId)
    }
  }
}

type NameOf = Pick<Caller['party'], 'name'> | null

function presenceOf(id: string): string {
  return `presence ${id}`
}

function movingData({ auction_id, moving, since, message }: MovingMessage): object {
  return { auctionId: auction_id, moving, since, message }
}

function emit(to: { emit(event: string, data: object): unknown }, message: LiveMessage): void {
  const event = socketIoEvent(message)
  if (event) to.emit(event.event, event.data)
}
