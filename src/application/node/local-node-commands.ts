/** Long because it has a method for each command. */

import { buyNowAvailable, minimumBid, type OpenedAuction } from '../../domain/auction.js'
import type { NewEnd, OpenAuction } from '../../domain/commands.js'
import type { Currency } from '../../domain/currency.js'
import { type AmountInput, formatMoney, type Minor } from '../../domain/money.js'
import { isNode, type Party } from '../../domain/party.js'
import type { Rejection } from '../../domain/rejection.js'
import type { RemoteCommand } from '../../domain/remote-command.js'
import type { MemberDirectory } from '../../ports/members/member-directory.js'
import type { SubmitResult } from '../../ports/mesh/home-messages.js'
import type { AuctionView, AutoBidView, CommandResult, TakenBack } from '../../ports/node/node-answers.js'
import type { NodeCommands } from '../../ports/node/node-api.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { NodeInfo } from '../../ports/node/node-info.js'
import type { PictureAdded, PictureUpload } from '../../ports/node/node-pictures.js'
import type { AuctionCommand, BidRequest, OpenRequest, RecoveryRequest } from '../../ports/node/node-requests.js'
import type { ClusterSigner } from '../../ports/system/cluster-signer.js'
import type { Random } from '../../ports/system/random.js'
import type { Signer } from '../../ports/system/signer.js'
import type { AutoBidder } from '../commands/auto-bidder.js'
import type { CommandRouter } from '../commands/command-router.js'
import { type HandoverGiver, mayMove } from '../handover/handover-giver.js'
import type { AuctionHouse } from '../home/auction-house.js'
import type { HomeClock } from '../home/home-clock.js'
import { amountOf, openTerms } from '../home/open-terms.js'
import { newSalt } from '../log/commitment.js'
import type { HeldAuctions } from '../log/held-auctions.js'
import { reachablePeer } from '../mesh/peer-by-name.js'
import type { PeerTable } from '../mesh/peer-table.js'
import type { Pictures } from '../pictures/pictures.js'
import type { Recovery } from '../recovery/recovery.js'
import { openingFingerprint } from '../submissions/home-command.js'
import { answerTo, type Submission } from '../submissions/submission.js'
import { Lookups } from '../turns/lookups.js'
import type { AuctionViews } from './auction-view.js'
import { CommandAnswers, type CommandAnswersDeps, nodeError } from './command-answers.js'
import { explainRejection } from './explain-rejection.js'

export interface LocalNodeCommandsDeps extends CommandAnswersDeps {
  readonly auctionHouse: Pick<AuctionHouse, 'open'>
  readonly auctionViews: AuctionViews
  readonly autoBidder: Pick<AutoBidder, 'set' | 'cancel'>
  /** Null if the node belongs to no cluster. */
  readonly clusterSigner: ClusterSigner | null
  readonly handoverGiver: Pick<HandoverGiver, 'handOver'>
  readonly heldAuctions: Pick<HeldAuctions, 'find'>
  readonly homeClock: HomeClock
  readonly members: MemberDirectory
  readonly peerTable: PeerTable
  readonly pictures: Pick<Pictures, 'add' | 'named'>
  readonly random: Random
  readonly recovery: Pick<Recovery, 'takeBack' | 'giveUp'>
  readonly router: Pick<CommandRouter, 'enqueue'>
  readonly signer: Signer
}

export interface LocalNodeCommandsOptions {
  readonly self: Party
  readonly info: () => NodeInfo
  readonly currencies: Readonly<Record<string, number>>
  readonly requestStop: () => void
}

interface Named {
  readonly auctionId: string
  readonly currency: Currency
}

type MakeCommand = (named: Named) => RemoteCommand

interface Submitted {
  readonly command: RemoteCommand
  readonly submitted: Promise<SubmitResult>
}

const MAX_CACHED_CURRENCIES = 10_000

/** What this node's user asks for: each command goes to its auction's home, which may be this node. */
export class LocalNodeCommands implements NodeCommands {
  readonly #deps: LocalNodeCommandsDeps
  readonly #options: LocalNodeCommandsOptions
  readonly #answers: CommandAnswers
  /** By the auction's whole id. */
  readonly #currencies = new Map<string, Currency>()
  /** By id, or the start of one. */
  readonly #lookups = new Lookups((auction) => this.#biddable(auction))

  constructor(deps: LocalNodeCommandsDeps, options: LocalNodeCommandsOptions) {
    this.#deps = deps
    this.#options = options
    this.#answers = new CommandAnswers(deps)
  }

  addPicture(request: PictureUpload): Promise<PictureAdded> {
    return this.#deps.pictures.add(request, this.#account(request.as))
  }

