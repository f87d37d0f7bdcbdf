import type { OpenedAuction } from '../../domain/auction.js'
import type { Head } from '../../domain/commit.js'
import type { Consent, SignedParcel } from '../../ports/mesh/home-messages.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { AuctionRecord, AuctionRepository } from '../../ports/store/auction-repository.js'
import type { HandoverRepository } from '../../ports/store/handover-repository.js'
import type { ClusterSigner } from '../../ports/system/cluster-signer.js'
import type { Logger } from '../../ports/system/logger.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import type { Budgets } from '../budgets/budgets.js'
import type { AuctionHouse } from '../home/auction-house.js'
import { InexactJsonError, parseExactly } from '../log/exact-json.js'
import { signConsent } from '../log/handover-consent.js'
import type { Syncer } from '../replication/syncer.js'
import { type HandoverPart, handoverPartSchema, isParcelSigned } from './handover-parcel.js'
import { missingFromParcel, type ParcelCheckDeps } from './parcel-check.js'

export interface HandoverTakerDeps extends ParcelCheckDeps {
  readonly budgets: Budgets
  readonly auctionHouse: Pick<AuctionHouse, 'holdCommands'>
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly handovers: Pick<HandoverRepository, 'keep'>
  readonly syncer: Pick<Syncer, 'pull'>
  /** Null if the node belongs to no cluster. */
  readonly clusterSigner: ClusterSigner | null
  readonly signer: Signer
  readonly verifier: SignatureVerifier
  readonly logger: Logger
}

/** The first may join one that was under way, from a peer that has less. */
const MAX_PULLS = 2

/**
 * Keeps what an auction's home sends along before it makes this node the home. Nothing comes of it until the home's
 * signed event says so; a handover that was broken off leaves outcomes that are true anyway, and secrets that the next
 * one replaces.
 */
export class HandoverTaker {
  readonly #deps: HandoverTakerDeps
  readonly #nodeId: string
  readonly #isReader: boolean

  constructor(deps: HandoverTakerDeps, options: { nodeId: string; isReader: boolean }) {
    this.#deps = deps
    this.#nodeId = options.nodeId
    this.#isReader = options.isReader
  }

  /**
   * Resolves with this node's consent once it has the last part, and so all that it needs; with null before. Rejects
   * with `NodeError`: this node does not take the auction, or not yet.
   */
  async take(from: string, signed: SignedParcel): Promise<Consent | null> {
    if (this.#isReader) throw refuse('FORBIDDEN', 'by its role in the mesh this node reads only; it takes no auction')
    const { auctionId } = signed
    if (!this.#deps.budgets.of('parcels').take(from, Buffer.byteLength(signed.parcel)))
      throw refuse('BUSY', 'this member has sent too many parcels; try again later')
    // What the home has not signed is not read.
    this.#checkSigned((await this.#record(from, auctionId, null)).state, signed)
    const part = partOf(signed)
    const { state } = await this.#record(from, auctionId, part.head)
    this.#check(state, signed, part)
    const { outcomes, sealed, secrets } = part
    if (outcomes.some(({ outcome }) => outcome.auctionId !== auctionId))
      throw refuse('INVALID_INPUT', 'an outcome in the parcel is of another auction')
    const ids = outcomes.map(({ outcome }) => outcome.commandId)
    const release = this.#deps.auctionHouse.holdCommands(ids, auctionId)
    if (release === null) throw refuse('BUSY', 'an id of the parcel is being decided for another auction')
    await this.#deps.handovers.keep(auctionId, { outcomes, sealed, secrets }).finally(release)
    if (part.head === null) return null
    const missing = await missingFromParcel(this.#deps, auctionId, state)
    if (missing !== null) throw refuse('INVALID_INPUT', `the parcel lacks ${missing}`)
    const { seq, hash: prevHash } = part.head
    this.#deps.logger.info({ auctionId, from, seq }, 'ready to become the home of an auction')
    const move = { auctionId, seq: seq + 1, prevHash, from: state.home.nodeId, to: this.#nodeId }
    return signConsent(move, this.#deps.clusterSigner?.publicKey ?? null, this.#deps.signer)
  }

  /** The replica, as far as the home's own log where that matters. Who sends may have become the home a moment ago. */
  async #record(from: string, auctionId: string, head: Head | null): Promise<AuctionRecord> {
    const { auctions, syncer } = this.#deps
    const behind = (record: AuctionRecord | null) => (record?.head.seq ?? 0) < (head?.seq ?? 1)
    let record = await auctions.find(auctionId)
    for (let pull = 0; pull < MAX_PULLS; pull++) {
      if (!behind(record) && record?.state.home.nodeId === from) break
      const fromSeq = (record?.head.seq ?? 0) + 1
      await syncer.pull(from, { auctionId, fromSeq, untilSeq: Math.max(fromSeq, head?.seq ?? 1) })
      record = await auctions.find(auctionId)
    }
    if (record === null || behind(record) || (head !== null && record.head.hash !== head.hash))
      throw refuse('BUSY', 'this node does not hold the whole log of the auction yet')
    return record
  }

  #check(state: OpenedAuction, signed: SignedParcel, part: HandoverPart): void {
    if (part.to !== this.#nodeId) throw refuse('INVALID_INPUT', 'the parcel is for another node')
    if (state.status === 'closed' || state.status === 'cancelled')
      throw refuse('INVALID_INPUT', `the auction is ${state.status}`)
    if (state.home.nodeId === this.#nodeId) throw refuse('INVALID_INPUT', 'this node is the home already')
    this.#checkSigned(state, signed)
  }

  #checkSigned({ home }: OpenedAuction, signed: SignedParcel): void {
    if (!isParcelSigned(signed, this.#nodeId, home, this.#deps.verifier))
      throw refuse('FORBIDDEN', "the parcel is not signed by the auction's home for this node")
  }
}

function partOf({ parcel }: SignedParcel): HandoverPart {
  let json: unknown
  try {
    json = parseExactly(parcel)
  } catch (cause) {
    if (!(cause instanceof InexactJsonError)) throw cause
    throw new NodeError('INVALID_INPUT', `the parcel ${cause.rule}`, { field: 'parcel', cause })
  }
  const parsed = handoverPartSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw refuse('INVALID_INPUT', `the parcel's ${issue?.path.join('.') || 'shape'}: ${issue?.message}`)
}

function refuse(code: 'INVALID_INPUT' | 'FORBIDDEN' | 'BUSY', message: string): NodeError {
  return new NodeError(code, message, { field: 'parcel' })
}
