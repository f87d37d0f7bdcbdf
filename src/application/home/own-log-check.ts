import { isDeepStrictEqual } from 'node:util'
import { type Auction, UNOPENED } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import { type AuctionEvent, commandIdOf } from '../../domain/events.js'
import { evolve } from '../../domain/evolve.js'
import type { Party } from '../../domain/party.js'
import type { SecretRepository } from '../../ports/store/auction-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { OutcomeRepository, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import { hashOf } from '../log/commit.js'
import { KeptBeside } from '../log/kept-beside.js'
import { readBodyAgain } from '../log/written-body.js'
import { fingerprintOf, plainBidFingerprint } from '../submissions/home-command.js'
import { loggedOutcome } from '../submissions/logged-outcome.js'
import type { LoadedAuction } from './auction-actor.js'

export interface OwnLogCheckDeps {
  readonly eventLog: Pick<EventLog, 'read'>
  readonly outcomes: Pick<OutcomeRepository, 'find' | 'record'>
  readonly secrets: Pick<SecretRepository, 'sealed'>
}

/** Outcomes that are written at once. */
const MAX_RECORDED = 1_000
const PAGE = { commits: 256, bytes: 1024 * 1024 }

/** What the log says that the home keeps beside it. */
interface Replayed {
  state: Auction
  hash: string | null
  readonly kept: KeptBeside
  /** Commands of which nothing is kept, and which the log answers. */
  readonly unanswered: { readonly event: AuctionEvent; readonly seq: number }[]
  /** What the home compares a repeated bid with a maximum with. */
  readonly fingerprints: Map<string, { readonly fingerprint: string; readonly bidder: Party }>
}

/**
 * Holds what is stored of an auction of this home against its log, which its hashes protect: a bit that has flipped in
 * a row of state would be acted upon, and signed. Gives what is wrong; null: nothing.
 */
export async function faultOfOwnLog(deps: OwnLogCheckDeps, loaded: LoadedAuction): Promise<string | null> {
  try {
    const replayed = await replay(deps, loaded)
    if (typeof replayed === 'string') return replayed
    if (!isDeepStrictEqual(replayed.state, loaded.state)) return 'its state is not what its log says'
    const sealed = await sealedOf(deps, loaded, replayed)
    const fault = secretsFault(loaded, replayed, sealed)
    if (fault === null) await answer(deps, loaded, replayed, sealed)
    return fault
  } catch (error) {
    return `its log cannot be read (${(error as Error).message})`
  }
}

async function replay(deps: OwnLogCheckDeps, { auctionId, head, state }: LoadedAuction): Promise<Replayed | string> {
  const hasMoved = state.moves.length > 0
  const replayed: Replayed = {
    state: UNOPENED,
    hash: null,
    kept: new KeptBeside(auctionId),
    unanswered: [],
    fingerprints: new Map(),
  }
  while (replayed.state.seq < head.seq) {
    const page = await deps.eventLog.read(auctionId, replayed.state.seq + 1, PAGE)
    if (page.length === 0) return `its log ends at event ${replayed.state.seq}, its head is ${head.seq}`
    for (const { body, hash, firstSeq } of page) {
      if (hashOf(body) !== hash) return `the commit at event ${firstSeq} is not what its hash says`
      const { prevHash, events } = readBodyAgain(body)
      if (prevHash !== replayed.hash || firstSeq !== replayed.state.seq + 1)
        return `the commit at event ${firstSeq} does not follow the one before it`
      const fault = await outcomesFault(deps, auctionId, firstSeq, events, replayed, hasMoved)
      if (fault !== null) return fault
      for (const event of events) {
        replayed.state = evolve(replayed.state, event)
        replayed.kept.take(event)
      }
      replayed.hash = hash
    }
  }
  return replayed.hash === head.hash ? replayed : 'its head is not where its log ends'
}

