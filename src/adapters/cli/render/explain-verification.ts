import { type Json, pictureJson } from '../../../application/gateway/json-shapes.js'
import type { ExplainedBid, Finding, LogSummary, Verification } from '../../../application/proof/verify-log.js'
import type { Currency } from '../../../domain/currency.js'
import { formatAmount, formatMoney, type Minor } from '../../../domain/money.js'
import { describeResult } from './auction-text.js'
import { homeFacts, homesJson, movedLine } from './explain-homes.js'
import type { Look } from './look.js'
import { pictureFacts } from './picture-text.js'
import { facts } from './table.js'
import { oneLine } from './terminal-text.js'

/** A closed log is valid only if it proves its result: maxima that stay shut could be anything. */
export function verdictOf({ decision }: LogSummary): 'valid' | 'unproven' {
  return decision === 'partly' ? 'unproven' : 'valid'
}

/** What was proven, and what a proof of this kind cannot say. */
export function summaryLines(summary: LogSummary, { paint }: Look): string[] {
  const { state } = summary
  const { terms } = state
  const priced = (minor: Minor) => formatMoney(minor, terms.currency)
  const count = (amount: number, noun: string) => `${amount.toLocaleString('en')} ${noun}${amount === 1 ? '' : 's'}`
  const word = verdictOf(summary) === 'valid' ? paint.good('valid') : paint.bad('UNPROVEN')
  return [
    `${word}  ${paint.bold(oneLine(terms.title))}`,
    ...facts([
      ['auction', summary.auctionId],
      ['mesh', state.meshId],
      ...homeFacts(summary),
      ['result', resultWords(summary, priced)],
      [
        'checked',
        `${count(summary.commits, 'commit')}, ${count(summary.events, 'event')}, ${count(summary.signaturesChecked, 'signature')}, ${count(summary.mandatesChecked, 'mandate')} of bidders and sellers`,
      ],
      ['decision', decisionWords(summary)],
      ...pictureFacts(terms.pictures),
      ['head', `seq ${state.seq}, ${summary.headHash}`],
    ]).map((line) => `  ${line}`),
  ]
}

function resultWords({ state }: LogSummary, priced: (minor: Minor) => string): string {
  switch (state.status) {
    case 'closed':
      return describeResult(state.result, priced)
    case 'cancelled':
      return state.by === 'home' ? 'given up by its home: nobody has won' : 'cancelled'
    case 'open':
    case 'scheduled': {
      const { leader, price, status } = state
      if (leader === null || price === null) return `${status}, no bids yet`
      return `${status}, led by ${oneLine(leader.name)} at ${priced(price)}`
    }
    default: {
      const unknown: never = state
      throw new Error(`unknown state ${JSON.stringify(unknown)}`)
    }
  }
}

function decisionWords({ decision, opened, sealed, losses }: LogSummary): string {
  switch (decision) {
    case 'rerun': {
      const hidden =
        sealed === 0
          ? ''
          : `; ${sealed} of the winner's stayed secret, as they may above the price: only the winner's receipts show that they are`
      return `every price decided again from ${opened} opened maxima${hidden}`
    }
    case 'partly':
      return `${opened} maxima opened, ${sealed} kept shut${lossWords(losses)}: the prices that rest on those are not proven`
    case 'not-yet':
      return `maxima are opened after the close; until then prices are checked as far as they are public`
    case 'none':
      return 'nothing to decide'
    default: {
      const unknown: never = decision
      throw new Error(`unknown decision ${String(unknown)}`)
    }
  }
}

function lossWords(losses: LogSummary['losses']): string {
  if (losses.length === 0) return ''
  const places = losses.map(({ seq, since }) => `those left from event ${since} on, at event ${seq}`)
  return `, of which its home says that it has lost ${places.join(', and ')}`
}

const MEANINGS: Readonly<Record<Finding['code'], string>> = {
  FILE: 'the file is not as it was written',
  COMMIT: 'a commit is not what it claims to be, or not in its place',
  AUTHOR: 'a commit names another author than the home',
  SIGNATURE: "a signature is not the home's",
  EVENT: 'an event breaks a rule of the auction',
  BID_ID: 'a bid counts twice',
  COMMITMENT: 'an opened secret is not the one committed to',
  MANDATE: 'nobody who may give it has signed for a bid, or for what the seller did',
  PRICE: 'the home stated a price, leader or reserve that the maxima do not bear out',
  RECEIPT: 'the log is not what the home gave a receipt for',
}

export function findingLines({ finding, events }: Extract<Verification, { valid: false }>, { paint }: Look): string[] {
  const { code, rule, place, commit, event } = finding
  const pairs: [string, string][] = [['rule', oneLine(rule)]]
  if (place) pairs.push(['file', `line ${place.line}, from byte ${place.byteOffset}`])
  if (commit) pairs.push(['commit', `events ${commit.firstSeq} to ${commit.lastSeq}, ${oneLine(commit.hash)}`])
  if (event) pairs.push(['event', `${event.seq}, ${event.type}`])
  pairs.push(['before it', `${events.toLocaleString('en')} events held`])
  return [`${paint.bad('NOT VALID')}  ${MEANINGS[code]} (${code})`, ...facts(pairs).map((line) => `  ${line}`)]
}

/** The bids, and between them who the home came to be, and the maxima that were lost. */
export function* explainedLines({ summary, explain }: Extract<Verification, { valid: true }>): Iterable<string> {
  const notes = [
    ...summary.homes.slice(1).map((home) => ({ seq: home.since.seq, line: movedLine(home) })),
    ...summary.losses.map((loss) => ({ seq: loss.seq, line: lossLine(loss) })),
  ].sort((a, b) => a.seq - b.seq)
  const { currency } = summary.state.terms
  for (const step of explain()) {
    for (let note = notes[0]; note !== undefined && note.seq < step.bid.seq; note = notes[0]) {
      yield note.line
      notes.shift()
    }
    yield explainedLine(step, currency)
  }
  for (const { line } of notes) yield line
}

