import type { Commit } from '../../domain/commit.js'
import type { RemoteCommand } from '../../domain/remote-command.js'
import type { Consent, Refusal, SignedParcel, SubmitAnswer, SubmittedMandate } from '../../ports/mesh/home-messages.js'
import type { Challenge, Goodbye, HelloAnswer, NodeProof, Ping, Pong } from '../../ports/mesh/liveness-messages.js'
import type { PeerService } from '../../ports/mesh/peer-service.js'
import type {
  DigestPart,
  HeadRange,
  PictureWant,
  PulledPage,
  PulledPicture,
  PullWant,
  StoredHead,
} from '../../ports/mesh/sync-messages.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { EquivocationProof } from '../../ports/store/equivocation-repository.js'
import type { AuctionHead, EventLog } from '../../ports/store/event-log.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import type { Budgets } from '../budgets/budgets.js'
import type { HandoverTaker } from '../handover/handover-taker.js'
import type { AuctionHouse } from '../home/auction-house.js'
import type { Membership } from '../mesh/membership.js'
import type { Pictures } from '../pictures/pictures.js'
import type { EquivocationWatch } from '../proof/equivocation-watch.js'
import type { HeadsDigest } from '../replication/heads-digest.js'
import type { PeerRefusals } from '../replication/peer-refusals.js'
import type { RefusedCommits } from '../replication/refused-commits.js'
import type { Replicator } from '../replication/replicator.js'
import type { Syncer } from '../replication/syncer.js'
import { checkMandates, mandatedCommands } from '../submissions/mandate.js'
import { receiptsOf, signReceipts } from '../submissions/receipt.js'
import { answersTo } from '../submissions/submission.js'
import { submitFailure } from '../submissions/submit-failure.js'

export interface LocalPeerServiceDeps {
  readonly auctionHouse: AuctionHouse
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly budgets: Pick<Budgets, 'of'>
  readonly clock: Clock
  readonly equivocationWatch: Pick<EquivocationWatch, 'checkReport'>
  readonly handoverTaker: HandoverTaker
  readonly eventLog: Pick<EventLog, 'read' | 'heads'>
  readonly headsDigest: Pick<HeadsDigest, 'parts'>
  readonly membership: Membership
  readonly pictures: Pick<Pictures, 'pieceHere'>
  readonly peerRefusals: Pick<PeerRefusals, 'heard'>
  readonly refusedCommits: Pick<RefusedCommits, 'note'>
  readonly replicator: Replicator
  readonly signer: Signer
  readonly verifier: SignatureVerifier
  readonly syncer: Syncer
  readonly logger: Logger
}

const HEADS_PAGE = 1_000
/** A page: large enough that a call costs little beside it, small enough that a few of them take little memory. */
const PULL_LIMIT = { commits: 1_024, bytes: 256 * 1024 }
/** Of a commit beside its body, on the wire. */
const COMMIT_OVERHEAD_BYTES = 400

const NOT_HERE = submitFailure('NOT_HOME', 'this node is not the home of that auction; nothing was done')

/** What this node does for its peers. */
export class LocalPeerService implements PeerService {
  readonly #deps: LocalPeerServiceDeps

  constructor(deps: LocalPeerServiceDeps) {
    this.#deps = deps
  }

  async hello(challenge: Challenge): Promise<HelloAnswer> {
    return this.#deps.membership.hello(challenge)
  }

  async ping(ping: Ping, from: string): Promise<Pong> {
    return this.#deps.membership.ping(ping, from)
  }

  pingVia(target: string, challenge: Challenge, from: string): Promise<NodeProof> {
    return this.#deps.membership.pingVia(target, challenge, from)
  }

  async goodbye(goodbye: Goodbye): Promise<void> {
    this.#deps.membership.goodbye(goodbye)
  }

