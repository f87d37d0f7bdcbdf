import type { OpenedAuction } from '../../domain/auction.js'
import type { Command, SealedMaximum } from '../../domain/commands.js'
import { type Decision, decide } from '../../domain/decide.js'
import { type AuctionEvent, commandIdOf } from '../../domain/events.js'
import type { Secrets } from '../../domain/pricing.js'
import type { RemoteCommand } from '../../domain/remote-command.js'
import type { SubmitResult } from '../../ports/mesh/home-messages.js'
import type { Outcome, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Signer } from '../../ports/system/signer.js'
import type { Budgets } from '../budgets/budgets.js'
import type { HeldAuctions } from '../log/held-auctions.js'
import { nodeIdOf } from '../log/ids.js'
import type { CommittedMandate } from '../log/written-body.js'
import { domainCommand, fingerprintOf, isClientCommand, repeats } from '../submissions/home-command.js'
import { type MandatedCommand, type SignedMandate, sellerFactsOf, vouchesForSeller } from '../submissions/mandate.js'
import { outcomeOf } from '../submissions/outcome.js'
import type { HomeSubmission } from '../submissions/submission.js'
import { submitFailure } from '../submissions/submit-failure.js'
import type { UnderWay } from './commands-under-way.js'
import type { Outages } from './outages.js'

export interface BatchDraftDeps {
  readonly budgets: Budgets
  readonly clock: Clock
  readonly signer: Pick<Signer, 'publicKey'>
  readonly outages: Pick<Outages, 'at'>
  readonly heldAuctions: Pick<HeldAuctions, 'outageAt'>
  /** The nodes of this node's cluster. */
  readonly clusterNodes: { has(nodeId: string): boolean }
}

/** About what the home and its replicas keep of a command, with its share of the log and the indexes. */
const COMMAND_BYTES = 300
/** What the home keeps of one that it refused. */
const REFUSAL_BYTES = 400

/** What a batch of commands comes to, decided one after the other, before any of it is written. */
export class BatchDraft {
  readonly #deps: BatchDraftDeps
  readonly #auctionId: string
  /** When all of it is decided: it stands in the log as one commit. */
  readonly #now: number
  /** Outcomes by command id. */
  readonly #stored: ReadonlyMap<string, RecordedOutcome>
  readonly events: AuctionEvent[] = []
  readonly sealed: SealedMaximum[] = []
  /** Those that accepted commands came with, and their commands as the commit shows them. */
  readonly #mandates = new Map<SignedMandate, (number | string)[]>()
  /** Node ids of those who gave the mandates. */
  readonly #senders = new Map<SignedMandate, string>()
  /** Outcomes that this batch made. */
  readonly recorded: RecordedOutcome[] = []
  state: OpenedAuction
  secrets: Secrets

  constructor(
    deps: BatchDraftDeps,
    before: { readonly auctionId: string; readonly state: OpenedAuction; readonly secrets: Secrets },
    stored: ReadonlyMap<string, RecordedOutcome>,
  ) {
    this.#deps = deps
    this.#now = deps.clock.now()
    this.#stored = stored
    this.#auctionId = before.auctionId
    this.state = before.state
    this.secrets = before.secrets
  }

