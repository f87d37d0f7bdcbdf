import { generateKeyPairSync } from 'node:crypto'
import { signerOf } from '../../src/adapters/system/node-key.js'
import { rotationText } from '../../src/application/log/cluster-keys.js'
import { takeOver } from '../../src/application/log/cluster-takeover.js'
import { sealCommit } from '../../src/application/log/commit.js'
import { commitmentOf } from '../../src/application/log/commitment.js'
import { signConsent } from '../../src/application/log/handover-consent.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { type OpenedAuction, UNOPENED } from '../../src/domain/auction.js'
import type { ClusterKeyRotation } from '../../src/domain/cluster-key.js'
import type { Command, SealedMaximum } from '../../src/domain/commands.js'
import type { Commit } from '../../src/domain/commit.js'
import { type Decision, decide, type HomeState } from '../../src/domain/decide.js'
import type { AuctionEvent, AuctionTakenOver } from '../../src/domain/events.js'
import type { Home, Party } from '../../src/domain/party.js'
import { NO_SECRETS, type Secrets } from '../../src/domain/pricing.js'
import type { ClusterSigner } from '../../src/ports/system/cluster-signer.js'
import type { Signer } from '../../src/ports/system/signer.js'
import { openCommand, type Setup, saltOf, T0 } from './auction-scenario.js'

/** Accounts, for whom any home may speak. */
export const ADA: Party = { id: 'usr_ada000001', name: 'Ada' }
export const BEN: Party = { id: 'usr_ben000001', name: 'Ben' }

export function newSigner(): Signer {
  return signerOf(generateKeyPairSync('ed25519').privateKey)
}

export function homeOf({ publicKey }: Signer): Home {
  return { nodeId: nodeIdOf(publicKey), publicKey }
}

/** A cluster's key that lies nowhere. */
export class MemoryClusterSigner implements ClusterSigner {
  readonly #makeKey: () => Signer
  #signer: Signer
  readonly firstKey: string
  readonly #rotations: ClusterKeyRotation[] = []

  constructor(makeKey = newSigner) {
    this.#makeKey = makeKey
    this.#signer = makeKey()
    this.firstKey = this.#signer.publicKey
  }

  get publicKey(): string {
    return this.#signer.publicKey
  }

  sign(text: string): string {
    return this.#signer.sign(text)
  }

  /** Returns the key of before: who has kept it. */
  rotate(): Signer {
    const before = this.#signer
    this.#signer = this.#makeKey()
    const { publicKey } = this.#signer
    this.#rotations.push({ publicKey, signature: before.sign(rotationText(before.publicKey, publicKey)) })
    return before
  }

  rotationsSince(publicKey: string): readonly ClusterKeyRotation[] | null {
    const place = [this.firstKey, ...this.#rotations.map((rotation) => rotation.publicKey)].indexOf(publicKey)
    return place < 0 ? null : this.#rotations.slice(place)
  }
}

/** The log of an auction of a cluster, signed by its homes one after the other. */
export class ClusterAuction {
  readonly cluster: MemoryClusterSigner
  readonly commits: Commit[] = []
  readonly sealed: SealedMaximum[] = []
  home: Signer
  /** Milliseconds since the opening. */
  ms = 0
  #state: HomeState = { auction: UNOPENED, secrets: NO_SECRETS }
  #ids = 0

  constructor(
    setup: Setup = {},
    { cluster = new MemoryClusterSigner(), home = newSigner(), isOf = true as boolean } = {},
  ) {
    this.cluster = cluster
    this.home = home
    this.commit({
      ...openCommand(setup),
      seller: { id: 'usr_seller001', name: 'Seller' },
      home: homeOf(home),
      cluster: isOf ? cluster.publicKey : null,
    })
  }

  get auctionId(): string {
    return (this.commits[0] as Commit).auctionId
  }

  get state(): OpenedAuction {
    return this.#state.auction as OpenedAuction
  }

  get secrets(): Secrets {
    return this.#state.secrets
  }

  get now(): number {
    return T0 + this.ms
  }

  get #head() {
    const { lastSeq: seq, hash } = this.commits.at(-1) as Commit
    return { seq, hash }
  }

