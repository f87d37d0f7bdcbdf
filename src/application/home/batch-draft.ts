import type { OpenedAuction } from '../../domain/auction.js'
import type { Command, SealedMaximum } from '../../domain/commands.js'
import { type Decision, decide } from '../../domain/decide.js'
import { type AuctionEvent, commandIdOf } from '../../domain/events.js'
import type { Secrets } from '../../domain/pricing.js'
import type { RemoteCommand } from '../../ports/mesh/peer-client.js'
import type { Outcome, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Signer } from '../../ports/system/signer.js'
import type { CommittedOrder } from '../log/commit-body.js'
import {
  auctionNow,
  domainCommand,
  fingerprintOf,
  type HomeTask,
  isClientCommand,
} from '../orders/home-command.js'
import { type OrderedCommand, type SignedOrder, vouchesForSeller } from '../orders/order.js'
import { outcomeOf } from '../orders/outcome.js'

export interface BatchDraftDeps {
  readonly clock: Clock
  readonly signer: Pick<Signer, 'publicKey'>
}

/** What a batch of commands comes to, decided one after the other, before any of it is written. */
export class BatchDraft {
  readonly #deps: BatchDraftDeps
  /** Outcomes by command id: of earlier batches, and of this one as they come. */
  readonly #known: Map<string, RecordedOutcome>
  readonly events: AuctionEvent[] = []
  readonly sealed: SealedMaximum[] = []
  /** Those that accepted commands came with, and their commands as the commit shows them. */
  readonly #orders = new Map<SignedOrder, (number | string)[]>()
  /** Outcomes that this batch made. */
  readonly recorded: RecordedOutcome[] = []
  state: OpenedAuction
  secrets: Secrets

  constructor(
    deps: BatchDraftDeps,
    before: { readonly state: OpenedAuction; readonly secrets: Secrets },
    known: Map<string, RecordedOutcome>,
  ) {
    this.#deps = deps
    this.#known = known
    this.state = before.state
    this.secrets = before.secrets
  }

  get orders(): CommittedOrder[] {
    return [...this.#orders].map(([{ digests: _, ...order }, commands]) => ({ ...order, commands }))
  }

  /** A repeated command gets its first outcome; a timer that fires too early or twice changes nothing. */
  decide(task: HomeTask, ordered: OrderedCommand | null): Outcome {
    const now = auctionNow(this.#deps.clock, this.state.at)
    if (isClientCommand(task)) return this.#decideClient(task, ordered, now)
    if (task.type === 'due') {
      this.#apply({ type: this.state.status === 'scheduled' ? 'StartAuction' : 'EndAuction', now })
    }
    const { type: commandId, auctionId } = task
    return { status: 'accepted', commandId, auctionId, seq: this.state.seq, at: now }
  }

  /** Opens the commitments of these maxima, as far as the close calls for it. */
  reveal(sealed: readonly SealedMaximum[]): void {
    this.#apply({ type: 'RevealMaxima', now: auctionNow(this.#deps.clock, this.state.at), sealed })
  }

  #decideClient(task: RemoteCommand, ordered: OrderedCommand | null, now: number): Outcome {
    const { commandId, auctionId } = task
    const fingerprint = fingerprintOf(task)
    const earlier = this.#known.get(commandId)
    if (earlier !== undefined) {
      if (earlier.fingerprint === fingerprint) return earlier.outcome
      const rejection = { code: 'COMMAND_ID_REUSED' } as const
      return { status: 'rejected', commandId, auctionId, at: now, rejection }
    }
    const { seq } = this.state
    const firstIndex = this.events.length
    const orderedBy = ordered?.order.signer ?? this.#deps.signer.publicKey
    const decision = maySell(task, orderedBy, this.state)
      ? this.#apply(domainCommand(task, now))
      : ({ accepted: false, rejection: { code: 'NOT_SELLER', seller: this.state.seller.name } } as const)
    const outcome = outcomeOf(task, decision, seq, now)
    if (ordered !== null && outcome.status === 'accepted') this.#carriedOut(ordered, commandId, firstIndex)
    const record = { outcome, fingerprint }
    this.recorded.push(record)
    this.#known.set(commandId, record)
    return outcome
  }

  /** Among the events from `firstIndex` on. */
  #carriedOut({ order, place }: OrderedCommand, commandId: string, firstIndex: number): void {
    const index = this.events.slice(firstIndex).findIndex((event) => commandIdOf(event) === commandId)
    // An auction that is over ends by its end time, whoever closes it.
    if (index === -1) return
    const commands = this.#orders.get(order) ?? [...order.digests]
    commands[place] = firstIndex + index
    this.#orders.set(order, commands)
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

/** Bids are anybody's. */
function maySell(task: RemoteCommand, signer: string, { openedBy }: OpenedAuction): boolean {
  return !('by' in task) || vouchesForSeller(signer, task.by, openedBy)
}