  async submit(
    commands: readonly RemoteCommand[],
    submitted: readonly SubmittedMandate[],
    requestIds?: readonly (string | null)[] | undefined,
  ): Promise<SubmitAnswer> {
    const { auctionHouse, clock, signer, verifier } = this.#deps
    // Commands for auctions that are not here cost no check of a signature.
    const here = await auctionHouse.homesAmong(new Set(commands.map(({ auctionId }) => auctionId)))
    const own = commands.filter(({ auctionId }) => here.has(auctionId))
    const checked = checkMandates(own, submitted, verifier)
    if ('rule' in checked) throw new NodeError('FORBIDDEN', checked.rule)
    const mandated = mandatedCommands(own, checked.mandates)
    let next = 0
    const submissions = commands.map((command, i) => ({
      command,
      mandated: here.has(command.auctionId) ? mandated[next++] : undefined,
      requestId: requestIds?.[i] ?? undefined,
    }))
    const results = await answersTo(submissions, (submission) => {
      if (submission.mandated === undefined) submission.settle(NOT_HERE)
      else auctionHouse.enqueue(submission)
    })
    return { results, receipt: signReceipts(receiptsOf(commands, results), signer, clock.now()) }
  }

  async pushCommits(from: string, commits: readonly Commit[]): Promise<StoredHead[]> {
    const { gaps, heads, refused } = await this.#deps.replicator.ingest(commits, from)
    this.#deps.refusedCommits.note(from, refused)
    for (const gap of gaps) {
      this.#deps.logger.debug({ ...gap, from }, 'commits are missing before those pushed; pulling')
      void this.#deps.syncer.pull(from, gap)
    }
    return [...heads]
  }

  reportRefusal(refusal: Refusal): Promise<void> {
    return this.#deps.peerRefusals.heard(refusal)
  }

  passHandover(from: string, parcel: SignedParcel): Promise<Consent | null> {
    return this.#deps.handoverTaker.take(from, parcel)
  }

  async reportEquivocation(proof: EquivocationProof, from: string): Promise<void> {
    const rule = await this.#deps.equivocationWatch.checkReport(proof, from)
    if (rule !== null) throw new NodeError('INVALID_INPUT', `this is no proof: ${rule}`)
  }

  async pullCommits(wants: readonly PullWant[]): Promise<PulledPage[]> {
    const { auctions, eventLog } = this.#deps
    const pages: PulledPage[] = []
    let { commits, bytes } = PULL_LIMIT
    for (const { auctionId, fromSeq } of wants) {
      const stored = await eventLog.read(auctionId, fromSeq, { commits, bytes })
      const record = await auctions.find(auctionId)
      pages.push({
        auctionId,
        commits: stored.map(({ position: _, ...commit }) => commit),
        head: record?.head ?? null,
      })
      commits -= stored.length
      for (const { body } of stored) bytes -= COMMIT_OVERHEAD_BYTES + body.length
      if (commits <= 0 || bytes <= 0) break
    }
    return pages
  }

  async pullPicture({ hash, offset }: PictureWant, from: string): Promise<PulledPicture | null> {
    const reads = this.#deps.budgets.of('picture-reads')
    if (reads.isSpent(from))
      throw new NodeError('BUSY', `${reads.terms.limit} bytes of pictures an hour are sent to one peer`)
    const piece = await this.#deps.pictures.pieceHere(hash, offset)
    if (piece !== null) reads.charge(from, piece.piece.length)
    return piece
  }

  digest(): Promise<DigestPart[]> {
    return this.#deps.headsDigest.parts()
  }

  async heads({ prefix, afterId }: HeadRange): Promise<{ heads: AuctionHead[]; next: string | null }> {
    // A prefix comes before every id that begins with it.
    const page = await this.#deps.eventLog.heads(afterId ?? (prefix === '' ? null : prefix), HEADS_PAGE)
    const heads = page.filter(({ auctionId }) => auctionId.startsWith(prefix))
    return { heads, next: heads.length === HEADS_PAGE ? (heads.at(-1)?.auctionId ?? null) : null }
  }
}
