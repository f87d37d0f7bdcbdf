import type { Discovery } from '../../ports/mesh/discovery.js'
import type { Challenge, HelloAnswer } from '../../ports/mesh/liveness-messages.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import type { NodeInfo } from '../../ports/node/node-info.js'
import type { PeerRepository } from '../../ports/store/peer-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Budgets } from '../budgets/budgets.js'
import { AddressBook, type AddressSource } from './address-book.js'
import type { NodeIdentity } from './node-identity.js'
import type { PeerTable } from './peer-table.js'

export interface PeerDialerDeps {
  readonly budgets: Budgets
  readonly clock: Clock
  readonly logger: Logger
  readonly discovery: Pick<Discovery, 'introduce'>
  readonly identity: NodeIdentity
  readonly peerClient: Pick<PeerClient, 'hello'>
  readonly peerRepository: Pick<PeerRepository, 'save'>
  readonly peerTable: PeerTable
}

export interface PeerDialerOptions {
  readonly dialTimeoutMs: number
  /** How long an address that did not answer is first left alone. */
  readonly redialMs: number
  /** Another node proves itself with this node's key. */
  readonly onTwin: (twin: NodeInfo) => void
}

/** Finds out who is behind an address, by a handshake that both sides have to pass; lets in who proves it. */
export class PeerDialer {
  readonly #deps: PeerDialerDeps
  readonly #options: PeerDialerOptions
  readonly #book: AddressBook
  #running = false

  constructor(deps: PeerDialerDeps, options: PeerDialerOptions) {
    this.#deps = deps
    this.#options = options
    this.#book = new AddressBook(options)
  }

  start(): void {
    this.#running = true
  }

  stop(): void {
    this.#running = false
  }

  /**
   * Adds addresses ("host:port") that may lead to peers. `from`: the member that named them, which can make this node
   * dial no more new ones than its budget allows; null if no member did.
   */
  consider(addresses: readonly string[], source: AddressSource, from: string | null = null): void {
    for (const address of addresses) this.#add(address, source, from)
    this.dialDue()
  }

  /** Somebody may just have come up there. */
  soon(address: string, source: AddressSource, from: string | null): void {
    if (!this.#add(address, source, from)) return
    this.#book.soon(address)
    this.dialDue()
  }

  #add(address: string, source: AddressSource, from: string | null): boolean {
    if (address === this.#deps.identity.info.address) return false
    const isNew = from !== null && !this.#book.knows(address)
    if (isNew && !this.#deps.budgets.of('addresses').take(from)) return false
    this.#book.add(address, source)
    return true
  }

  /** Dials what is due. To be called regularly. */
  dialDue(): void {
    if (!this.#running) return
    const { clock, peerTable } = this.#deps
    const inUse = new Set(peerTable.reachable().map(({ info }) => info.address))
    for (;;) {
      const address = this.#book.next(clock.monotonicMs(), inUse)
      if (address === null) return
      void this.#dial(address).finally(() => this.dialDue())
    }
  }

  /** Shakes hands again with a peer in use whose life has changed. */
  again(address: string): void {
    if (this.#running) void this.#dial(address)
  }

  async #dial(address: string): Promise<void> {
    const { clock, identity, logger, peerClient } = this.#deps
    const startedAt = clock.monotonicMs()
    const challenge = identity.challenge(address)
    try {
      const answer = await peerClient.hello(address, challenge, { timeoutMs: this.#options.dialTimeoutMs })
      if (!this.#running) return
      if (!this.#isProven(address, challenge, answer)) this.#book.failed(address, clock.monotonicMs())
      else await this.#met(address, challenge, answer, clock.monotonicMs() - startedAt)
    } catch (error) {
      logger.debug({ address, err: error }, 'nobody of this mesh answered there')
      this.#book.failed(address, clock.monotonicMs())
    }
  }

  #isProven(address: string, challenge: Challenge, { node, proof }: HelloAnswer): boolean {
    const isOne = node.nodeId === proof.nodeId && node.incarnation === proof.incarnation
    if (isOne && this.#deps.identity.proves(challenge, proof, node.publicKey)) return true
    const { nodeId } = node
    this.#deps.logger.warn({ address, nodeId }, 'a node that cannot prove its id is not let in')
    return false
  }

  async #met(address: string, challenge: Challenge, answer: HelloAnswer, tookMs: number): Promise<void> {
    const { clock, discovery, identity, logger, peerRepository, peerTable } = this.#deps
    const { node, proof, peers } = answer
    if (node.nodeId === identity.info.nodeId) {
      if (identity.isOwnAnswer(challenge)) this.#book.never(address)
      else {
        this.#book.failed(address, clock.monotonicMs())
        this.#options.onTwin({ ...node, address: proof.address })
      }
      return
    }
    if (proof.address !== address) {
      // Somebody may stand in between and pass on what we say: the node counts where it says it is, nowhere else.
      logger.debug({ address, says: proof.address, peer: node.name }, 'a node that says it is elsewhere')
      this.#book.failed(address, clock.monotonicMs())
      this.consider([proof.address], 'found', node.nodeId)
      return
    }
    const info: NodeInfo = { ...node, address }
    if (!peerTable.admit(info, tookMs)) {
      this.#book.failed(address, clock.monotonicMs())
      return
    }
    this.#book.proven(address)
    logger.debug({ address, peer: info.name, nodeId: info.nodeId }, 'a peer proved itself')
    if (info.dhtAddress) discovery.introduce(info.dhtAddress)
    this.consider(
      peers.map((peer) => peer.address),
      'named',
      info.nodeId,
    )
    const { nodeId, name, publicKey, dhtAddress } = info
    const peer = { nodeId, name, publicKey, address, dhtAddress, lastSeenAt: clock.now() }
    await peerRepository.save(peer).catch((error) => {
      logger.warn({ peer: name, err: error }, 'a peer could not be remembered')
    })
  }
}
