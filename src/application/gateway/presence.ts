import type { Timer, Timers } from '../../ports/system/timers.js'
import type { ReplyMessage } from './messages.js'

export type PresenceMessage = Extract<ReplyMessage, { type: 'presence' }>
export type PresenceListener = (message: PresenceMessage, data: Buffer) => void

/** Arrivals and departures are sent together, so that a crowd that arrives at once does not flood itself with news. */
const NOTIFY_INTERVAL_MS = 500
const MAX_NAMES = 20

interface Room {
  /** How many connections each name has. */
  readonly names: Map<string, number>
  readonly listeners: Set<PresenceListener>
  watchers: number
  joined: Set<string>
  left: Set<string>
  timer: Timer | null
}

/** Who watches which auction at this gateway. */
export class Presence {
  readonly #timers: Timers
  readonly #rooms = new Map<string, Room>()

  constructor({ timers }: { timers: Timers }) {
    this.#timers = timers
  }

  watchers(auctionId: string): number {
    return this.#rooms.get(auctionId)?.watchers ?? 0
  }

  /** `name` null: somebody. Call the answer when they leave. */
  join(auctionId: string, name: string | null, listener: PresenceListener | null): () => void {
    const room = this.#room(auctionId)
    room.watchers += 1
    if (listener) room.listeners.add(listener)
    if (name !== null) this.#count(room, name, 1)
    this.#notify(auctionId, room)
    let gone = false
    return () => {
      if (gone) return
      gone = true
      room.watchers -= 1
      if (listener) room.listeners.delete(listener)
      if (name !== null) this.#count(room, name, -1)
      if (room.watchers > 0) return this.#notify(auctionId, room)
      room.timer?.cancel()
      if (this.#rooms.get(auctionId) === room) this.#rooms.delete(auctionId)
    }
  }

  /** Hears who comes and goes, without being there. */
  listen(auctionId: string, listener: PresenceListener): () => void {
    const room = this.#room(auctionId)
    room.listeners.add(listener)
    return () => room.listeners.delete(listener)
  }

  stop(): void {
    for (const { timer } of this.#rooms.values()) timer?.cancel()
    this.#rooms.clear()
  }

  #room(auctionId: string): Room {
    let room = this.#rooms.get(auctionId)
    if (room === undefined) {
      const names = new Map<string, number>()
      const sets = {
        listeners: new Set<PresenceListener>(),
        joined: new Set<string>(),
        left: new Set<string>(),
      }
      room = { names, ...sets, watchers: 0, timer: null }
      this.#rooms.set(auctionId, room)
    }
    return room
  }

  #count(room: Room, name: string, change: 1 | -1): void {
    const before = room.names.get(name) ?? 0
    const after = before + change
    if (after > 0) room.names.set(name, after)
    else room.names.delete(name)
    if (before === 0 && !room.left.delete(name)) room.joined.add(name)
    if (after === 0 && !room.joined.delete(name)) room.left.add(name)
  }

  #notify(auctionId: string, room: Room): void {
    room.timer ??= this.#timers.after(NOTIFY_INTERVAL_MS, () => {
      room.timer = null
      const message: PresenceMessage = {
        type: 'presence',
        auction_id: auctionId,
        watchers: room.watchers,
        names: [...room.names.keys()].slice(0, MAX_NAMES),
        joined: [...room.joined].slice(0, MAX_NAMES),
        left: [...room.left].slice(0, MAX_NAMES),
      }
      room.joined = new Set()
      room.left = new Set()
      if (room.listeners.size === 0) return
      const data = Buffer.from(JSON.stringify(message))
      for (const listener of room.listeners) listener(message, data)
    })
  }
}

/** One connection that watches, and who it is, which may change. */
export class Watcher {
  readonly #presence: Presence
  readonly #auctionId: string
  readonly #notify: ((data: Buffer) => void) | null
  #name: string | null = null
  #leave: (() => void) | null = null

  constructor({ presence }: { presence: Presence }, auctionId: string, deliver: ((data: Buffer) => void) | null) {
    this.#presence = presence
    this.#auctionId = auctionId
    this.#notify = deliver
  }

  /** Under this name from now on; null: somebody. The same one again is no news. */
  enter(name: string | null): void {
    const leave = this.#leave
    if (leave && name === this.#name) return
    this.#name = name
    const deliver = this.#notify
    this.#leave = this.#presence.join(this.#auctionId, name, deliver && ((_, data) => deliver(data)))
    leave?.()
  }

  /** Idempotent. */
  leave(): void {
    this.#leave?.()
  }
}
