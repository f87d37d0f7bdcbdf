import { sealCommit } from '../../src/application/log/commit.js'
import { outcomeOf } from '../../src/application/submissions/outcome.js'
import { minimumBid, type OpenedAuction, UNOPENED } from '../../src/domain/auction.js'
import type { Command, PlaceBid, SealedMaximum } from '../../src/domain/commands.js'
import type { Head } from '../../src/domain/commit.js'
import { decide, type HomeState } from '../../src/domain/decide.js'
import type { AuctionEvent } from '../../src/domain/events.js'
import type { Minor } from '../../src/domain/money.js'
import type { Party } from '../../src/domain/party.js'
import { NO_SECRETS } from '../../src/domain/pricing.js'
import type { Append } from '../../src/ports/store/event-log.js'
import type { RecordedOutcome } from '../../src/ports/store/outcome-repository.js'
import { A_KEY, ALICE, BOB, commitmentTo, openCommand, type Setup, saltOf, T0 } from './auction-scenario.js'

export interface BuilderSetup extends Setup {
  /** Makes ids: auctions with different tags are different. */
  readonly tag?: string
  readonly openedAt?: number
  readonly homeNodeId?: string
  readonly signerKey?: string
}

/** A command, or how to make it once the ones before it have been decided. */
type Step = Command | (() => Command)

let builders = 0

/** Makes an auction's commits as its home would: each call of `commit` decides commands and moves on. */
export class CommitBuilder {
  readonly #setup: BuilderSetup
  readonly tag: string
  #state: HomeState = { auction: UNOPENED, secrets: NO_SECRETS }
  #head: Head | null = null
  #auctionId: string | null = null
  #bids = 0
  #now: number

  constructor(setup: BuilderSetup = {}) {
    this.#setup = setup
    this.tag = setup.tag ?? String(++builders)
    this.#now = setup.openedAt ?? T0
  }

  get auctionId(): string {
    if (this.#auctionId === null) throw new Error('the auction has not been opened yet')
    return this.#auctionId
  }

  get state(): OpenedAuction {
    if (this.#state.auction.status === 'unopened') throw new Error('the auction has not been opened yet')
    return this.#state.auction
  }

  get head(): Head {
    if (this.#head === null) throw new Error('the auction has not been opened yet')
    return this.#head
  }

  /** Another writer who knows what this one knows now. */
  fork(tag: string): CommitBuilder {
    const fork = new CommitBuilder({ ...this.#setup, tag })
    fork.#state = this.#state
    fork.#head = this.#head
    fork.#auctionId = this.#auctionId
    fork.#now = this.#now
    return fork
  }

  open(): Append {
    const { tag: _, openedAt, homeNodeId, signerKey: __, ...setup } = this.#setup
    const command = openCommand(setup)
    return this.commit({
      ...command,
      commandId: `cmd_open_${this.tag}`,
      now: openedAt ?? command.now,
      seller: { ...command.seller, id: homeNodeId ?? command.seller.id },
      home: { nodeId: homeNodeId ?? command.home.nodeId, publicKey: this.#key },
    })
  }

  /** One commit with as many plain bids, each the least that leads. */
  bids(count: number): Append {
    return this.commit(...new Array<Step>(count).fill(() => this.#leastBid()))
  }

  bid(bidder: Party, amount: Minor, bidId = this.#nextBidId()): PlaceBid {
    return { type: 'PlaceBid', bidId, now: ++this.#now, bidder, offer: { kind: 'plain', amount } }
  }

  max(bidder: Party, amount: Minor, bidId = this.#nextBidId()): PlaceBid {
    const offer = {
      kind: 'max',
      amount,
      salt: saltOf(bidId),
      commitment: commitmentTo(bidId, amount),
    } as const
    return { type: 'PlaceBid', bidId, now: ++this.#now, bidder, offer }
  }

  close(): Command {
    const { seller } = this.state
    return { type: 'CloseAuction', commandId: `cmd_close_${this.tag}`, now: ++this.#now, by: seller }
  }

  extend(closesAt: number): Command {
    const { seller } = this.state
    return {
      type: 'ExtendAuction',
      commandId: `cmd_extend_${this.tag}`,
      now: ++this.#now,
      by: seller,
      closesAt,
    }
  }

  reveal(...sealed: SealedMaximum[]): Command {
    return { type: 'RevealMaxima', now: ++this.#now, sealed }
  }

  /** Decides the commands, each of which must be accepted, and seals their events. */
  commit(...steps: Step[]): Append {
    const firstSeq = this.#state.auction.seq + 1
    const prevHash = this.#head?.hash ?? null
    const events: AuctionEvent[] = []
    const sealed: SealedMaximum[] = []
    const decided: { id: string; at: number; decision: ReturnType<typeof decide>; seq: number }[] = []
    for (const step of steps) {
      const command = typeof step === 'function' ? step() : step
      const seq = this.#state.auction.seq
      const decision = decide(this.#state, command)
      if (!decision.accepted) throw new Error(`${command.type}: ${JSON.stringify(decision.rejection)}`)
      this.#state = decision.next
      events.push(...decision.events)
      if (decision.sealed !== null) sealed.push(decision.sealed)
      const id = 'bidId' in command ? command.bidId : 'commandId' in command ? command.commandId : null
      if (id !== null) decided.push({ id, at: command.now, decision, seq })
    }
    const signer = { publicKey: this.#key, sign: () => 'signature' }
    const commit = sealCommit({ auctionId: this.#auctionId, firstSeq, prevHash, events }, signer)
    this.#auctionId = commit.auctionId
    this.#head = { seq: commit.lastSeq, hash: commit.hash }
    const outcomes = decided.map(({ id, at, decision, seq }): RecordedOutcome => {
      const task = { type: 'BuyNow', auctionId: commit.auctionId, commandId: id, bidder: ALICE } as const
      return { outcome: outcomeOf(task, decision, seq, at), fingerprint: `${id} of ${commit.auctionId}` }
    })
    const secret = { secrets: this.#state.secrets, sealed }
    return { commit, prevHash, events, state: this.state, secret, outcomes }
  }

  #leastBid(): PlaceBid {
    return this.bid(this.state.leader?.id === ALICE.id ? BOB : ALICE, minimumBid(this.state) ?? 0)
  }

  #nextBidId(): string {
    return `bid_${this.tag}_${String(++this.#bids).padStart(8, '0')}`
  }

  get #key(): string {
    return this.#setup.signerKey ?? A_KEY
  }
}

/** The same commit as another node than its home stores it. */
export function asReplica({ secret: _, outcomes: __, ...rest }: Append): Append {
  return rest
}

/** What the log gives back for an append. */
export function storedCommit({ commit }: Append, position: number): Append['commit'] & { position: number } {
  return { ...commit, position }
}
