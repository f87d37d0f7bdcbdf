import { signal } from '@preact/signals'
import {
  type BidOutcome,
  isCommandAmong,
  newCommandId,
  type Rejected,
  UnknownOutcome,
  type VendueClient,
} from 'vendue/client'
import type { Offer } from '../../model/confirm.js'
import { readClock } from './clock.js'
import { keptHere } from './kept.js'
import { client } from './session.js'

/** An offer on its way. It is kept in the tab, so that a reload neither forgets it nor makes it twice. */
export interface PendingBid {
  readonly auctionId: string
  readonly bidId: string
  readonly offer: Offer
  readonly status: 'sending' | 'unknown'
  /** By the gateway's clock. */
  readonly sentAtMs: number
}

/** What became of an offer. */
export interface Settled {
  readonly bidId: string
  readonly offer: Offer
  readonly atMs: number
  readonly result:
    | { readonly kind: 'accepted'; readonly leads: boolean; readonly price: string; readonly seq: number }
    | { readonly kind: 'rejected'; readonly rejected: Rejected }
    /** Nobody was reached, or who it came from is not known: nothing was done. */
    | { readonly kind: 'failed'; readonly code: string; readonly reason: string }
}

const ATTEMPT_MS = 8_000
const AGAIN_MS = 1_000
const MAX_SETTLED = 50

export const pending = signal<ReadonlyMap<string, PendingBid>>(new Map())
/** Newest first, by auction. */
export const settled = signal<ReadonlyMap<string, readonly Settled[]>>(new Map())
/** Ids of bids made here: by them the visitor is known again behind a pseudonym. */
export const ownBids = signal<ReadonlySet<string>>(new Set())

/** Bids, once: while an offer is on its way no other goes out in the same auction. */
export function place(auctionId: string, offer: Offer): void {
  if (pending.value.has(auctionId)) return
  const sentAtMs = readClock()
  const bid: PendingBid = {
    auctionId,
    bidId: newCommandId('bid', sentAtMs),
    offer,
    status: 'sending',
    sentAtMs,
  }
  note(bid)
  void settle(bid)
}

/** What was on its way when the tab was reloaded is asked about by the same id. */
export function resumeBids(): void {
  try {
    const saved: unknown = JSON.parse(keptHere.get('pending') ?? '[]')
    if (!Array.isArray(saved)) return
    for (const bid of saved as PendingBid[]) {
      note({ ...bid, status: 'unknown' })
      void settle({ ...bid, status: 'unknown' })
    }
  } catch {
    keptHere.set('pending', null)
  }
}

async function settle(bid: PendingBid): Promise<void> {
  const { auctionId, bidId, offer } = bid
  let isUnknown = bid.status === 'unknown'
  // For as long as it takes: an outcome that is not known stays so until somebody has said it.
  while (pending.peek().get(auctionId)?.bidId === bidId) {
    try {
      return finish(bid, resultOf(await ask(client.peek() as VendueClient, bid)))
    } catch (error) {
      // What may have been done once is only settled by an outcome, whatever a later asking is refused for.
      if (!(error instanceof UnknownOutcome) && !isUnknown) {
        const { code = 'UNREACHABLE', message = String(error) } = error as { code?: string; message?: string }
        return finish(bid, { kind: 'failed', code, reason: message })
      }
      isUnknown = true
      note({ auctionId, bidId, offer, status: 'unknown', sentAtMs: bid.sentAtMs })
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    }
  }
}

/** A bid that stands in the auction's log has been accepted, whatever became of the answer. */
export function seenInLog(
  auctionId: string,
  { bidId, leads, price, seq }: { bidId: string; leads: boolean; price: string; seq: number },
): void {
  const bid = pending.peek().get(auctionId)
  if (bid !== undefined && isCommandAmong(bidId, new Set([bid.bidId])))
    finish(bid, { kind: 'accepted', leads, price, seq })
}

function ask(by: VendueClient, { auctionId, bidId, offer }: PendingBid): Promise<BidOutcome> {
  const options = { bidId, deadlineMs: ATTEMPT_MS }
  if (offer.kind === 'buy-now') return by.buyNow(auctionId, options)
  return by.bid(auctionId, offer.amount, { ...options, kind: offer.kind })
}

function resultOf(outcome: BidOutcome): Settled['result'] {
  if (outcome.status === 'rejected') return { kind: 'rejected', rejected: outcome }
  return { kind: 'accepted', leads: outcome.leads, price: outcome.price, seq: outcome.seq }
}

function note(bid: PendingBid): void {
  pending.value = new Map(pending.value).set(bid.auctionId, bid)
  ownBids.value = new Set(ownBids.value).add(bid.bidId)
  keep()
}

function finish({ auctionId, bidId, offer }: PendingBid, result: Settled['result']): void {
  const next = new Map(pending.value)
  if (next.get(auctionId)?.bidId !== bidId) return
  next.delete(auctionId)
  const before = settled.value.get(auctionId) ?? []
  const made = { bidId, offer, atMs: readClock(), result }
  settled.value = new Map(settled.value).set(auctionId, [made, ...before].slice(0, MAX_SETTLED))
  pending.value = next
  keep()
}

function keep(): void {
  const bids = [...pending.value.values()]
  keptHere.set('pending', bids.length === 0 ? null : JSON.stringify(bids))
}
