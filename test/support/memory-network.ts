import type { Discovery, DiscoveryListener, DiscoveryState } from '../../src/ports/discovery.js'
import { PeerCallError, type PeerClient } from '../../src/ports/peer-client.js'
import type { PeerService } from '../../src/ports/peer-service.js'

type Fault = 'none' | 'unreachable' | 'answer-lost'

/** Nodes of one process that call each other directly, with faults to order. */
export class MemoryNetwork {
  readonly #services = new Map<string, PeerService>()
  readonly #faults = new Map<string, Fault>()
  readonly calls: { method: string; address: string; size: number }[] = []
  #nextPort = 1

  newAddress(): string {
    return `mem:${this.#nextPort++}`
  }

  serve(address: string, service: PeerService): void {
    this.#services.set(address, service)
  }

  remove(address: string): void {
    this.#services.delete(address)
  }

  /** What happens to calls to this address from now on. */
  fault(address: string, fault: Fault): void {
    this.#faults.set(address, fault)
  }

  addresses(): string[] {
    return [...this.#services.keys()]
  }

  client(): PeerClient {
    const call = async <T>(
      method: string,
      address: string,
      size: number,
      run: (service: PeerService) => Promise<T>,
    ) => {
      await Promise.resolve()
      this.calls.push({ method, address, size })
      const service = this.#services.get(address)
      const fault = this.#faults.get(address) ?? 'none'
      if (!service || fault === 'unreachable') {
        throw new PeerCallError('UNREACHABLE', `nobody at ${address}`, {
          address,
          sent: false,
          answered: false,
        })
      }
      // Through JSON, as on a wire.
      const answer = JSON.parse(JSON.stringify((await run(service)) ?? null)) as T
      if (fault === 'answer-lost') {
        throw new PeerCallError('TIMEOUT', 'no answer', { address, sent: true, answered: false })
      }
      return answer
    }
    return {
      hello: (address, self) => call('hello', address, 1, (peer) => peer.hello(self)),
      ping: (address, self) => call('ping', address, 1, (peer) => peer.ping(self)),
      goodbye: (address, self) => call('goodbye', address, 1, (peer) => peer.goodbye(self)),
      submit: (address, commands) =>
        call('submit', address, commands.length, (peer) => peer.submit(commands)),
      pushCommits: (address, from, commits) =>
        call('pushCommits', address, commits.length, (peer) => peer.pushCommits(from, commits)),
      pullCommits: (address, auctionId, fromSeq) =>
        call('pullCommits', address, 1, (peer) => peer.pullCommits(auctionId, fromSeq)),
      heads: (address, afterId) => call('heads', address, 1, (peer) => peer.heads(afterId)),
      stop: () => Promise.resolve(),
    }
  }

  /** Tells a node of every address there is, now and at each refresh. */
  discovery(): Discovery {
    return new MemoryDiscovery(this)
  }
}

class MemoryDiscovery implements Discovery {
  readonly dhtAddress = null
  readonly grapeUrl = 'memory:'
  readonly state: DiscoveryState = 'connected'
  readonly #network: MemoryNetwork
  #listener: DiscoveryListener | null = null

  constructor(network: MemoryNetwork) {
    this.#network = network
  }

  start(_rpcPort: number, listener: DiscoveryListener): Promise<void> {
    this.#listener = listener
    this.refresh()
    return Promise.resolve()
  }

  refresh(): void {
    this.#listener?.addresses(this.#network.addresses())
  }

  introduce(_dhtAddress: string): void {}

  stop(): Promise<void> {
    this.#listener = null
    return Promise.resolve()
  }
}
