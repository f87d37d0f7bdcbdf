import { setImmediate } from 'node:timers/promises'
import type { KnownPeer, PeerRepository } from '../../../src/ports/store/peer-repository.js'

export class MemoryPeerRepository implements PeerRepository {
  readonly #peers = new Map<string, KnownPeer>()

  async save(peer: KnownPeer): Promise<void> {
    await setImmediate()
    this.#peers.set(peer.nodeId, peer)
  }

  async list(limit: number): Promise<KnownPeer[]> {
    return [...this.#peers.values()]
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt || (a.nodeId < b.nodeId ? -1 : 1))
      .slice(0, limit)
  }
}
