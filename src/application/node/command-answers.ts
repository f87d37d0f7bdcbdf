import type { Party } from '../../domain/party.js'
import type { RemoteCommand } from '../../domain/remote-command.js'
import type { SubmitResult } from '../../ports/mesh/home-messages.js'
import type { AuctionView, CommandResult } from '../../ports/node/node-answers.js'
import { NodeError, type NodeErrorCode } from '../../ports/node/node-error.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { ParticipationRepository } from '../../ports/store/participation-repository.js'
import type { Logger } from '../../ports/system/logger.js'
import type { HomeLog } from '../home/home-log.js'
import { timeText } from '../log/time-text.js'
import type { PeerTable } from '../mesh/peer-table.js'
import type { AuctionViews } from './auction-view.js'

export interface CommandAnswersDeps {
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly auctionViews: Pick<AuctionViews, 'resolve' | 'view'>
  readonly homeLog: Pick<HomeLog, 'settled'>
  readonly logger: Logger
  readonly participations: ParticipationRepository
  readonly peerTable: PeerTable
}

/** Whom a command's answer is for, and how much it has to say. */
export interface Answer {
  readonly as?: Party | undefined
  readonly brief?: boolean | undefined
}

/** What the node's user hears of a command: what a home has answered, and the auction as it stands after it. */
export class CommandAnswers {
  readonly #deps: CommandAnswersDeps

  constructor(deps: CommandAnswersDeps) {
    this.#deps = deps
  }

  async toBidder(command: RemoteCommand, result: SubmitResult, answer: Answer): Promise<CommandResult> {
    const answered = await this.to(command, result, answer)
    // Bids of others are found by their bidder; only this node's user needs a note of its own.
    if (!answer.as && answered.outcome.status === 'accepted') await this.#noteParticipation(command.auctionId)
    return answered
  }

  async to(command: RemoteCommand, result: SubmitResult, answer: Answer): Promise<CommandResult> {
    if (!result.ok && result.code === 'HOME_UNREACHABLE')
      throw await this.#homeUnreachable(command.auctionId, result.message)
    return this.toOpener(result, answer)
  }

  async toOpener(result: SubmitResult, { as, brief }: Answer): Promise<CommandResult> {
    if (!result.ok) throw nodeError(result)
    const { outcome } = result
    const { auctionId } = outcome
    return { outcome, auction: auctionId && !brief ? await this.#seenAfter(auctionId, as) : null }
  }

  /** The bid stands: that this node's own disk is full must not be the answer to it. */
  async #noteParticipation(auctionId: string): Promise<void> {
    await this.#deps.participations.add(auctionId).catch((error: unknown) => {
      this.#deps.logger.warn({ auctionId, err: error }, 'that this node takes part could not be noted')
    })
  }

  /** The command has its outcome: that the auction cannot be read here must not be the answer to it. */
  async #seenAfter(auctionId: string, as: Party | undefined): Promise<AuctionView | null> {
    try {
      await this.#deps.homeLog.settled(auctionId)
      const record = await this.#deps.auctions.find(auctionId)
      return record && (await this.#deps.auctionViews.view(record, as))
    } catch (error) {
      this.#deps.logger.warn({ auctionId, err: error }, 'the auction could not be read after a command')
      return null
    }
  }

  async #homeUnreachable(auctionId: string, message: string): Promise<NodeError> {
    const { auctionViews, peerTable } = this.#deps
    const { homeName, state } = await auctionViews.view(await auctionViews.resolve(auctionId))
    const peer = peerTable.get(state.home.nodeId)
    const since = peer ? `, last seen ${timeText(peer.lastSeenAt)}` : ''
    const who = ` (${homeName ?? state.home.nodeId}${since})`
    return new NodeError('HOME_UNREACHABLE', `${message}${who}`, {
      next: 'try again when it is back: the auction waits for it with nothing lost; reading goes on meanwhile',
    })
  }
}

export function nodeError({ code, message }: Extract<SubmitResult, { ok: false }>): NodeError {
  const next = NEXT[code]
  return new NodeError(code, message, next === undefined ? {} : { next })
}

const NEXT: Partial<Record<NodeErrorCode, string>> = {
  TOO_FEW_REPLICAS: 'ask for fewer, or see `vendue peers` for who is away',
  MANDATE_OUT_OF_TIME: 'set the clock of this machine; if it is right, the home has to set its own',
}