  /** Another writer who knows what this one knows now. */
  fork(): ClusterAuction {
    const { cluster, home } = this
    const fork = new ClusterAuction({}, { cluster, home })
    fork.commits.splice(0, 1, ...this.commits)
    fork.sealed.push(...this.sealed)
    fork.ms = this.ms
    fork.#state = this.#state
    fork.#ids = this.#ids + 1_000
    return fork
  }

  at(ms: number): this {
    this.ms = ms
    return this
  }

  bid(bidder: Party, amount: number): Commit {
    return this.commit({
      type: 'PlaceBid',
      bidId: this.#newId('bid'),
      now: this.now,
      bidder,
      offer: { kind: 'plain', amount },
    })
  }

  max(bidder: Party, amount: number): Commit {
    const bidId = this.#newId('bid')
    const salt = saltOf(bidId)
    const commitment = commitmentOf({ scope: this.auctionId, id: bidId, amount, salt })
    const offer = { kind: 'max', amount, salt, commitment } as const
    return this.commit({ type: 'PlaceBid', bidId, now: this.now, bidder, offer })
  }

  end(): Commit {
    return this.commit({ type: 'EndAuction', now: this.now })
  }

  reveal(): Commit {
    return this.commit({ type: 'RevealMaxima', now: this.now, sealed: this.sealed })
  }

  handOver(to: Signer, cluster: string | null): Commit {
    const { seq, hash } = this.#head
    const move = { auctionId: this.auctionId, seq: seq + 1, prevHash: hash, from: homeOf(this.home).nodeId }
    const { signature: consent } = signConsent({ ...move, to: homeOf(to).nodeId }, cluster, to)
    const commit = this.commit({ type: 'HandOver', now: this.now, to: homeOf(to), cluster, consent })
    this.home = to
    return commit
  }

  /** `since`: milliseconds since the opening. */
  takeOver(to: Signer, { why = 'home-dead' as AuctionTakenOver['why'], since = this.ms, cluster = this.cluster } = {}) {
    const decision = this.decideTakeOver(to, { why, since, cluster })
    this.home = to
    return this.#seal(decision)
  }

  /** As above, with nothing written. */
  decideTakeOver(
    to: Signer,
    { why = 'home-dead' as AuctionTakenOver['why'], since = this.ms, cluster = this.cluster as ClusterSigner } = {},
  ): Decision {
    const { auctionId, state } = this
    return takeOver(
      { auctionId, head: this.#head, state, secrets: this.#state.secrets },
      { to: homeOf(to), now: this.now, since: T0 + since, why },
      cluster,
    )
  }

  commit(...commands: Command[]): Commit {
    const before = this.#state
    const events: AuctionEvent[] = []
    let last: Decision | null = null
    for (const command of commands) {
      last = decide(last?.accepted ? last.next : before, command)
      if (!last.accepted) throw new Error(`${command.type}: ${JSON.stringify(last.rejection)}`)
      events.push(...last.events)
      if (last.sealed !== null) this.sealed.push(last.sealed)
    }
    return this.#seal({ ...(last as Extract<Decision, { accepted: true }>), events })
  }

  /** These events in one commit, whatever the rules say to them; nothing is kept. */
  unkept(events: readonly AuctionEvent[], signer = this.home): Commit {
    const { seq, hash: prevHash } = this.#head
    return sealCommit({ auctionId: this.auctionId, firstSeq: seq + 1, prevHash, events }, signer)
  }

  #seal(decision: Decision): Commit {
    if (!decision.accepted) throw new Error(JSON.stringify(decision.rejection))
    const last = this.commits.at(-1)
    const parts = {
      auctionId: last?.auctionId ?? null,
      firstSeq: (last?.lastSeq ?? 0) + 1,
      prevHash: last?.hash ?? null,
      events: decision.events,
    }
    const commit = sealCommit(parts, this.home)
    this.#state = decision.next
    this.commits.push(commit)
    return commit
  }

  #newId(kind: 'bid' | 'cmd'): string {
    return `${kind}_${String(++this.#ids).padStart(8, '0')}`
  }
}