  async open(request: OpenRequest): Promise<CommandResult> {
    const { auctionHouse, clusterSigner, homeClock, members, random, signer } = this.#deps
    const { currencies } = this.#options
    const { commandId, as, replicas } = request
    const seller = this.#speaker(as)
    const fingerprint = openingFingerprint(request, seller.id)
    const pictures = await this.#deps.pictures.named(request.pictures ?? [], this.#account(as))
    const command = (): OpenAuction => {
      const now = homeClock.now()
      const { terms, reserve } = openTerms(request, { now, random, currencies, pictures })
      const home = { nodeId: this.#options.info().nodeId, publicKey: signer.publicKey }
      const place = { meshId: members.meshId, home, cluster: clusterSigner?.publicKey ?? null }
      return { type: 'OpenAuction', commandId, now, seller, ...place, terms, reserve }
    }
    return this.#answers.toOpener(await auctionHouse.open({ commandId, fingerprint, command }, replicas), {
      as,
    })
  }

  async bid(request: BidRequest): Promise<CommandResult> {
    const { commandId, kind, as, brief } = request
    const bidder = this.#speaker(as)
    const make = ({ auctionId, currency }: Named): RemoteCommand => {
      const amount = amountOf('amount', request.amount, currency)
      let command: RemoteCommand = { type: 'PlaceBid', auctionId, commandId, bidder, amount, kind: 'plain' }
      if (kind === 'max') command = { ...command, kind, salt: newSalt(this.#deps.random) }
      if (request.replicas !== undefined) command = { ...command, replicas: request.replicas }
      return command
    }
    const { command, submitted } = this.#submitNow(request, make) ?? (await this.#submit(request, make))
    const result = await submitted
    // A gateway's bid: nothing to look up for its answer.
    if (as && brief && result.ok) return { outcome: result.outcome, auction: null }
    return this.#answers.toBidder(command, result, { as, brief })
  }

  async buyNow(request: AuctionCommand): Promise<CommandResult> {
    const { commandId, as } = request
    const bidder = this.#speaker(as)
    const { command, submitted } = await this.#submit(request, ({ auctionId }) => {
      return { type: 'BuyNow', auctionId, commandId, bidder, ...ackOf(request) }
    })
    return this.#answers.toBidder(command, await submitted, { as })
  }

  async close(request: AuctionCommand): Promise<CommandResult> {
    return this.#selling(request, (named) => ({ type: 'CloseAuction', ...named }))
  }

  async cancel(request: AuctionCommand & { reason?: string }): Promise<CommandResult> {
    const { reason = '' } = request
    return this.#selling(request, (named) => ({ type: 'CancelAuction', ...named, reason }))
  }

  async extend(request: AuctionCommand & NewEnd): Promise<CommandResult> {
    const end = 'addedMs' in request ? { addedMs: request.addedMs } : { closesAt: request.closesAt }
    return this.#selling(request, (named) => ({ type: 'ExtendAuction', ...named, ...end }))
  }

  async #selling(
    request: AuctionCommand,
    make: (named: { auctionId: string; commandId: string; by: Party; replicas?: number }) => RemoteCommand,
  ): Promise<CommandResult> {
    const { commandId, as } = request
    const by = this.#speaker(as)
    const { command, submitted } = await this.#submit(request, ({ auctionId }) =>
      make({ auctionId, commandId, by, ...ackOf(request) }),
    )
    return this.#answers.to(command, await submitted, { as })
  }

  /** Null if the auction has to be looked up first, or one that came before is at it. */
  #submitNow({ auction, requestId, lane }: AuctionCommand, make: MakeCommand): Submitted | null {
    const currency = this.#currencies.get(auction)
    if (currency === undefined || !this.#lookups.idle(auction)) return null
    return this.#submitted({ command: make({ auctionId: auction, currency }), requestId, lane })
  }

  #submitted(submission: Omit<Submission, 'settle'>): Submitted {
    const submitted = answerTo(submission, (one) => this.#deps.router.enqueue(one))
    return { command: submission.command, submitted }
  }

  /** In the order of the calls for the auction. */
  async #submit(request: AuctionCommand, make: MakeCommand): Promise<Submitted> {
    const { auction, requestId, lane } = request
    return (
      this.#submitNow(request, make) ??
      this.#lookups.run(auction, (named) => this.#submitted({ command: make(named), requestId, lane }))
    )
  }

  async handover({ auction, peer }: { auction: string; peer: string }): Promise<AuctionView> {
    const view = await this.#view(auction)
    mayMove(view)
    const to = reachablePeer(this.#deps, peer, this.#options.info())
    const result = await this.#deps.handoverGiver.handOver(view.auctionId, to)
    if (!result.ok) throw nodeError(result)
    await this.#deps.homeLog.settled(view.auctionId)
    return this.#view(view.auctionId)
  }

  async takeBack(request: RecoveryRequest): Promise<TakenBack> {
    return this.#deps.recovery.takeBack(await this.#held(request))
  }

  async giveUp({ reason = '', ...request }: RecoveryRequest & { reason?: string }): Promise<AuctionView> {
    const held = await this.#held(request)
    await this.#deps.recovery.giveUp({ ...held, reason })
    await this.#deps.homeLog.settled(held.auctionId)
    return this.#deps.auctionViews.view(await this.#deps.auctionViews.resolve(request.auction))
  }

  /** Nothing need be left here of one that is held but its id. */
  async #held({ auction, withoutPeers }: RecoveryRequest) {
    const { heldAuctions, auctionViews } = this.#deps
    return {
      auctionId: (heldAuctions.find(auction) ?? (await auctionViews.resolve(auction))).auctionId,
      withoutPeers,
    }
  }

  async autoBid(request: { auction: string; limit: AmountInput }): Promise<AutoBidView> {
    const record = await this.#deps.auctionViews.resolve(request.auction)
    const { auctionId, state } = record
    const limit = amountOf('limit', request.limit, state.terms.currency)
    const refuse = (message: string, next: string) =>
      new NodeError('INVALID_INPUT', message, { field: 'auction', next })
    if (state.seller.id === this.#options.self.id) {
      throw refuse('sellers do not bid on their own auction', 'let others bid')
    }
    if (state.status === 'closed' || state.status === 'cancelled') {
      throw refuse(`the auction is ${state.status}`, 'see `vendue list` for auctions that are open')
    }
    if (state.leader?.id !== this.#options.self.id) checkLimit(state, limit)
    const autoBid = await this.#deps.autoBidder.set(auctionId, limit)
    return { autoBid, auction: await this.#deps.auctionViews.view(record) }
  }

  async stopAutoBid(request: { auction: string }): Promise<AutoBidView> {
    const record = await this.#deps.auctionViews.resolve(request.auction)
    const autoBid = await this.#deps.autoBidder.cancel(record.auctionId)
    if (!autoBid) {
      throw new NodeError('INVALID_INPUT', 'nothing bids for you on this auction', {
        field: 'auction',
        next: 'see `vendue autobids` for your auto-bids',
      })
    }
    return { autoBid, auction: await this.#deps.auctionViews.view(record) }
  }

  stop(): Promise<void> {
    this.#options.requestStop()
    return Promise.resolve()
  }

  async #view(auction: string): Promise<AuctionView> {
    return this.#deps.auctionViews.view(await this.#deps.auctionViews.resolve(auction))
  }

  /** Whom a command is for: this node's user, or an account that the caller speaks for; no other node's user. */
  #speaker(as: Party | undefined): Party {
    const { self } = this.#options
    if (as === undefined || !isNode(as) || as.id === self.id) return as ?? self
    throw new NodeError('FORBIDDEN', `${as.id} is another node, which speaks for its user itself`, {
      field: 'as',
      next: 'give the id of an account, or leave it out to act for this node',
    })
  }

  /** Null: the node's own user. */
  #account(as: Party | undefined): string | null {
    const { id } = this.#speaker(as)
    return id === this.#options.self.id ? null : id
  }

  /** What a bid needs to know of its auction never changes: most bids read nothing for it. */
  async #biddable(reference: string): Promise<Named> {
    const { auctionId, state } = await this.#deps.auctionViews.resolve(reference)
    const { currency } = state.terms
    if (this.#currencies.size >= MAX_CACHED_CURRENCIES) this.#currencies.clear()
    this.#currencies.set(auctionId, currency)
    return { auctionId, currency }
  }
}

/** An auto-bid that could never bid is refused; one that others have outbid already is not: it says so itself. */
function checkLimit(state: OpenedAuction, limit: Minor): void {
  const { terms, price } = state
  const money = (minor: Minor) => formatMoney(minor, terms.currency)
  const minimum = minimumBid(state)
  if (minimum === null) {
    const rejection: Rejection = buyNowAvailable(state)
      ? { code: 'BUY_NOW_AVAILABLE', buyNow: terms.buyNow ?? 0, minimum }
      : { code: 'BID_TOO_LOW', minimum, price }
    const { message, next } = explainRejection(rejection, terms)
    throw new NodeError('INVALID_INPUT', message, { field: 'auction', next })
  }
  if (price !== null || limit >= minimum) return
  throw new NodeError('INVALID_INPUT', `limit ${money(limit)} is below ${money(minimum)}, where bidding starts`, {
    field: 'limit',
    next: `give ${money(minimum)} or more`,
  })
}

function ackOf({ replicas }: { readonly replicas?: number }): { replicas?: number } {
  return replicas === undefined ? {} : { replicas }
}
