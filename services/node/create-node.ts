import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GrenachePeerClient } from '../../src/adapters/grenache/grenache-peer-client.js'
import { RpcClient } from '../../src/adapters/grenache/rpc-client.js'
import { RpcServer } from '../../src/adapters/grenache/rpc-server.js'
import { openStore, type SqliteStore } from '../../src/adapters/sqlite/open-store.js'
import { nextIncarnation } from '../../src/adapters/system/next-incarnation.js'
import { Ed25519Verifier, loadNodeKey } from '../../src/adapters/system/node-key.js'
import { loadOperatorToken } from '../../src/adapters/system/operator-token.js'
import { listNeighbours, NODE_FILE } from '../../src/adapters/system/running-nodes.js'
import type { NodeSettings } from '../../src/adapters/system/settings.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { systemTimers } from '../../src/adapters/system/system-timers.js'
import { VERSION } from '../../src/adapters/system/version.js'
import { nodeIdOf } from '../../src/application/ids.js'
import { PublishingEventLog } from '../../src/application/publishing-event-log.js'
import type { Logger } from '../../src/ports/logger.js'
import type { NodeApi, SyncStatus } from '../../src/ports/node-api.js'
import type { NodeInfo } from '../../src/ports/peer-client.js'
import type { Signer } from '../../src/ports/signer.js'
import { ServiceContainer } from '../container.js'
import { composeNode, provideStore } from './compose.js'
import { type NodeGrape, startNodeGrape } from './node-grape.js'
import { tokens } from './node-tokens.js'

/** A node: embeddable, many in one process. */
export interface VendueNode {
  /** For this node's own user. Usable between `start` and `stop`. */
  readonly api: NodeApi
  readonly info: NodeInfo
  /** How far its replicas are behind. Usable between `start` and `stop`. */
  readonly sync: SyncStatus
  /** Rejects with an error that has a `code` and says what to do; nothing is left running then. */
  start(): Promise<void>
  /** Finishes what is under way, says goodbye to its peers, and lets go of every resource. Idempotent. */
  stop(): Promise<void>
  /**
   * Resolves when the node must die: its log can no longer be trusted to store, or an older node runs with its key
   * (code NODE_KEY_IN_USE).
   */
  readonly failed: Promise<Error>
  /** Resolves when an operator asked the node to stop. */
  readonly stopRequested: Promise<void>
  /** What it is made of, for tests and benchmarks. */
  readonly services: ServiceContainer
}

export function createNode(settings: NodeSettings, options: { logger: Logger }): VendueNode {
  return new RunningNode(settings, options.logger)
}

class RunningNode implements VendueNode {
  readonly failed: Promise<Error>
  readonly stopRequested: Promise<void>
  readonly #settings: NodeSettings
  readonly #logger: Logger
  readonly services = new ServiceContainer()
  /** What to undo at the stop, newest first. */
  readonly #undo: (() => Promise<void> | void)[] = []
  #fail: (error: Error) => void = () => {}
  #requestStop: () => void = () => {}
  #info: NodeInfo | null = null
  #stopping: Promise<void> | null = null

  constructor(settings: NodeSettings, logger: Logger) {
    this.#settings = settings
    this.#logger = logger
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    this.stopRequested = new Promise((resolve) => {
      this.#requestStop = resolve
    })
  }

  get api(): NodeApi {
    return this.services.get(tokens.nodeApi)
  }

  get sync(): SyncStatus {
    return this.services.get(tokens.syncer).status
  }

