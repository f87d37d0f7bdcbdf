import type { Minor } from '../../domain/money.js'
import { PriceRecheck, UnsoundPriceError } from '../../domain/recheck.js'
import type { RemoteCommand } from '../../domain/remote-command.js'
import type { Receipt, SignedReceipts } from '../../ports/store/receipt-repository.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { areSigned } from '../submissions/receipt.js'
import { EVENT_OF_KIND, type LoggedBid } from './bid-table.js'
import { decideAgain } from './maxima-lost.js'
import type { Finding, VerifiedLog } from './verify-log.js'

/**
 * Holds a log against what its home gave receipts for: every accepted bid stands in it, in its place and as it was
 * placed, no refused one does, and no price is above the maximum of the receipt that it is charged to. Gives the first
 * breach, or null.
 */
export function checkReceipts(
  log: VerifiedLog,
  batches: readonly SignedReceipts[],
  verifier: SignatureVerifier,
): Finding | null {
  const { auctionId, homes } = log.summary
  const amounts = new Map<number, Minor>()
  for (const signed of batches) {
    const receipts = signed.receipts.filter(({ command }) => command.auctionId === auctionId)
    if (receipts.length === 0) continue
    const isHome = homes.some(({ publicKey }) => publicKey === signed.home.publicKey)
    if (!isHome || !areSigned(signed, verifier)) return finding('a receipt is not signed by a home of the auction')
    for (const receipt of receipts) {
      const breach = breachOf(log, receipt)
      if (breach !== null) return breach
      const { command, outcome } = receipt
      if (command.type === 'PlaceBid' && outcome.status === 'accepted') amounts.set(outcome.seq, command.amount)
    }
  }
  return overcharged(log, amounts)
}

/** Decides the prices again with the amounts in the receipts, including maxima that the home keeps shut. */
function overcharged(log: VerifiedLog, amounts: ReadonlyMap<number, Minor>): Finding | null {
  if (amounts.size === 0) return null
  const { state } = log.summary
  const recheck = new PriceRecheck(state.terms, log.reserve)
  for (const { bid, step } of decideAgain(recheck, withReceipts(log, amounts), log.summary.losses)) {
    try {
      step()
    } catch (error) {
      if (!(error instanceof UnsoundPriceError)) throw error
      return finding(`by the maxima in the receipts: ${error.rule}`, log.at(bid.seq), bid)
    }
  }
  return null
}

/** How many of these are about bids on the auction. */
export function countReceipts(batches: readonly SignedReceipts[], auctionId: string): number {
  const own = ({ command }: Receipt) => command.auctionId === auctionId && isBid(command)
  return batches.reduce((sum, { receipts }) => sum + receipts.filter(own).length, 0)
}

function* withReceipts(log: VerifiedLog, amounts: ReadonlyMap<number, Minor>): Generator<LoggedBid> {
  for (const bid of log.bids.bids(log.secretOf)) yield { ...bid, amount: amounts.get(bid.seq) ?? bid.amount }
}

type Bid = Extract<RemoteCommand, { type: 'PlaceBid' | 'BuyNow' }>

function isBid(command: RemoteCommand): command is Bid {
  return command.type === 'PlaceBid' || command.type === 'BuyNow'
}

function breachOf(log: VerifiedLog, { command, outcome }: Receipt): Finding | null {
  if (!isBid(command)) return null
  const { commandId } = command
  const bid = log.bids.find(commandId)
  if (outcome.status === 'rejected') {
    // The id was used before, by the bid that stands there.
    if (bid === null || outcome.rejection.code === 'COMMAND_ID_REUSED') return null
    const rule = `bid ${commandId} was refused (${outcome.rejection.code}) by its receipt, and stands in the log`
    return finding(rule, log.at(bid.seq))
  }
  const { seq } = outcome
  if (bid === null) {
    const head = log.summary.state.seq
    return seq > head
      ? finding(`bid ${commandId} was accepted as event ${seq}, and the log ends at event ${head}`)
      : finding(`bid ${commandId} was accepted as event ${seq}, and is left out of the log`, log.at(seq))
  }
  const altered = alterationOf(bid, command, outcome)
  if (altered === null) return null
  return finding(`bid ${commandId} stands in the log with another ${altered} than in its receipt`, log.at(bid.seq))
}

/** Of an accepted bid. */
export interface AcceptedBid {
  readonly command: Bid
  readonly outcome: Extract<Receipt['outcome'], { status: 'accepted' }>
}

/** Null for a receipt of another command. */
export function acceptedBid({ command, outcome }: Receipt): AcceptedBid | null {
  return isBid(command) && outcome.status === 'accepted' ? { command, outcome } : null
}

/** What differs between a bid and its receipt; null if nothing does. */
export function alterationOf(logged: LoggedBid, command: Bid, { seq, bid }: AcceptedBid['outcome']): string | null {
  if (logged.seq !== seq) return 'place'
  if (logged.bidder.id !== command.bidder.id) return 'bidder'
  const isMax = logged.kind === 'max' || logged.kind === 'max-change'
  const kind = command.type === 'BuyNow' ? 'buy-now' : command.kind
  if (isMax ? kind !== 'max' : kind !== logged.kind) return 'kind'
  if (command.type === 'PlaceBid' && logged.amount !== null && logged.amount !== command.amount) return 'amount'
  if (bid && logged.price !== bid.price) return 'price'
  if (bid && logged.leads !== bid.leads) return 'standing'
  return bid && logged.reserveMet !== bid.reserveMet ? 'word on the reserve' : null
}

function finding(
  rule: string,
  at: Pick<Finding, 'place' | 'commit'> = { place: null, commit: null },
  bid?: LoggedBid,
): Finding {
  return { code: 'RECEIPT', rule, event: bid ? { seq: bid.seq, type: EVENT_OF_KIND[bid.kind] } : null, ...at }
}
