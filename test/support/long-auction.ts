import { createHash, generateKeyPairSync } from 'node:crypto'
import { signerOf } from '../../src/adapters/system/node-key.js'
import { sealCommit } from '../../src/application/log/commit.js'
import { commitmentOf, RESERVE_SCOPE } from '../../src/application/log/commitment.js'
import { signConsent } from '../../src/application/log/handover-consent.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { commitLine, headerLine, trailerLine } from '../../src/application/proof/export-format.js'
import { minimumBid, UNOPENED } from '../../src/domain/auction.js'
import type { Command, SealedMaximum } from '../../src/domain/commands.js'
import type { Commit } from '../../src/domain/commit.js'
import { decide, type HomeState, isRevealed } from '../../src/domain/decide.js'
import type { AuctionEvent } from '../../src/domain/events.js'
import { MAX_REVEALS_PER_EVENT } from '../../src/domain/evolve.js'
import { flatIncrement } from '../../src/domain/increments.js'
import type { Party } from '../../src/domain/party.js'
import { NO_SECRETS } from '../../src/domain/pricing.js'
import type { Signer } from '../../src/ports/system/signer.js'
import { T0, termsWith } from './auction-scenario.js'
import { BIDDERS, mandatesOf } from './bidding-nodes.js'
import { TEST_MESH } from './memory-members.js'

export interface LongAuctionOptions {
  readonly bids: number
  readonly bidsPerCommit: number
  /** Leave the auction open. */
  readonly open?: boolean
  /** Hand it over to a second home after so many bids. */
  readonly movesAfter?: number
}

const START = 100

/**
 * A whole auction as its home would have written it: true hashes, signatures and commitments, a reserve, every rule
 * of pricing now and then. The same options give the same bids; keys differ.
 */
export class LongAuction {
  readonly signer: Signer
  /** Of the home that it moves to. */
  readonly nextSigner: Signer
  readonly reserve = { amount: START + 20, salt: saltOf('reserve') }
  readonly #options: LongAuctionOptions
  #state: HomeState = { auction: UNOPENED, secrets: NO_SECRETS }
  auctionId = ''
  #last: Commit | null = null
  #author: Signer
  /** Every maximum that was bid, revealed or not. */
  readonly sealed: SealedMaximum[] = []

  constructor(options: LongAuctionOptions) {
    this.#options = options
    this.signer = signerOf(generateKeyPairSync('ed25519').privateKey)
    this.nextSigner = signerOf(generateKeyPairSync('ed25519').privateKey)
    this.#author = this.signer
  }

  /** Of the export. */
  *lines(): Generator<string, void, undefined> {
    let commits = 0
    let last: Commit | null = null
    for (const commit of this.commits()) {
      if (commits === 0) yield headerLine(commit.auctionId)
      commits += 1
      last = commit
      yield commitLine(commit)
    }
    if (last === null) throw new Error('an auction has commits')
    const head = { seq: last.lastSeq, hash: last.hash }
    yield trailerLine({ commits, events: last.lastSeq, head })
  }

