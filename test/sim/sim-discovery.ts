import type { Discovery, DiscoveryListener, DiscoveryState } from '../../src/ports/mesh/discovery.js'
import type { SeededRandom } from './seeded-random.js'
import type { SimNetwork } from './sim-network.js'
import type { SimProcess } from './sim-process.js'

const LOOKUP_INTERVAL_MS = 3_000

/** The DHT as far as a node sees it: some addresses, dead ones among them, and at times nothing. */
export interface SimGrape {
  up: boolean
}

export class SimDiscovery implements Discovery {
  readonly dhtAddress = null
  readonly grapeUrl = 'sim:'
  readonly #deps: { process: SimProcess; network: SimNetwork; grape: SimGrape; random: SeededRandom }
  readonly #evicted = new Set<string>()
  #listener: DiscoveryListener | null = null

  constructor(deps: { process: SimProcess; network: SimNetwork; grape: SimGrape; random: SeededRandom }) {
    this.#deps = deps
  }

  get state(): DiscoveryState {
    return this.#deps.grape.up ? 'connected' : 'unreachable'
  }

  async start(_rpcPort: number, listener: DiscoveryListener): Promise<void> {
    this.#listener = listener
    this.#lookUp()
  }

  refresh(): void {
    const { grape, network, random } = this.#deps
    if (!grape.up) return
    this.#listener?.addresses(
      random
        .shuffle(network.addresses())
        .filter((address) => network.isServed(address) || (!this.#evicted.has(address) && random.chance(0.3))),
    )
  }

  introduce(_dhtAddress: string): void {}

  evict(address: string): void {
    this.#evicted.add(address)
  }

  admit(address: string): void {
    this.#evicted.delete(address)
  }

  async stop(): Promise<void> {
    this.#listener = null
  }

  #lookUp(): void {
    if (this.#listener === null) return
    this.refresh()
    this.#deps.process.after(LOOKUP_INTERVAL_MS, () => this.#lookUp())
  }
}