/** A bid whose answer is lost, or is not what it was, would count twice when it is sent again. */
async function outcomesFault(
  { outcomes }: OwnLogCheckDeps,
  auctionId: string,
  firstSeq: number,
  events: readonly AuctionEvent[],
  replayed: Replayed,
  hasMoved: boolean,
): Promise<string | null> {
  const ids = events.flatMap((event) => commandIdOf(event) ?? [])
  if (ids.length === 0) return null
  const known = await outcomes.find(ids)
  for (const [i, event] of events.entries()) {
    const id = commandIdOf(event)
    if (id === null) continue
    const seq = firstSeq + i
    const recorded = known.get(id)
    if (recorded === undefined) {
      // Where an auction has moved, a home before this one may have known the id from another auction.
      if (!hasMoved && 'bidId' in event) return `what bid ${id} was answered is not there`
      replayed.unanswered.push({ event, seq })
    } else if ('bidId' in event) {
      // A home before this one may have carried out an id that had been used here in another auction.
      if (hasMoved && recorded.outcome.auctionId !== auctionId) continue
      const fault = answerFault(recorded, event, auctionId, seq, replayed)
      if (fault !== null) return fault
    }
  }
  return null
}

function answerFault(
  { outcome, fingerprint }: RecordedOutcome,
  event: Extract<AuctionEvent, { readonly bidId: string }>,
  auctionId: string,
  seq: number,
  replayed: Replayed,
): string | null {
  const { at, bidId: commandId, price } = event
  const bid = {
    leads: event.type === 'BidPlaced' ? event.leads : true,
    price,
    reserveMet: event.type === 'LotBoughtNow' ? true : event.reserveMet,
  }
  const expected = { status: 'accepted', commandId, auctionId, seq, at, bid }
  if (!isDeepStrictEqual(outcome, expected)) return `what bid ${commandId} was answered is not what the log says`
  if (event.type === 'BidPlaced' && event.amount !== null) {
    if (fingerprint !== plainBidFingerprint(auctionId, event.bidder.id, event.amount))
      return `what is known of bid ${commandId} is not what the log says`
  } else if (event.type !== 'LotBoughtNow') replayed.fingerprints.set(commandId, { fingerprint, bidder: event.bidder })
  return null
}

/** From here on a repeated one is answered as the first was, and not decided again. */
async function answer(
  { outcomes }: OwnLogCheckDeps,
  { auctionId, state }: LoadedAuction,
  { unanswered }: Replayed,
  sealed: ReadonlyMap<string, SealedMaximum>,
): Promise<void> {
  const derived = unanswered.flatMap(({ event, seq }): RecordedOutcome[] => {
    const maximum = 'bidId' in event ? sealed.get(event.bidId) : undefined
    const recorded = loggedOutcome(event, auctionId, seq, state, maximum)
    return recorded === null ? [] : [recorded]
  })
  for (let i = 0; i < derived.length; i += MAX_RECORDED) await outcomes.record(derived.slice(i, i + MAX_RECORDED))
}

async function sealedOf(
  { secrets }: OwnLogCheckDeps,
  { auctionId }: LoadedAuction,
  { kept }: Replayed,
): Promise<ReadonlyMap<string, SealedMaximum>> {
  const sealed = await secrets.sealed(auctionId, kept.committed.size + 1)
  return new Map(sealed.map((one) => [one.bidId, one]))
}

/** Of a live auction the home needs everything; of one that is over, what is there has to be right. */
function secretsFault(
  { auctionId, state, secrets }: LoadedAuction,
  { fingerprints, kept }: Replayed,
  sealed: ReadonlyMap<string, SealedMaximum>,
): string | null {
  if (!kept.isReserve(secrets.reserve)) return 'its reserve is not the one that it committed to'
  for (const { bidId } of kept.missing(sealed))
    if (sealed.has(bidId)) return `the maximum of bid ${bidId} is not the one that it committed to`
  for (const { bidId, amount, salt } of sealed.values()) {
    if (!kept.committed.has(bidId)) return `the maximum of bid ${bidId} is none that its log commits to`
    const known = fingerprints.get(bidId)
    if (known === undefined) continue
    const { fingerprint, bidder } = known
    const command = { type: 'PlaceBid', auctionId, commandId: bidId, bidder, kind: 'max', amount, salt } as const
    if (fingerprint !== fingerprintOf(command)) return `what is known of bid ${bidId} is not what the log says`
  }
  if (state.status === 'closed' || state.status === 'cancelled') return null
  const [missing] = kept.missing(sealed)
  if (missing !== undefined) return `the maximum of bid ${missing.bidId} is not there`
  return kept.leaderMax(sealed) === secrets.leaderMax ? null : 'the leading maximum is not what its log says'
}
