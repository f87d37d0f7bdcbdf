import { generateKeyPairSync } from 'node:crypto'
import { ServiceContainer } from '../../services/container.js'
import { composeNode, provideStore } from '../../services/node/compose.js'
import { tokens } from '../../services/node/node-tokens.js'
import { openMemoryStore } from '../../src/adapters/memory/memory-store.js'
import { Ed25519Verifier, signerOf } from '../../src/adapters/system/node-key.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { nodeIdOf } from '../../src/application/ids.js'
import { PublishingEventLog } from '../../src/application/publishing-event-log.js'
import type { NodeApi } from '../../src/ports/node-api.js'
import type { NodeInfo } from '../../src/ports/peer-client.js'
import type { Signer } from '../../src/ports/signer.js'
import type { Store } from '../../src/ports/store.js'
import { type ManualTime, settle } from './manual-time.js'
import type { MemoryNetwork } from './memory-network.js'
import { NodeTime } from './node-time.js'
import { silentLogger } from './silent-logger.js'

export interface MemoryNodeOptions {
  readonly name: string
  readonly network: MemoryNetwork
  readonly time: ManualTime
  /** A node that comes back brings its own. */
  readonly store?: Store
  readonly signer?: Signer
  /** A free one otherwise. */
  readonly address?: string
  readonly mesh?: string
  /** What its clock says then; now otherwise. */
  readonly startedAt?: number
}

/** A whole node without disk, sockets or real time; its store and key outlive it, like a data directory. */
export class MemoryNode {
  readonly services = new ServiceContainer()
  readonly store: Store
  readonly signer: Signer
  readonly info: NodeInfo
  /** Stands still when told to. */
  readonly time: NodeTime
  /** Why the node has to stop, once it does. */
  failure: (Error & { code?: unknown }) | null = null
  readonly #network: MemoryNetwork
  #running = false

  constructor(options: MemoryNodeOptions) {
    const { name, network, time } = options
    this.store = options.store ?? openMemoryStore()
    this.signer = options.signer ?? signerOf(generateKeyPairSync('ed25519').privateKey)
    this.#network = network
    const nodeId = nodeIdOf(this.signer.publicKey)
    this.info = {
      nodeId,
      name,
      publicKey: this.signer.publicKey,
      version: '0.0.0',
      address: options.address ?? network.newAddress(),
      dhtAddress: null,
      incarnation: options.startedAt ?? time.now(),
    }
    this.time = new NodeTime(time)
    const { store } = this
    this.services
      .value(tokens.clock, this.time)
      .value(tokens.timers, this.time)
      .value(tokens.random, systemRandom)
      .value(tokens.logger, silentLogger)
      .value(tokens.signer, this.signer)
      .value(tokens.verifier, new Ed25519Verifier())
      .value(tokens.discovery, network.discovery())
      .value(tokens.peerClient, network.client(this.info.address, this.time))
      .factory(tokens.eventLog, () => new PublishingEventLog(store.eventLog))
      .value(tokens.self, { party: { id: nodeId, name }, info: () => this.info })
    provideStore(this.services, store)
    composeNode(this.services, {
      ...{
        dataDir: 'memory',
        currencies: {},
        mesh: options.mesh ?? 'test',
        requestStop: () => {},
        handshakes: () => null,
      },
      fail: (error) => {
        this.failure ??= error
      },
    })
  }

  get api(): NodeApi {
    return this.services.get(tokens.nodeApi)
  }

  async start(): Promise<this> {
    this.#running = true
    const { services } = this
    await services.get(tokens.auctionHouse).start()
    this.#network.serve(this.info.address, services.get(tokens.peerService), this.time)
    services.get(tokens.pusher).start()
    services.get(tokens.syncer).start()
    services.get(tokens.equivocationWatch).start()
    await services.get(tokens.membership).start(0)
    await services.get(tokens.autoBidder).start()
    return this
  }

  /** Gone without a word: nothing of it runs on, nobody was told. */
  crash(): void {
    this.#network.remove(this.info.address)
    this.#running = false
    this.time.stall()
    this.services.get(tokens.autoBidder).stop()
    this.services.get(tokens.syncer).stop()
    this.services.get(tokens.equivocationWatch).stop()
    void this.services.get(tokens.auctionHouse).stop()
  }

  async stop(): Promise<void> {
    if (!this.#running) return
    this.#running = false
    const { services } = this
    services.get(tokens.autoBidder).stop()
    services.get(tokens.feed).stop()
    await services.get(tokens.auctionHouse).stop()
    await services.get(tokens.receiptKeeper).flush()
    services.get(tokens.syncer).stop()
    services.get(tokens.equivocationWatch).stop()
    await services.get(tokens.membership).stop()
    this.#network.remove(this.info.address)
  }
}

/** Nodes that know each other. */
export async function startMemoryNodes(
  network: MemoryNetwork,
  time: ManualTime,
  names: readonly string[],
): Promise<MemoryNode[]> {
  const nodes: MemoryNode[] = []
  for (const name of names) nodes.push(await new MemoryNode({ name, network, time }).start())
  await settle()
  return nodes
}