function lossLine({ seq, since }: LogSummary['losses'][number]): string {
  return `seq ${seq}: its home says that it has lost the maxima that were left with it from event ${since} on; the leader's counts for no more than the price from here on`
}

/** "seq 5: bob bids 80.00 USD and leads: the price is 80.00 USD". */
export function explainedLine({ bid, step }: ExplainedBid, currency: Currency): string {
  const money = (minor: Minor) => formatMoney(minor, currency)
  const price = money(bid.price)
  const who = oneLine(bid.bidder.name)
  const start = `seq ${bid.seq}: ${who} ${offerWords(bid, money)}`
  const reserve = step?.lifted ? ', lifted to the reserve that this maximum reaches' : ''
  const runnerUp = step?.runnerUp === null || step?.runnerUp === undefined ? '' : limitWords(step.runnerUp, money)
  switch (step?.because) {
    case 'first':
      return `${start}, the first, and leads at ${price}${reserve || (bid.kind === 'max' ? ' (the start price)' : '')}`
    case 'plain-leads':
      return `${start} and leads: above the leader's ${runnerUp}, and a plain bid that leads is the price, ${price}${reserve}`
    case 'outbids-leader':
      return `${start} and leads: one increment above the leader's ${runnerUp}, or the new maximum if that is less, makes ${price}${reserve}`
    case 'answered-by-leader':
      return `${start}, which the leader's maximum answers: one increment above it, or that maximum if less, makes ${price}${reserve}`
    case 'tie-earlier-leads':
      return `${start}, as much as the leader's maximum: the earlier one leads, at ${price}`
    case 'own-maximum-moved':
      return `${start}: the price ${step.lifted ? `rises to the reserve, ${price}` : `stays at ${price}`}`
    case 'bought-now':
      return `${start}: sold at once at ${price}`
    case 'unknown':
    case undefined:
      return `${start}${bid.leads ? ' and leads' : ", which the leader's maximum answers"}, at ${price}`
    default: {
      const unknown: never = step as never
      throw new Error(`unknown step ${JSON.stringify(unknown)}`)
    }
  }
}

function offerWords({ kind, amount }: ExplainedBid['bid'], money: (minor: Minor) => string): string {
  const shown = amount === null ? 'a secret amount' : limitWords(amount, money)
  switch (kind) {
    case 'plain':
      return `bids ${shown}`
    case 'max':
      return `bids up to ${shown}`
    case 'max-change':
      return `moves their maximum to ${shown}`
    case 'buy-now':
      return `buys now for ${shown}`
    default: {
      const unknown: never = kind
      throw new Error(`unknown kind of bid ${String(unknown)}`)
    }
  }
}

function limitWords(amount: Minor, money: (minor: Minor) => string): string {
  return amount === Number.POSITIVE_INFINITY
    ? 'a secret maximum, above the hammer price as its home says'
    : money(amount)
}

export function verificationJson(result: Verification, explain: boolean): { readonly [key: string]: Json } {
  if (!result.valid) {
    const { code, rule, place, commit, event } = result.finding
    return {
      valid: false,
      verdict: 'not-valid',
      code,
      rule,
      line: place?.line ?? null,
      byte_offset: place?.byteOffset ?? null,
      commit: commit && { first_seq: commit.firstSeq, last_seq: commit.lastSeq, hash: commit.hash },
      event: event && { seq: event.seq, type: event.type },
      commits: result.commits,
      events: result.events,
    }
  }
  const { summary } = result
  const { state } = summary
  const { currency } = state.terms
  const sold = state.status === 'closed' && state.result.sold ? state.result : null
  return {
    valid: verdictOf(summary) === 'valid',
    verdict: verdictOf(summary),
    auction_id: summary.auctionId,
    mesh_id: summary.state.meshId,
    title: state.terms.title,
    status: state.status,
    pictures: state.terms.pictures.map(pictureJson),
    currency: currency.code,
    price: state.price === null ? null : formatAmount(state.price, currency),
    leader: state.leader && { id: state.leader.id, name: state.leader.name },
    winner: sold && { id: sold.winner.id, name: sold.winner.name },
    winning_bid_id: sold?.bidId ?? null,
    home: { node_id: state.home.nodeId, public_key: state.home.publicKey },
    homes: homesJson(summary),
    seq: state.seq,
    hash: summary.headHash,
    commits: summary.commits,
    events: summary.events,
    bids: state.bidCount,
    signatures_checked: summary.signaturesChecked,
    mandates_checked: summary.mandatesChecked,
    maxima_opened: summary.opened,
    maxima_sealed: summary.sealed,
    decision: summary.decision,
    maxima_lost: summary.losses.map(({ seq, since }) => ({ seq, since_seq: since })),
    cancelled_by: state.status === 'cancelled' ? state.by : null,
    ...(explain && { steps: [...result.explain()].map((step) => stepJson(step, currency)) }),
  }
}

function stepJson({ bid, step }: ExplainedBid, currency: Currency): Json {
  const amount = (minor: Minor | null) =>
    minor === null || minor === Number.POSITIVE_INFINITY ? null : formatAmount(minor, currency)
  return {
    seq: bid.seq,
    bidder: { id: bid.bidder.id, name: bid.bidder.name },
    kind: bid.kind,
    amount: amount(bid.amount),
    price: amount(bid.price),
    leads: bid.leads,
    reserve_met: bid.reserveMet,
    because: step?.because ?? null,
    runner_up: amount(step?.runnerUp ?? null),
    lifted_to_reserve: step?.lifted ?? null,
  }
}