  get mandates(): CommittedMandate[] {
    return [...this.#mandates].map(([{ digests: _, ...mandate }, commands]) => ({ ...mandate, commands }))
  }

  /**
   * A repeated command gets its first outcome; a timer that fires too early or twice changes nothing. No outcome:
   * whoever sent the command has used up what this home keeps for it.
   */
  decide({ command: task, mandated }: HomeSubmission, underWay: UnderWay | null): SubmitResult {
    const now = Math.max(this.#now, this.state.at)
    this.#giveTimeBack(now)
    if (isClientCommand(task)) return this.#decideClient(task, mandated, underWay, now)
    if (task.type === 'due') {
      this.#apply({ type: this.state.status === 'scheduled' ? 'StartAuction' : 'EndAuction', now })
    }
    const { type: commandId, auctionId } = task
    return done({ status: 'accepted', commandId, auctionId, seq: this.state.seq, at: now })
  }

  /** An end that fell within an outage is moved before anything is decided by it. */
  #giveTimeBack(now: number): void {
    const { state } = this
    if (state.status === 'closed' || state.status === 'cancelled') return
    if (state.closesAt === null || now < state.closesAt) return
    const { heldAuctions, outages } = this.#deps
    const since = outages.at(state.closesAt) ?? heldAuctions.outageAt(this.#auctionId, state.closesAt)
    if (since !== null) this.#apply({ type: 'GiveTimeBack', now, since: Math.max(since, state.at) })
  }

  /** Opens the commitments of these maxima, as far as the close calls for it. */
  reveal(sealed: readonly SealedMaximum[]): void {
    this.#apply({ type: 'RevealMaxima', now: Math.max(this.#now, this.state.at), sealed })
  }

  #decideClient(
    task: RemoteCommand,
    mandated: MandatedCommand | undefined,
    underWay: UnderWay | null,
    now: number,
  ): SubmitResult {
    const { commandId, auctionId } = task
    const fingerprint = fingerprintOf(task)
    const earlier = underWay?.record ?? this.#stored.get(commandId)
    if (earlier !== undefined) {
      if (repeats(fingerprint, earlier.fingerprint)) return done(earlier.outcome)
      const rejection = { code: 'COMMAND_ID_REUSED' } as const
      return done({ status: 'rejected', commandId, auctionId, at: now, rejection })
    }
    const commands = this.#deps.budgets.of('commands')
    const sender = this.#senderOf(task, mandated)
    if (mandated !== undefined && commands.isSpent(sender)) return refuse('commands')
    const { seq } = this.state
    const firstIndex = this.events.length
    const decision = this.#maySell(task, mandated)
      ? this.#apply(domainCommand(task, now))
      : ({ accepted: false, rejection: { code: 'NOT_SELLER', seller: this.state.seller.name } } as const)
    const outcome = outcomeOf(task, decision, seq, now)
    if (outcome.status === 'rejected') {
      // From its end on all is refused for ever, and in the same words: nothing need be kept for it.
      const overAt = endOf(this.state)
      if (overAt !== null) return done({ ...outcome, at: overAt })
      if (!this.#deps.budgets.of('refusals').take(sender, REFUSAL_BYTES)) return refuse('refused commands')
    } else if (mandated !== undefined) {
      commands.charge(sender, COMMAND_BYTES)
      this.#carriedOut(mandated, commandId, firstIndex)
    }
    const record = { outcome, fingerprint }
    this.recorded.push(record)
    if (underWay !== null) underWay.record = record
    return done(outcome)
  }

  /** Bids are anybody's. What a node of its cluster says for a seller's account, the home may vouch for itself. */
  #maySell(task: RemoteCommand, mandated: MandatedCommand | undefined): boolean {
    if (!('by' in task)) return true
    const { clusterNodes, signer } = this.#deps
    const home = signer.publicKey
    const facts = { ...sellerFactsOf(this.state), seller: task.by }
    const vouches = (key: string) => vouchesForSeller(key, home, facts)
    if (mandated === undefined) return vouches(home)
    return vouches(mandated.mandate.signer) || (clusterNodes.has(this.#senderOf(task, mandated)) && vouches(home))
  }

  /** The node that signed for the command; of this node's own commands, whoever they are made for. */
  #senderOf(task: RemoteCommand, mandated: MandatedCommand | undefined): string {
    if (mandated === undefined) return 'by' in task ? task.by.id : task.bidder.id
    const { mandate } = mandated
    let sender = this.#senders.get(mandate)
    if (sender === undefined) {
      sender = nodeIdOf(mandate.signer)
      this.#senders.set(mandate, sender)
    }
    return sender
  }

  /** Among the events from `firstIndex` on. */
  #carriedOut({ mandate, place }: MandatedCommand, commandId: string, firstIndex: number): void {
    for (let i = firstIndex; i < this.events.length; i++) {
      if (commandIdOf(this.events[i] as AuctionEvent) !== commandId) continue
      const commands = this.#mandates.get(mandate) ?? [...mandate.digests]
      commands[place] = i
      this.#mandates.set(mandate, commands)
      return
    }
    // An auction that is over ends by its end time, whoever closes it.
  }

  #apply(command: Command): Decision {
    const decision = decide({ auction: this.state, secrets: this.secrets }, command)
    if (!decision.accepted) return decision
    this.events.push(...decision.events)
    this.state = decision.next.auction
    this.secrets = decision.next.secrets
    if (decision.sealed !== null) this.sealed.push(decision.sealed)
    return decision
  }
}

/** Null while it goes on. */
function endOf(state: OpenedAuction): number | null {
  if (state.status === 'closed') return state.closedAt
  return state.status === 'cancelled' ? state.cancelledAt : null
}

function done(outcome: Outcome): SubmitResult {
  return { ok: true, outcome }
}

function refuse(what: string): SubmitResult {
  return submitFailure(
    'BUSY',
    `this home keeps too many ${what} of the same sender already; nothing was done, try again later`,
  )
}
