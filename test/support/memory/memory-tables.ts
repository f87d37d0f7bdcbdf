import { bidOf } from '../../../src/application/log/read-model.js'
import type { OpenedAuction } from '../../../src/domain/auction.js'
import type { SealedMaximum } from '../../../src/domain/commands.js'
import type { Commit, Head } from '../../../src/domain/commit.js'
import type { RevealedMaximum } from '../../../src/domain/events.js'
import type { Secrets } from '../../../src/domain/pricing.js'
import type { BidRecord } from '../../../src/ports/store/auction-repository.js'
import {
  type Append,
  DuplicateCommandError,
  SeqConflictError,
  type StoredCommit,
} from '../../../src/ports/store/event-log.js'
import type { RecordedOutcome } from '../../../src/ports/store/outcome-repository.js'

export interface MemoryAuction {
  readonly auctionId: string
  head: Head
  state: OpenedAuction
  secrets: Secrets | null
  readonly commits: StoredCommit[]
  readonly bids: BidRecord[]
  /** By bid id. */
  readonly sealed: Map<string, SealedMaximum>
}

/** What the memory repositories share; `apply` is its transaction: it checks everything before it changes anything. */
export class MemoryTables {
  readonly commits: StoredCommit[] = []
  readonly auctions = new Map<string, MemoryAuction>()
  readonly outcomes = new Map<string, RecordedOutcome>()

  apply(entry: Append): number {
    const { commit, events, state, secret, outcomes = [] } = entry
    this.#check(entry)
    const stored = { ...commit, position: this.commits.length + 1 }
    const auction = this.auctions.get(commit.auctionId) ?? newAuction(entry)
    auction.head = { seq: commit.lastSeq, hash: commit.hash }
    auction.state = state
    auction.commits.push(stored)
    if (secret !== undefined) auction.secrets = secret.secrets
    for (const maximum of secret?.sealed ?? []) auction.sealed.set(maximum.bidId, maximum)
    events.forEach((event, i) => {
      const facts = bidOf(event)
      if (facts !== null) {
        const { reserveMet: _, ...bid } = facts
        auction.bids.push({ ...bid, auctionId: commit.auctionId, seq: commit.firstSeq + i })
      }
      if (event.type === 'MaximaRevealed') reveal(auction, event.maxima)
    })
    for (const recorded of outcomes) this.outcomes.set(recorded.outcome.commandId, recorded)
    this.auctions.set(commit.auctionId, auction)
    this.commits.push(stored)
    return stored.position
  }

  replaceSignature({ auctionId, firstSeq, hash, signature }: Commit): boolean {
    const lists = [this.commits, this.auctions.get(auctionId)?.commits ?? []]
    const found = lists.map((list) => {
      const at = list.findIndex((one) => one.auctionId === auctionId && one.firstSeq === firstSeq && one.hash === hash)
      if (at !== -1) list[at] = { ...(list[at] as StoredCommit), signature }
      return at !== -1
    })
    return found.every(Boolean)
  }

  #check({ commit, prevHash, outcomes = [] }: Append): void {
    const { auctionId, firstSeq } = commit
    const head = this.auctions.get(auctionId)?.head ?? null
    if ((head?.seq ?? 0) !== firstSeq - 1 || (head?.hash ?? null) !== prevHash) {
      throw new SeqConflictError(auctionId, firstSeq - 1, head)
    }
    const seen = new Set<string>()
    for (const { outcome } of outcomes) {
      const { commandId } = outcome
      if (seen.has(commandId) || this.outcomes.has(commandId)) throw new DuplicateCommandError(auctionId, commandId)
      seen.add(commandId)
    }
  }
}

function newAuction({ commit, state }: Append): MemoryAuction {
  const { auctionId, lastSeq: seq, hash } = commit
  return {
    auctionId,
    head: { seq, hash },
    state,
    secrets: null,
    commits: [],
    bids: [],
    sealed: new Map(),
  }
}

function reveal({ bids, sealed }: MemoryAuction, maxima: readonly RevealedMaximum[]): void {
  const amounts = new Map(maxima.map(({ bidId, amount }) => [bidId, amount]))
  bids.forEach((bid, i) => {
    const amount = bid.amount ?? amounts.get(bid.bidId)
    if (amount !== undefined) bids[i] = { ...bid, amount }
  })
  for (const { bidId } of maxima) sealed.delete(bidId)
}
