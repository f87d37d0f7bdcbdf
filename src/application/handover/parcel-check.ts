import type { OpenedAuction } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import { type AuctionEvent, commandIdOf } from '../../domain/events.js'
import type { SecretRepository } from '../../ports/store/auction-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { OutcomeRepository } from '../../ports/store/outcome-repository.js'
import { eventsOf } from '../log/commit-body.js'
import { commitmentOf, RESERVE_SCOPE } from '../log/commitment.js'

export interface ParcelCheckDeps {
  readonly eventLog: Pick<EventLog, 'read'>
  readonly outcomes: Pick<OutcomeRepository, 'find'>
  readonly secrets: SecretRepository
}

const PAGE = { commits: 256, bytes: 1024 * 1024 }

/**
 * Holds what came with an auction against its log: without the reserve and every maximum that the log commits to nobody can
 * close it as it was promised, and without the outcome of every bid in it one that is repeated would count twice. Gives what is
 * missing, or not as committed to; null where all is there.
 */
export async function missingFromParcel(
  { eventLog, outcomes, secrets }: ParcelCheckDeps,
  auctionId: string,
  state: OpenedAuction,
): Promise<string | null> {
  const kept = await secrets.secrets(auctionId)
  if (kept === null) return 'the secrets'
  const sealed = new Map<string, SealedMaximum>()
  for (const maximum of await secrets.sealed(auctionId, state.bidCount)) sealed.set(maximum.bidId, maximum)
  for (let seq = 1; seq <= state.seq; ) {
    const commits = await eventLog.read(auctionId, seq, PAGE)
    const last = commits.at(-1)
    if (last === undefined) return `the log from event ${seq} on`
    const events = commits.flatMap(({ body }) => eventsOf(body))
    const first = commits[0]?.firstSeq ?? seq
    const known = await outcomes.find(events.flatMap((event) => commandIdOf(event) ?? []))
    for (const [i, event] of events.entries()) {
      const id = commandIdOf(event)
      const outcome = id === null ? null : known.get(id)?.outcome
      if (outcome === undefined || (outcome !== null && !isOutcomeOf(outcome, auctionId, first + i)))
        return `the outcome of ${id}`
      const rule = secretRule(event, auctionId, kept.reserve, sealed)
      if (rule !== null) return rule
    }
    seq = last.lastSeq + 1
  }
  const { leadingBidId, price } = state
  const leaderMax = leadingBidId === null ? null : (sealed.get(leadingBidId)?.amount ?? price)
  return kept.leaderMax === leaderMax ? null : "the leader's maximum, as committed to"
}

function isOutcomeOf(
  outcome: { readonly status: string; readonly auctionId: string; readonly seq?: number },
  auctionId: string,
  seq: number,
): boolean {
  return outcome.status === 'accepted' && outcome.auctionId === auctionId && outcome.seq === seq
}

function secretRule(
  event: AuctionEvent,
  auctionId: string,
  reserve: { readonly amount: number; readonly salt: string } | null,
  sealed: ReadonlyMap<string, SealedMaximum>,
): string | null {
  if (event.type === 'AuctionOpened') {
    const { commandId, terms } = event
    const found = reserve && commitmentOf({ scope: RESERVE_SCOPE, id: commandId, ...reserve })
    return found === terms.reserveCommitment ? null : 'the reserve, as committed to'
  }
  const commitment = 'commitment' in event ? event.commitment : null
  if (commitment === null || !('bidId' in event)) return null
  const maximum = sealed.get(event.bidId)
  const { bidId, bidder } = event
  if (
    maximum?.bidderId === bidder.id &&
    commitmentOf({ scope: auctionId, id: bidId, amount: maximum.amount, salt: maximum.salt }) === commitment
  )
    return null
  return `the maximum of bid ${bidId}, as committed to`
}