  get info(): NodeInfo {
    if (!this.#info) throw new Error('the node has not been started')
    return this.#info
  }

  async start(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo()
      } catch (error) {
        this.#logger.error({ err: error }, 'something did not stop cleanly')
      }
    }
  }

  async #start(): Promise<void> {
    const { dataDir, rpc } = this.#settings
    const store = await openStore(dataDir)
    this.#undo.push(() => store.close())
    void store.broken.then(this.#fail)
    const signer = loadNodeKey(dataDir)
    const operatorToken = loadOperatorToken(dataDir, systemRandom)
    const grape = await startNodeGrape(this.#settings, this.#logger)
    this.#undo.push(() => grape.stop())
    this.#register(store, signer, grape)

    const { services } = this
    const membership = services.get(tokens.membership)
    const syncer = services.get(tokens.syncer)
    const receiptKeeper = services.get(tokens.receiptKeeper)
    const equivocationWatch = services.get(tokens.equivocationWatch)
    const pusher = services.get(tokens.pusher)
    const house = services.get(tokens.auctionHouse)
    const feed = services.get(tokens.feed)
    const autoBidder = services.get(tokens.autoBidder)
    const peerService = services.get(tokens.peerService)
    const server = new RpcServer(
      { peerService, nodeApi: this.api, logger: this.#logger },
      { ...rpc, operatorToken },
    )
    // Stops in reverse: nothing new comes in, what is under way is written, sent to the peers, and only then goodbye.
    this.#undo.push(
      () => membership.stop(),
      () => syncer.stop(),
      () => equivocationWatch.stop(),
      () => pusher.stop(),
      () => house.stop(),
      () => receiptKeeper.flush(),
      () => server.stop(),
      () => feed.stop(),
      () => autoBidder.stop(),
    )
    await house.start()
    const { host, port } = await server.start()
    this.#introduce(signer, `${host}:${port}`, grape.discovery.dhtAddress)
    pusher.start()
    syncer.start()
    equivocationWatch.start()
    await membership.start(port)
    await autoBidder.start()
    this.#writeNodeFile(grape.discovery.grapeUrl)
    // Nodes of one machine need not wait for the DHT. Of two that start together, the one that looks last sees the other.
    membership.consider(listNeighbours(dataDir).map(({ address }) => address))
  }

  #register(store: SqliteStore, signer: Signer, grape: NodeGrape): void {
    const { name, dataDir, mesh, currencies } = this.#settings
    const party = { id: nodeIdOf(signer.publicKey), name }
    const rpcClient = new RpcClient({ logger: this.#logger })
    this.#undo.push(() => rpcClient.stop())
    this.services
      .value(tokens.clock, systemClock)
      .value(tokens.timers, systemTimers)
      .value(tokens.random, systemRandom)
      .value(tokens.logger, this.#logger)
      .value(tokens.signer, signer)
      .factory(tokens.verifier, () => new Ed25519Verifier())
      .value(tokens.discovery, grape.discovery)
      .factory(tokens.peerClient, () => new GrenachePeerClient({ rpcClient }))
      .value(tokens.eventLog, this.#logged(new PublishingEventLog(store.eventLog)))
      .value(tokens.self, { party, info: () => this.info })
    provideStore(this.services, store)
    composeNode(this.services, {
      ...{ dataDir, currencies, mesh, requestStop: this.#requestStop },
      fail: this.#fail,
    })
  }

  #logged(eventLog: PublishingEventLog): PublishingEventLog {
    eventLog.onPublished(({ commit: { auctionId, firstSeq, lastSeq, position }, events }) => {
      const types = [...new Set(events.map(({ type }) => type))]
      this.#logger.debug({ auctionId, firstSeq, lastSeq, position, types }, 'stored a commit')
    })
    return eventLog
  }

  #introduce(signer: Signer, address: string, dhtAddress: string | null): void {
    this.#info = {
      nodeId: nodeIdOf(signer.publicKey),
      name: this.#settings.name,
      publicKey: signer.publicKey,
      version: VERSION,
      address,
      dhtAddress,
      incarnation: nextIncarnation(this.#settings.dataDir, systemClock),
    }
  }

  /** Tells the command line where this node can be reached. */
  #writeNodeFile(grapeUrl: string): void {
    const path = join(this.#settings.dataDir, NODE_FILE)
    const { nodeId, name, address, dhtAddress, version, incarnation } = this.info
    const startedAt = new Date(incarnation).toISOString()
    const content = { nodeId, name, pid: process.pid, address, dhtAddress, grapeUrl, startedAt, version }
    writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
    this.#undo.push(() => rmSync(path, { force: true }))
  }
}
