import { resultJson } from '../../../application/gateway/outcome-shapes.js'
import { timeText } from '../../../application/log/time-text.js'
import { explainRejection } from '../../../application/node/explain-rejection.js'
import { formatAmount } from '../../../domain/money.js'
import type { AuctionView, CommandResult } from '../../../ports/node/node-answers.js'
import type { Accepted, Rejected } from '../../../ports/store/outcome-repository.js'
import type { Session } from '../parse/command.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { describeResult, endWords, money, nameAuction } from './auction-text.js'
import { showTime } from './look.js'
import { sayAnswer } from './say-answer.js'
import { oneLine } from './terminal-text.js'

/** Says what the outcome of a command is. `accepted` makes the lines for an accepted one. */
export async function reportResult(
  session: Session,
  result: CommandResult,
  accepted: (words: AcceptedWords) => readonly string[],
): Promise<ExitCode> {
  const { outcome, auction } = result
  const { out } = session
  session.reported?.(outcome)
  if (outcome.status === 'rejected') {
    const { commandId, rejection } = outcome
    await sayAnswer(out, { status: outcome.status, code: rejection.code, command_id: commandId }, async () => {
      if (out.json) return out.document(resultJson(result))
      for (const line of await rejectionLines(session, outcome, auction)) out.note(line)
    })
    return EXIT.rejected
  }
  const { status, commandId, auctionId, seq } = outcome
  const plain = { status, command_id: commandId, auction_id: auctionId, seq }
  await sayAnswer(out, plain, async () => {
    if (out.json) return out.document(resultJson(result))
    const shortId = await session.ids.of(auctionId)
    const lot = auction ? nameAuction(auction, shortId) : shortId
    out.lines(...accepted({ outcome, auction, shortId, lot }), out.look.paint.dim(receipt(outcome)))
  })
  return EXIT.done
}

export interface AcceptedWords {
  readonly outcome: Accepted
  readonly auction: AuctionView | null
  readonly shortId: string
  /** "Pic#1 (auc_7k2m)" */
  readonly lot: string
}

/** What the bidder can refer to later: its place in the log, and its time by the home's clock. */
function receipt({ seq, at, commandId }: Accepted): string {
  return `receipt: seq ${seq} at ${timeText(at)}, ${commandId}`
}

export async function rejectionLines(
  session: Session,
  { rejection, auctionId }: Rejected,
  auction: AuctionView | null,
): Promise<string[]> {
  const { look } = session.out
  const terms = auction?.state.terms ?? null
  const { message, next } = explainRejection(rejection, terms, {
    formatTime: (ms) => showTime(ms, look),
  })
  const lines = [`${look.paint.bad(rejection.code)}: ${oneLine(message)}`, `next: ${oneLine(next)}`]
  if (!terms) return lines
  const { prefix, reach } = session
  const suggest = (command: string) => lines.push(`      ${look.paint.bold(`${prefix}${command}${reach}`)}`)
  const shortId = await session.ids.of(auctionId)
  if (rejection.code === 'BID_TOO_LOW' || rejection.code === 'BUY_NOW_WITHDRAWN') {
    if (rejection.minimum !== null) suggest(`bid ${shortId} ${formatAmount(rejection.minimum, terms.currency)}`)
  } else if (rejection.code === 'BUY_NOW_AVAILABLE') suggest(`bid ${shortId} --buy-now`)
  return lines
}

export function openedLines(session: Session, { auction, shortId, lot }: AcceptedWords): string[] {
  if (!auction) return [`Opened ${lot}.`]
  const { look } = session.out
  const { terms, status } = auction.state
  const opens = status === 'scheduled' && terms.opensAt !== null ? `, opens ${showTime(terms.opensAt, look)}` : ''
  const ends = endWords(auction, look)
  const { prefix, reach } = session
  return [
    `Opened ${look.paint.bold(lot)} at ${money(auction, terms.startPrice)}${opens}${ends === '' ? ', until you close it' : `, ends ${ends}`}.`,
    `next: others bid with \`${prefix}bid ${shortId} AMOUNT\`; you close it with \`${prefix}close ${shortId}${reach}\``,
  ]
}

export function bidLines(
  session: Session,
  { outcome, auction, shortId, lot }: AcceptedWords,
  kind: 'plain' | 'max',
): string[] {
  const { bid } = outcome
  const { look } = session.out
  if (!bid || !auction) return [`Your bid on ${lot} was accepted.`]
  const price = money(auction, bid.price)
  if (!bid.leads) {
    const minimum = auction.minimum === null ? '' : ` ${formatAmount(auction.minimum, auction.state.terms.currency)}`
    return [
      `${look.paint.bad('Outbid at once')} on ${lot}: the leader's maximum is at least as high. The price is ${price} now.`,
      ...(minimum ? [`next: \`${session.prefix}bid ${shortId}${minimum}${session.reach}\``] : []),
    ]
  }
  const reserve = bid.reserveMet ? '' : ' The reserve is not met yet.'
  const ends = endWords(auction, look)
  const kept = kind === 'max' ? ' Your maximum is kept by the home, which bids for you up to it.' : ''
  return [
    `${look.paint.good('You lead')} ${lot} at ${price}.${kept}${reserve}`,
    ...(ends === '' ? [] : [`ends ${ends}`]),
  ]
}

export function boughtLines(session: Session, { outcome, auction, lot }: AcceptedWords): string[] {
  const price = outcome.bid && auction ? ` for ${money(auction, outcome.bid.price)}` : ''
  return [`${session.out.look.paint.good('You bought')} ${lot}${price}.`]
}

export function closedLines({ auction, lot }: AcceptedWords): string[] {
  if (auction?.state.status !== 'closed') return [`Closed ${lot}.`]
  const { result } = auction.state
  return [`Closed ${lot}: ${describeResult(result, (minor) => money(auction, minor))}.`]
}
