import { type Auction, type OpenedAuction, UNOPENED } from '../domain/auction.js'
import type { Commit, Head } from '../domain/commit.js'
import type { AuctionRepository } from '../ports/auction-repository.js'
import type { EventLog } from '../ports/event-log.js'
import type { Logger } from '../ports/logger.js'
import type { StoredHead } from '../ports/peer-client.js'
import type { SignatureVerifier } from '../ports/signer.js'
import { authorOf, stateAfter } from './check-commit.js'
import { BadCommitError, isSigned, readCommit } from './commit.js'
import type { EquivocationWatch } from './equivocation-watch.js'
import type { CommitBody } from './event-schema.js'

export interface ReplicatorDeps {
  readonly eventLog: Pick<EventLog, 'append'>
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly equivocationWatch: Pick<EquivocationWatch, 'offered'>
  readonly verifier: SignatureVerifier
  readonly logger: Logger
}

/** What became of commits that were taken in. */
export interface Intake {
  readonly stored: number
  /** How far each auction's copy goes now. */
  readonly heads: readonly StoredHead[]
  /** Auctions that lack commits before these: pull from `fromSeq` on. */
  readonly gaps: readonly { readonly auctionId: string; readonly fromSeq: number }[]
  /** What was refused, and why; nothing of an auction is stored past its first bad commit. */
  readonly refused: readonly BadCommitError[]
}

/** Replicas' newest states kept in memory. */
const MAX_CACHED_REPLICAS = 2_000

interface Replica {
  readonly head: Head | null
  readonly state: Auction
}

/**
 * Keeps replicas of auctions whose home is elsewhere. Nothing is believed because a peer says so: a commit is
 * stored only if its hash, its place in the chain, its author's signature and every event's legality hold.
 */
export class Replicator {
  readonly #deps: ReplicatorDeps
  readonly #nodeId: string
  readonly #replicas = new Map<string, Replica>()
  readonly #queues = new Map<string, Promise<unknown>>()
  #refusals = 0

  constructor(deps: ReplicatorDeps, options: { nodeId: string }) {
    this.#deps = deps
    this.#nodeId = options.nodeId
  }

  /** How many commits were refused since the start. */
  get refusals(): number {
    return this.#refusals
  }

  /** Takes in commits, of one auction in ascending order, of any number of auctions. Rejects if the log fails. */
  async ingest(commits: readonly Commit[]): Promise<Intake> {
    const byAuction = new Map<string, Commit[]>()
    for (const commit of commits) {
      const group = byAuction.get(commit.auctionId)
      if (group) group.push(commit)
      else byAuction.set(commit.auctionId, [commit])
    }
    const intakes = await Promise.all(
      [...byAuction].map(([auctionId, group]) => this.#enqueue(auctionId, group)),
    )
    return {
      stored: intakes.reduce((sum, { stored }) => sum + stored, 0),
      heads: intakes.flatMap(({ heads }) => heads),
      gaps: intakes.flatMap(({ gaps }) => gaps),
      refused: intakes.flatMap(({ refused }) => refused),
    }
  }

  /** One intake at a time for an auction. */
  async #enqueue(auctionId: string, commits: readonly Commit[]): Promise<Intake> {
    const before = this.#queues.get(auctionId) ?? Promise.resolve()
    const turn = before.then(
      () => this.#ingestAuction(auctionId, commits),
      () => this.#ingestAuction(auctionId, commits),
    )
    this.#queues.set(auctionId, turn)
    try {
      return await turn
    } finally {
      if (this.#queues.get(auctionId) === turn) this.#queues.delete(auctionId)
    }
  }

  async #ingestAuction(auctionId: string, commits: readonly Commit[]): Promise<Intake> {
    let { head, state } = await this.#replica(auctionId)
    const appends: Promise<number>[] = []
    const refused: BadCommitError[] = []
    const gaps: { auctionId: string; fromSeq: number }[] = []
    /** Not what is stored where they belong: the newest such commit speaks for those before it. */
    let doubtful: Commit | null = null
    for (const commit of commits) {
      const seq = head?.seq ?? 0
      if (commit.lastSeq <= seq) {
        if (commit.hash !== head?.hash) doubtful = commit
        continue
      }
      if (commit.firstSeq > seq + 1) {
        gaps.push({ auctionId, fromSeq: seq + 1 })
        break
      }
      try {
        const { body, next } = this.#check(commit, head, state)
        state = next
        head = { seq: commit.lastSeq, hash: commit.hash }
        const { prevHash, events } = body
        appends.push(this.#deps.eventLog.append({ commit, prevHash, events, state: next }))
      } catch (error) {
        if (!(error instanceof BadCommitError)) throw error
        this.#refusals += 1
        doubtful = commit
        refused.push(error)
        this.#deps.logger.warn(
          { auctionId, seq: commit.firstSeq, reason: error.reason },
          'a commit was refused',
        )
        break
      }
    }
    try {
      await Promise.all(appends)
      if (appends.length > 0) this.#remember(auctionId, { head, state })
    } catch (error) {
      // Some of them may have been stored: read the log again next time.
      await Promise.allSettled(appends)
      this.#replicas.delete(auctionId)
      throw error
    }
    if (doubtful !== null) await this.#deps.equivocationWatch.offered(doubtful)
    return { stored: appends.length, heads: [{ auctionId, seq: head?.seq ?? 0 }], gaps, refused }
  }

  /** Throws `BadCommitError` unless the commit is the rightful next one. */
  #check(commit: Commit, head: Head | null, state: Auction): { body: CommitBody; next: OpenedAuction } {
    const body = readCommit(commit)
    if (body.prevHash !== (head?.hash ?? null))
      throw new BadCommitError(commit, 'it does not follow our last commit')
    const next = stateAfter(commit, body, state)
    if (authorOf(body, state).nodeId === this.#nodeId)
      throw new BadCommitError(commit, 'this node is its home and did not write it')
    if (!isSigned(commit, this.#deps.verifier))
      throw new BadCommitError(commit, 'the signature is not its author’s')
    return { body, next }
  }

  async #replica(auctionId: string): Promise<Replica> {
    const cached = this.#replicas.get(auctionId)
    if (cached) return cached
    const record = await this.#deps.auctions.find(auctionId)
    return record ? { head: record.head, state: record.state } : { head: null, state: UNOPENED }
  }

  #remember(auctionId: string, replica: Replica): void {
    this.#replicas.delete(auctionId)
    // This node writes its log from here on, past what would be remembered.
    if (replica.state.status !== 'unopened' && replica.state.home.nodeId === this.#nodeId) return
    if (this.#replicas.size >= MAX_CACHED_REPLICAS) {
      const oldest = this.#replicas.keys().next()
      if (!oldest.done) this.#replicas.delete(oldest.value)
    }
    this.#replicas.set(auctionId, replica)
  }
}
