import type { OpenedAuction } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import { commandIdOf } from '../../domain/events.js'
import type { SecretRepository } from '../../ports/store/auction-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { OutcomeRepository } from '../../ports/store/outcome-repository.js'
import { KeptBeside } from '../log/kept-beside.js'
import { eventsOf } from '../log/written-body.js'

export interface ParcelCheckDeps {
  readonly eventLog: Pick<EventLog, 'read'>
  readonly outcomes: Pick<OutcomeRepository, 'find'>
  readonly secrets: SecretRepository
}

const PAGE = { commits: 256, bytes: 1024 * 1024 }

/**
 * Holds what came with an auction against its log: without the reserve and every maximum that the log commits to nobody
 * can close it as it was promised, and without the outcome of every bid in it one that is repeated would count twice.
 * Gives what is missing, or not as committed to; null where all is there.
 */
export async function missingFromParcel(
  { eventLog, outcomes, secrets }: ParcelCheckDeps,
  auctionId: string,
  state: OpenedAuction,
): Promise<string | null> {
  const kept = await secrets.secrets(auctionId)
  if (kept === null) return 'the secrets'
  const beside = new KeptBeside(auctionId)
  for (let seq = 1; seq <= state.seq; ) {
    const commits = await eventLog.read(auctionId, seq, PAGE)
    const last = commits.at(-1)
    if (last === undefined) return `the log from event ${seq} on`
    const events = commits.flatMap(({ body }) => eventsOf(body))
    const first = commits[0]?.firstSeq ?? seq
    const known = await outcomes.find(events.flatMap((event) => commandIdOf(event) ?? []))
    for (const [i, event] of events.entries()) {
      beside.take(event)
      const id = commandIdOf(event)
      const outcome = id === null ? null : known.get(id)?.outcome
      if (outcome === undefined || (outcome !== null && !isOutcomeOf(outcome, auctionId, first + i)))
        return `the outcome of ${id}`
    }
    seq = last.lastSeq + 1
  }
  if (!beside.isReserve(kept.reserve)) return 'the reserve, as committed to'
  const sealed = new Map<string, SealedMaximum>()
  for (const maximum of await secrets.sealed(auctionId, state.bidCount)) sealed.set(maximum.bidId, maximum)
  const [missing] = beside.missing(sealed)
  if (missing !== undefined) return `the maximum of bid ${missing.bidId}, as committed to`
  return kept.leaderMax === beside.leaderMax(sealed) ? null : "the leader's maximum, as committed to"
}

function isOutcomeOf(
  outcome: { readonly status: string; readonly auctionId: string; readonly seq?: number },
  auctionId: string,
  seq: number,
): boolean {
  return outcome.status === 'accepted' && outcome.auctionId === auctionId && outcome.seq === seq
}
