/** Long because what is opened at the start and let go at the stop is read side by side. */

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GrenacheMeshClient } from '../../src/adapters/grenache/grenache-mesh-client.js'
import { GrenachePeerClient } from '../../src/adapters/grenache/grenache-peer-client.js'
import { RpcClient } from '../../src/adapters/grenache/rpc-client.js'
import { RpcServer } from '../../src/adapters/grenache/rpc-server.js'
import { listenError } from '../../src/adapters/grenache/transport/listen-error.js'
import { MetricsServer } from '../../src/adapters/prometheus/metrics-server.js'
import { PrometheusMetrics } from '../../src/adapters/prometheus/prometheus-metrics.js'
import { openStore, type SqliteStore } from '../../src/adapters/sqlite/open-store.js'
import { NodeCertificateReader } from '../../src/adapters/system/certificate-reader.js'
import { FilePictureStore } from '../../src/adapters/system/file-picture-store.js'
import { HeartbeatFile } from '../../src/adapters/system/heartbeat-file.js'
import { nextIncarnation } from '../../src/adapters/system/next-incarnation.js'
import { Ed25519Verifier, loadNodeKey } from '../../src/adapters/system/node-key.js'
import { loadOperatorToken } from '../../src/adapters/system/operator-token.js'
import { watchProcess } from '../../src/adapters/system/process-metrics.js'
import { rememberSignatures } from '../../src/adapters/system/remembered-signatures.js'
import { listNeighbours, NODE_FILE } from '../../src/adapters/system/running-nodes.js'
import { DEFAULT_PICTURE_ROOM, type NodeSettings } from '../../src/adapters/system/settings.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { systemTimers } from '../../src/adapters/system/system-timers.js'
import { ThreadMandateChecker } from '../../src/adapters/system/thread-mandate-checker.js'
import { VERSION } from '../../src/adapters/system/version.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { PublishingEventLog } from '../../src/application/log/publishing-event-log.js'
import { timeText } from '../../src/application/log/time-text.js'
import { CertificateRenewer } from '../../src/application/members/certificate-renewer.js'
import { MemberSync } from '../../src/application/members/member-sync.js'
import { servesWithinRole, withinRole } from '../../src/application/members/role-guard.js'
import { isReachable } from '../../src/application/mesh/peer-table.js'
import { InPlaceMandateChecker } from '../../src/application/submissions/in-place-mandate-checker.js'
import { type Audit, NO_AUDIT } from '../../src/ports/audit/audit.js'
import type { MemberRole } from '../../src/ports/members/member.js'
import type { MandateChecker } from '../../src/ports/mesh/mandate-checker.js'
import type { EventFeed } from '../../src/ports/node/event-feed.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import type { NodeInfo } from '../../src/ports/node/node-info.js'
import type { HandshakeCounts, SyncStatus } from '../../src/ports/node/node-status.js'
import type { StatReader } from '../../src/ports/store/stat-reader.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Metrics, MetricsPage } from '../../src/ports/system/metrics.js'
import type { BulkVerifier, Signer } from '../../src/ports/system/signer.js'
import { analyticsThread } from '../analytics/start-analytics.js'
import { movingActs, shownNodeSettings, startActs } from '../audit/node-acts.js'
import { type OpenedAuditTrail, openAudit } from '../audit/open-audit.js'
import type { ServiceThread } from '../consumers/service-thread.js'
import { ServiceContainer } from '../container.js'
import { composeNode, provideStore } from './compose.js'
import { openNodeCluster } from './node-cluster.js'
import { type NodeGrape, startNodeGrape } from './node-grape.js'
import { type Stop, startParts, stopAll } from './node-lifecycle.js'
import { type NodeMesh, openNodeMesh, tlsMaterial } from './node-mesh.js'
import { measureNode } from './node-metrics.js'
import type { NodeParts, NodeServices } from './node-parts.js'

/** A node: embeddable, many in one process. */
export interface VendueNode {
  /** For this node's own user. Usable between `start` and `stop`. */
  readonly api: NodeApi
  /** What happens on it, for who is in this process. Usable between `start` and `stop`. */
  readonly feed: EventFeed
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
  /** TLS handshakes so far; null if TLS is switched off. */
  readonly handshakes: HandshakeCounts | null
  /** Whoever asks it in the name of somebody records that here. From `start` on. */
  readonly audit: Audit
  /** What it is made of, for tests and benchmarks. */
  readonly services: NodeServices
  /** Of the node's statistics; null: it computes none. Usable between `start` and `stop`. */
  readonly stats: StatReader | null
  /** A gateway beside it counts here too. */
  readonly metrics: Metrics & MetricsPage
}

