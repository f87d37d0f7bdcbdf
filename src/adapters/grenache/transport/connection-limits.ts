import type { Socket } from 'node:net'
import type { Budget } from '../../../application/budgets/budgets.js'

/**
 * Keeps strangers, that is, whoever has shown neither a member's certificate nor the operator's token, to a small part
 * of the connections that the server takes. Where there are too many, the oldest of the address that has most of them
 * makes room: a member that dials gets through its handshake long before its turn comes.
 */
export class ConnectionLimits {
  readonly #maxStrangers: number
  readonly #onDropped: (address: string) => void
  /** By the remote end, oldest first. */
  readonly #strangers = new Map<string, Socket>()
  readonly #known = new Set<string>()
  readonly #ofMembers: Budget

  constructor({
    maxStrangers,
    ofMembers,
    onDropped,
  }: {
    maxStrangers: number
    /** The connections of each member. */
    ofMembers: Budget
    onDropped: (address: string) => void
  }) {
    this.#maxStrangers = maxStrangers
    this.#ofMembers = ofMembers
    this.#onDropped = onDropped
  }

  get strangers(): number {
    return this.#strangers.size
  }

  /** A connection before anything came over it. */
  add(socket: Socket): void {
    const end = endOf(socket)
    this.#strangers.set(end, socket)
    socket.once('close', () => {
      this.#known.delete(end)
      if (this.#strangers.get(end) === socket) this.#strangers.delete(end)
    })
    if (this.#strangers.size > this.#maxStrangers) this.#makeRoom()
  }

  /** The caller is known from now on. `socket` may be the one over which TLS runs, or TLS itself. */
  know(socket: Socket): void {
    const end = endOf(socket)
    if (this.#strangers.delete(end)) this.#known.add(end)
  }

  isKnown(socket: Socket): boolean {
    return this.#known.has(endOf(socket))
  }

  /** False if that member has as many connections as it may. */
  takeMember(socket: Socket, nodeId: string): boolean {
    if (!this.#ofMembers.take(nodeId)) return false
    socket.once('close', () => this.#ofMembers.give(nodeId))
    return true
  }

  #makeRoom(): void {
    const counts = new Map<string, number>()
    for (const { remoteAddress = '' } of this.#strangers.values())
      counts.set(remoteAddress, (counts.get(remoteAddress) ?? 0) + 1)
    const most = Math.max(...counts.values())
    for (const [end, socket] of this.#strangers) {
      const { remoteAddress = '' } = socket
      if (counts.get(remoteAddress) !== most) continue
      this.#strangers.delete(end)
      socket.destroy()
      this.#onDropped(remoteAddress)
      return
    }
  }
}

/** What a connection and the TLS on top of it have in common. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`
}
