import { isDeepStrictEqual } from 'node:util'
import { type Auction, UNOPENED } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { AuctionEvent } from '../../domain/events.js'
import { evolve } from '../../domain/evolve.js'
import type { Party } from '../../domain/party.js'
import type { SecretRepository } from '../../ports/store/auction-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { OutcomeRepository } from '../../ports/store/outcome-repository.js'
import { hashOf } from '../log/commit.js'
import { readBodyAgain } from '../log/commit-body.js'
import { KeptBeside } from '../log/kept-beside.js'
import { fingerprintOf, plainBidFingerprint } from '../orders/home-command.js'
import type { LoadedAuction } from './auction-actor.js'

export interface OwnLogCheckDeps {
  readonly eventLog: Pick<EventLog, 'read'>
  readonly outcomes: Pick<OutcomeRepository, 'find'>
  readonly secrets: Pick<SecretRepository, 'sealed'>
}

const PAGE = { commits: 256, bytes: 1024 * 1024 }

/** What the log says that the home keeps beside it. */
interface Told {
  state: Auction
  hash: string | null
  readonly kept: KeptBeside
  /** What the home compares a repeated bid with a maximum with. */
  readonly fingerprints: Map<string, { readonly fingerprint: string; readonly bidder: Party }>
}

/**
 * Holds what is stored of an auction of this home against its log, which its hashes protect: a bit that has flipped in a row of
 * state would be acted upon, and signed. Gives what is wrong; null: nothing.
 */
export async function faultOfOwnLog(deps: OwnLogCheckDeps, loaded: LoadedAuction): Promise<string | null> {
  try {
    const told = await replay(deps, loaded)
    if (typeof told === 'string') return told
    if (!isDeepStrictEqual(told.state, loaded.state)) return 'its state is not what its log says'
    return (await secretsFault(deps, loaded, told)) ?? null
  } catch (error) {
    return `its log cannot be read (${(error as Error).message})`
  }
}

async function replay(
  deps: OwnLogCheckDeps,
  { auctionId, head, state }: LoadedAuction,
): Promise<Told | string> {
  const hasMoved = state.handovers.length > 0
  const told: Told = {
    state: UNOPENED,
    hash: null,
    kept: new KeptBeside(auctionId),
    fingerprints: new Map(),
  }
  while (told.state.seq < head.seq) {
    const page = await deps.eventLog.read(auctionId, told.state.seq + 1, PAGE)
    if (page.length === 0) return `its log ends at event ${told.state.seq}, its head is ${head.seq}`
    for (const { body, hash, firstSeq } of page) {
      if (hashOf(body) !== hash) return `the commit at event ${firstSeq} is not what its hash says`
      const { prevHash, events } = readBodyAgain(body)
      if (prevHash !== told.hash || firstSeq !== told.state.seq + 1)
        return `the commit at event ${firstSeq} does not follow the one before it`
      const fault = await outcomesFault(deps, auctionId, firstSeq, events, told, hasMoved)
      if (fault !== null) return fault
      for (const event of events) {
        told.state = evolve(told.state, event)
        told.kept.take(event)
      }
      told.hash = hash
    }
  }
  return told.hash === head.hash ? told : 'its head is not where its log ends'
}

/** A bid whose answer is lost, or is not what it was, would count twice when it is sent again. */
async function outcomesFault(
  { outcomes }: OwnLogCheckDeps,
  auctionId: string,
  firstSeq: number,
  events: readonly AuctionEvent[],
  told: Told,
  hasMoved: boolean,
): Promise<string | null> {
  const ids = events.flatMap((event) => ('bidId' in event ? [event.bidId] : []))
  if (ids.length === 0) return null
  const known = await outcomes.find(ids)
  for (const [i, event] of events.entries()) {
    if (!('bidId' in event)) continue
    const recorded = known.get(event.bidId)
    if (recorded === undefined) {
      // Where an auction has moved, a home before this one may have known the id from another auction.
      if (hasMoved) continue
      return `what bid ${event.bidId} was answered is not there`
    }
    const { outcome, fingerprint } = recorded
    // A home before this one may have carried out an id that had been used here in another auction.
    if (hasMoved && outcome.auctionId !== auctionId) continue
    const { at, bidId: commandId, price } = event
    const bid = {
      leads: event.type === 'BidPlaced' ? event.leads : true,
      price,
      reserveMet: event.type === 'LotBoughtNow' ? true : event.reserveMet,
    }
    const expected = { status: 'accepted', commandId, auctionId, seq: firstSeq + i, at, bid }
    if (!isDeepStrictEqual(outcome, expected))
      return `what bid ${event.bidId} was answered is not what the log says`
    if (event.type === 'BidPlaced' && event.amount !== null) {
      if (fingerprint !== plainBidFingerprint(auctionId, event.bidder.id, event.amount))
        return `what is known of bid ${event.bidId} is not what the log says`
    } else if (event.type !== 'LotBoughtNow')
      told.fingerprints.set(event.bidId, { fingerprint, bidder: event.bidder })
  }
  return null
}

/** Of a live auction the home needs everything; of one that is over, what is there has to be right. */
async function secretsFault(
  { secrets: repository }: OwnLogCheckDeps,
  { auctionId, state, secrets }: LoadedAuction,
  { fingerprints, kept }: Told,
): Promise<string | null> {
  if (!kept.isReserve(secrets.reserve)) return 'its reserve is not the one that it committed to'
  const sealed = new Map<string, SealedMaximum>()
  for (const one of await repository.sealed(auctionId, kept.committed.size + 1)) sealed.set(one.bidId, one)
  for (const { bidId } of kept.missing(sealed))
    if (sealed.has(bidId)) return `the maximum of bid ${bidId} is not the one that it committed to`
  for (const { bidId, amount, salt } of sealed.values()) {
    if (!kept.committed.has(bidId)) return `the maximum of bid ${bidId} is none that its log commits to`
    const known = fingerprints.get(bidId)
    if (known === undefined) continue
    const { fingerprint, bidder } = known
    const command = { type: 'bid', auctionId, commandId: bidId, bidder, kind: 'max', amount, salt } as const
    if (fingerprint !== fingerprintOf(command))
      return `what is known of bid ${bidId} is not what the log says`
  }
  if (state.status === 'closed' || state.status === 'cancelled') return null
  const [missing] = kept.missing(sealed)
  if (missing !== undefined) return `the maximum of bid ${missing.bidId} is not there`
  return kept.leaderMax(sealed) === secrets.leaderMax ? null : 'the leading maximum is not what its log says'
}