export interface CreateNodeOptions {
  readonly logger: Logger
  /** What the node is to be, where the authority of its mesh is on this machine; `node` otherwise. */
  readonly role?: MemberRole
  /** How long the certificates are good for that the authority gives out through this node. */
  readonly certificateMs?: number
  /** Without TLS anybody is taken for anybody: to measure what TLS costs, and for nothing else. */
  readonly tls?: false
  /** Stands in for what signs and checks: to measure what those cost, and for nothing else. */
  readonly crypto?: (own: Signer) => { readonly signer: Signer; readonly verifier: BulkVerifier }
}

export function createNode(settings: NodeSettings, options: CreateNodeOptions): VendueNode {
  return new RunningNode(settings, options)
}

class RunningNode implements VendueNode {
  readonly failed: Promise<Error>
  readonly stopRequested: Promise<void>
  readonly #settings: NodeSettings
  readonly #options: CreateNodeOptions
  readonly #logger: Logger
  readonly #crypto: NonNullable<CreateNodeOptions['crypto']>
  readonly services = new ServiceContainer<NodeParts>()
  readonly metrics = new PrometheusMetrics()
  /** What to undo at the stop, newest first. */
  readonly #undo: Stop[] = []
  /** What starts once the node serves. */
  readonly #starts: (() => void)[] = []
  #fail: (error: Error) => void = () => {}
  #requestStop: () => void = () => {}
  #info: NodeInfo | null = null
  #mesh: NodeMesh | null = null
  #audit: OpenedAuditTrail | null = null
  #stopping: Promise<void> | null = null

  constructor(settings: NodeSettings, options: CreateNodeOptions) {
    this.#settings = settings
    this.#options = options
    this.#logger = options.logger
    this.#crypto = options.crypto ?? ((own) => ({ signer: own, verifier: new Ed25519Verifier() }))
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    this.stopRequested = new Promise((resolve) => {
      this.#requestStop = resolve
    })
  }

  get api(): NodeApi {
    const api = this.services.parts.nodeApi
    return this.#mesh ? withinRole(api, this.#mesh.facts.role) : api
  }

  get feed(): EventFeed {
    return this.services.parts.eventFeed
  }

  get stats(): StatReader | null {
    return this.services.parts.statReader
  }

  get sync(): SyncStatus {
    return this.services.parts.syncer.status
  }