  *commits(): Generator<Commit, void, undefined> {
    const { bids, bidsPerCommit, open = false, movesAfter = bids } = this.#options
    yield this.#commit(this.#decide(this.#opening()))
    for (let i = 0; i < bids; ) {
      const events: AuctionEvent[] = []
      const end = Math.min(bids, i + bidsPerCommit, i < movesAfter ? movesAfter : bids)
      for (; i < end; i++) events.push(...this.#decide(this.#bid(i)))
      yield this.#commit(events)
      if (i === movesAfter && i < bids) yield this.#move()
    }
    if (open) return
    const by = { id: homeOf(this.signer).nodeId, name: 'Seller' }
    yield this.#commit(this.#decide({ type: 'CloseAuction', commandId: 'cmd_close', now: this.#now, by }))
    const { auction } = this.#state
    if (auction.status !== 'closed') throw new Error('the auction has not closed')
    const { result } = auction
    const revealed = this.sealed.filter((maximum) => isRevealed(result, maximum))
    for (let i = 0; i < revealed.length; i += MAX_REVEALS_PER_EVENT) {
      const sealed = revealed.slice(i, i + MAX_REVEALS_PER_EVENT)
      yield this.#commit(this.#decide({ type: 'RevealMaxima', now: this.#now, sealed }))
    }
  }

  #move(): Commit {
    const to = homeOf(this.nextSigner)
    if (this.#last === null) throw new Error('the auction has not been opened')
    const { lastSeq, hash: prevHash } = this.#last
    const move = { auctionId: this.auctionId, seq: lastSeq + 1, prevHash }
    const between = { from: homeOf(this.signer).nodeId, to: to.nodeId }
    const { signature: consent } = signConsent({ ...move, ...between }, null, this.nextSigner)
    const commit = this.#commit(this.#decide({ type: 'HandOver', now: this.#now, to, cluster: null, consent }))
    this.#author = this.nextSigner
    return commit
  }

  get #now(): number {
    return this.#state.auction.status === 'unopened' ? T0 : this.#state.auction.at + 1
  }

  #opening(): Command {
    const { reserve } = this
    const commandId = 'cmd_open0001'
    const reserveCommitment = commitmentOf({ scope: RESERVE_SCOPE, id: commandId, ...reserve })
    const terms = termsWith({ startPrice: START, increments: flatIncrement(1), reserveCommitment })
    const home = homeOf(this.signer)
    const seller = { id: home.nodeId, name: 'Seller' }
    return { type: 'OpenAuction', commandId, now: T0, meshId: TEST_MESH, seller, home, cluster: null, terms, reserve }
  }

  /** Two in ten are maxima, some of which the leader's maximum answers, ties, or that change the own. */
  #bid(i: number): Command {
    const { auction } = this.#state
    if (auction.status === 'unopened') throw new Error('bids need an auction')
    const bidId = `bid_${String(i).padStart(26, '0')}`
    const minimum = minimumBid(auction) ?? 0
    const turn = BIDDERS[(i * 5) % BIDDERS.length] as Party
    const leads = auction.leader?.id === turn.id
    const other = leads ? (BIDDERS[(i * 5 + 1) % BIDDERS.length] as Party) : turn
    const kind = i % 10
    const base = { type: 'PlaceBid', bidId, now: this.#now } as const
    if (kind === 3 || kind === 7 || (leads && kind === 5)) {
      const bidder = kind === 5 ? turn : other
      const held = this.#state.secrets.leaderMax ?? minimum
      const amount = kind === 7 && held >= minimum ? held : minimum + (i % 13)
      const salt = saltOf(bidId)
      const commitment = commitmentOf({ scope: this.auctionId, id: bidId, amount, salt })
      return { ...base, bidder, offer: { kind: 'max', amount, salt, commitment } }
    }
    return { ...base, bidder: other, offer: { kind: 'plain', amount: minimum } }
  }

  #decide(command: Command): readonly AuctionEvent[] {
    const decision = decide(this.#state, command)
    if (!decision.accepted) throw new Error(`${command.type}: ${JSON.stringify(decision.rejection)}`)
    this.#state = decision.next
    if (decision.sealed !== null) this.sealed.push(decision.sealed)
    return decision.events
  }

  #commit(events: readonly AuctionEvent[]): Commit {
    const last = this.#last
    const parts = {
      auctionId: last?.auctionId ?? null,
      firstSeq: (last?.lastSeq ?? 0) + 1,
      prevHash: last?.hash ?? null,
      events,
      mandates: mandatesOf(this.auctionId, events, this.signer),
    }
    this.#last = sealCommit(parts, this.#author)
    this.auctionId = this.#last.auctionId
    return this.#last
  }
}

function homeOf({ publicKey }: Signer) {
  return { nodeId: nodeIdOf(publicKey), publicKey }
}

function saltOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32)
}