  get audit(): Audit {
    return this.#audit?.trail ?? NO_AUDIT
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
    await stopAll(this.#undo, (error) => {
      this.#logger.error({ err: error }, 'something did not stop cleanly')
    })
  }

  async #start(): Promise<void> {
    const { dataDir, rpc } = this.#settings
    const store = await openStore(dataDir, { metrics: this.metrics })
    this.#undo.push(() => store.close())
    void store.broken.then(this.#fail)
    const own = loadNodeKey(dataDir)
    const { auditKeepMs: keepMs } = this.#settings
    const audit = openAudit(dataDir, { logger: this.#logger, ...(keepMs !== undefined && { keepMs }) })
    this.#audit = audit
    this.#undo.push(() => this.#stopAudit(audit))
    const { signer, verifier } = this.#crypto(own)
    const operatorToken = loadOperatorToken(dataDir, systemRandom)
    const mesh = await openNodeMesh(this.#settings, own, this.#options)
    this.#mesh = mesh
    this.#undo.push(() => mesh.close())
    await refuseOtherMesh(store, mesh, dataDir)
    const grape = await startNodeGrape({ ...this.#settings, mesh: mesh.meshName }, this.#logger)
    this.#undo.push(() => grape.stop())
    this.#register(store, { signer, verifier }, grape, mesh)
    const { memberSync, renewer } = this.#keepMembership(mesh)
    this.services.value('memberNews', memberSync)
    this.#undo.push(watchProcess(this.metrics))
    measureNode(this.metrics, this.services, this.#tls)

    const { services } = this
    const peerService = servesWithinRole(services.parts.peerService, mesh.facts.role)
    const server = new RpcServer(
      {
        peerService,
        nodeApi: this.api,
        meshService: memberSync,
        tls: this.#tls,
        logger: this.#logger,
        metrics: this.metrics,
        budgets: services.parts.budgets,
        audit: audit.trail,
      },
      { ...rpc, operatorToken },
    )
    const serving = {
      start: async () => {
        const { host, port } = await server.start()
        this.#introduce(signer, `${host}:${port}`, grape.discovery.dhtAddress)
        return port
      },
      stop: () => server.stop(),
    }
    await startParts(services, serving, { stops: this.#undo, keepers: [memberSync, renewer] })
    for (const start of this.#starts) start()
    await this.#serveMetrics()
    this.#writeNodeFile(grape.discovery.grapeUrl)
    for (const act of startActs('node.start', shownNodeSettings(this.#settings), audit.store)) audit.trail.record(act)
    // Nodes of one machine need not wait for the DHT. Of two that start together, the one that looks last sees the
    // other.
    services.parts.membership.consider(listNeighbours(dataDir).map(({ address }) => address))
  }

  async #serveMetrics(): Promise<void> {
    const { metrics } = this.#settings
    if (!metrics) return
    const server = new MetricsServer({ page: this.metrics }, metrics)
    this.#undo.push(() => server.stop())
    const { host, port } = await server.start().catch((cause: Error) => {
      throw listenError('serve metrics', metrics.host, metrics.port, cause)
    })
    this.#logger.info({ url: `http://${host}:${port}/metrics` }, 'metrics are served')
  }

  #register(
    store: SqliteStore,
    { signer, verifier }: { readonly signer: Signer; readonly verifier: BulkVerifier },
    grape: NodeGrape,
    { memberList, facts: { role } }: NodeMesh,
  ): void {
    const { name, dataDir, currencies, peerWaitMs, budgets = {} } = this.#settings
    const party = { id: nodeIdOf(signer.publicKey), name }
    const isReader = role === 'replica' || role === 'operator'
    const remembered = rememberSignatures(signer, verifier)
    const rpcClient = new RpcClient({ logger: this.#logger, ...(this.#tls ? { tls: this.#tls } : {}) })
    this.#undo.push(() => rpcClient.stop())
    const heartbeat = new HeartbeatFile(dataDir)
    this.#undo.push(() => heartbeat.close())
    this.services
      .value('clock', systemClock)
      .value(
        'pictureStore',
        new FilePictureStore(dataDir, { clock: systemClock }, this.#settings.pictures ?? DEFAULT_PICTURE_ROOM),
      )
      .value('heartbeat', heartbeat)
      .value('timers', systemTimers)
      .value('random', systemRandom)
      .value('logger', this.#logger)
      .value('signer', remembered.signer)
      .value('verifier', remembered.verifier)
      .value('mandateChecker', this.#mandateChecker(verifier))
      .value('discovery', grape.discovery)
      .value('members', memberList)
      .value('rpcClient', rpcClient)
      .factory('peerClient', () => {
        const whoIsAt = (address: string) => {
          const peer = this.services.parts.peerTable.byAddress(address)
          return peer && isReachable(peer) ? peer.info.nodeId : null
        }
        return new GrenachePeerClient({ rpcClient, whoIsAt })
      })
      .value('eventLog', this.#watched(new PublishingEventLog(store.eventLog)))
      .value('self', {
        party,
        info: () => this.info,
        isReader,
      })
    provideStore(this.services, store)
    const analytics = this.#analytics()
    composeNode(this.services, {
      dataDir,
      ...(this.#audit && { audited: { audit: this.#audit.trail, reader: this.#audit.store } }),
      currencies,
      peerWaitMs,
      budgets,
      consumers: {
        statuses: () => (analytics === null ? [] : [analytics.status]),
        statReader: analytics?.reader ?? null,
      },
      cluster: openNodeCluster(this.#settings, { logger: this.#logger, isReader }),
      requestStop: this.#requestStop,
      metrics: this.metrics,
      handshakes: () => this.handshakes,
      fail: this.#fail,
    })
  }

  /** Beside the thread that serves, too. */
  #analytics(): ServiceThread<StatReader> | null {
    const { dataDir, name, consumers } = this.#settings
    const { eventLog, timers, logger } = this.services.parts
    const holder = `node ${name} (process ${process.pid})`
    const analytics = analyticsThread({ eventLog, timers, logger }, { dataDir, consumers, holder })
    if (analytics === null) return null
    this.#undo.push(() => analytics.stop())
    this.#starts.push(() => analytics.start())
    return analytics
  }

  /** Beside the thread that serves; what stands in for the crypto stays with it. */
  #mandateChecker(verifier: BulkVerifier): MandateChecker {
    if (this.#options.crypto) return new InPlaceMandateChecker({ verifier })
    const checker = new ThreadMandateChecker({ neverHere: true })
    this.#undo.push(() => checker.close())
    return checker
  }

  get handshakes(): HandshakeCounts | null {
    return this.#tls?.handshakes ?? null
  }

  get #tls() {
    return this.#options.tls === false ? null : (this.#mesh?.tls ?? null)
  }

  /** What keeps the member list, and this node's own certificate, up to date. */
  #keepMembership(mesh: NodeMesh): { memberSync: MemberSync; renewer: CertificateRenewer } {
    const { services } = this
    const { authority, facts, memberList, membership, repository, addresses, tls } = mesh
    const { dataDir } = this.#settings
    const meshClient = new GrenacheMeshClient({ rpcClient: services.parts.rpcClient })
    const deps = {
      authority,
      memberList,
      meshClient,
      repository,
      logger: this.#logger,
      budgets: services.parts.budgets,
      clock: systemClock,
      random: systemRandom,
      timers: systemTimers,
      peerTable: services.parts.peerTable,
      verifier: services.parts.verifier,
      reader: new NodeCertificateReader(),
    }
    const memberSync = new MemberSync(deps, {
      onAddresses: (found) => services.parts.membership.considerMembers(found),
      onRevoked: (nodeId) => {
        tls.cut(nodeId)
        this.audit.record({ act: 'member.revoked', via: 'node', who: null, from: null, about: nodeId, code: 'ok' })
        if (nodeId !== facts.nodeId) return
        const message = `this node has been put out of the mesh "${membership.meshName}"`
        this.#fail(new NodeError('MEMBER_REVOKED', message))
      },
    })
    const renewer = new CertificateRenewer(deps, {
      membership,
      facts,
      addresses,
      onRenewed: (renewed) => {
        const renewedFacts = deps.reader.read(renewed.certificate)
        if (renewedFacts) tls.replace(tlsMaterial(dataDir, renewed, renewedFacts, memberList))
      },
    })
    return { memberSync, renewer }
  }

  #stopAudit({ trail }: OpenedAuditTrail): void {
    trail.record({ act: 'node.stop', via: 'node', who: null, from: null, code: 'ok' })
    trail.close()
  }

  #watched(eventLog: PublishingEventLog): PublishingEventLog {
    eventLog.onPublished(({ commit: { auctionId, signer, firstSeq, lastSeq, position }, events }) => {
      const types = [...new Set(events.map(({ type }) => type))]
      this.#logger.debug({ auctionId, firstSeq, lastSeq, position, types }, 'stored a commit')
      for (const act of movingActs(auctionId, signer, events)) this.audit.record(act)
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

  /** Writes down for the command line where this node can be reached. */
  #writeNodeFile(grapeUrl: string): void {
    const path = join(this.#settings.dataDir, NODE_FILE)
    const { nodeId, name, address, dhtAddress, version, incarnation } = this.info
    const startedAt = timeText(incarnation)
    const { meshName: mesh, memberList } = this.#mesh as NodeMesh
    const content = {
      nodeId,
      name,
      pid: process.pid,
      address,
      dhtAddress,
      grapeUrl,
      startedAt,
      version,
      mesh,
      meshId: memberList.meshId,
    }
    writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
    this.#undo.push(() => rmSync(path, { force: true }))
  }
}

/** Auctions of one mesh are none of another: peers would refuse them, and their sellers could not reach them. */
async function refuseOtherMesh(store: SqliteStore, { meshName, memberList }: NodeMesh, dataDir: string): Promise<void> {
  const { meshId } = memberList
  const [any] = (await store.auctions.list({ limit: 1, now: systemClock.now() })).auctions
  if (any === undefined || any.state.meshId === meshId) return
  throw new NodeError(
    'OTHER_MESH',
    `the auctions in ${dataDir} are of the mesh ${any.state.meshId}, and "${meshName}" is ${meshId}`,
    {
      next: 'start this node in its own mesh (--mesh), or another one with a data directory of its own (--name, --data)',
    },
  )
}
