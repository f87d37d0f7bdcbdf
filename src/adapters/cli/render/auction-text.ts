import { isPseudonym } from '../../../application/accounts/pseudonym.js'
import { incrementAt } from '../../../domain/increments.js'
import { formatMoney, type Minor } from '../../../domain/money.js'
import type { Terms } from '../../../domain/terms.js'
import type { AuctionView, AutoBidView } from '../../../ports/node/node-answers.js'
import type { BidRecord } from '../../../ports/store/auction-repository.js'
import type { AutoBid } from '../../../ports/store/auto-bid-repository.js'
import { type Look, relative, showSpan, showTime, showWhen } from './look.js'
import { pictureLines } from './picture-text.js'
import { facts, table } from './table.js'
import { oneLine, prose, truncate } from './terminal-text.js'

const TITLE_COLUMNS = 36
const NAME_COLUMNS = 20

/** A table of auctions; `ids`: the short form of each. */
export function auctionTable(views: readonly AuctionView[], ids: ReadonlyMap<string, string>, look: Look): string[] {
  return table(views, [
    { title: 'ID', cell: ({ auctionId }) => ids.get(auctionId) ?? auctionId },
    { title: 'TITLE', cell: ({ state }) => truncate(oneLine(state.terms.title), TITLE_COLUMNS) },
    { title: 'STATUS', cell: statusWord },
    { title: 'PRICE', cell: (view) => money(view, shownPrice(view)), align: 'right' },
    { title: 'BIDS', cell: ({ state }) => String(state.bidCount), align: 'right' },
    { title: 'LEADER', cell: ({ state }) => (state.leader ? shortName(state.leader.name) : '') },
    { title: 'SELLER', cell: ({ state }) => shortName(state.seller.name) },
    { title: 'HOME', cell: (view) => awayFromSeller(view) },
    { title: 'ENDS', cell: (view) => endWords(view, look) },
    { title: 'YOU', cell: (view) => standing(view, look) },
  ])
}

/** Everything about one auction. */
export function auctionText(view: AuctionView, shortId: string, look: Look): string[] {
  const { state, auctionId } = view
  const { terms } = state
  const pairs: [string, string][] = [
    ['id', auctionId],
    ['status', statusWord(view)],
    ['seller', oneLine(state.seller.name)],
    ['price', priceWords(view)],
  ]
  const add = (name: string, value: string | null) => {
    if (value !== null) pairs.push([name, value])
  }
  add('next bid', view.minimum === null ? null : `${money(view, view.minimum)} or more`)
  add('you', standing(view, look) || null)
  add('your auto-bid', view.autoBid && autoBidWords(view.autoBid, view))
  add('reserve', terms.reserveCommitment === null ? null : state.reserveMet ? 'met' : 'not met yet')
  add('buy now', buyNowWords(view))
  add('opens', state.status === 'scheduled' && terms.opensAt !== null ? showWhen(terms.opensAt, look) : null)
  if (state.status === 'closed') add('ended', endWords(view, look))
  else if (view.phase === 'ended') add('ended', endWords(view, look))
  else if (state.status !== 'cancelled') add('ends', endWords(view, look) || 'when the seller closes it')
  add('soft close', softCloseWords(terms, look))
  add(
    'outages',
    terms.givesTimeBack || terms.closesAt === null ? null : 'the end stands even where nobody could bid then',
  )
  add('bidders', terms.bidderNames === 'pseudonyms' ? 'gateways show theirs by pseudonyms' : null)
  add('increments', incrementWords(view))
  add('result', resultWords(view))
  add('winner', winnerWords(view))
  add(
    'maxima',
    state.maximaLostSince === null
      ? null
      : look.paint.warn(`its home has lost those left with it from event ${state.maximaLostSince} on`),
  )
  add('home', homeWords(view))
  add('disputed', view.disputed ? look.paint.bad(disputedWords(view)) : null)
  add('log', `seq ${view.head.seq}, head ${view.head.hash.slice(0, 16)}`)
  const description = prose(terms.description).trim()
  return [
    `${look.paint.bold(oneLine(terms.title))}  ${look.paint.dim(shortId)}`,
    ...facts(pairs).map((line) => `  ${line}`),
    ...(description === '' ? [] : ['', description]),
    ...pictureLines(terms.pictures),
  ]
}

export function bidTable(bids: readonly BidRecord[], auction: AuctionView, look: Look): string[] {
  return table(bids, [
    { title: 'SEQ', cell: ({ seq }) => String(seq), align: 'right' },
    { title: 'TIME', cell: ({ at }) => showTime(at, look) },
    { title: 'BIDDER', cell: ({ bidder }) => shortName(bidder.name) },
    { title: 'BID', cell: (bid) => bidWords(bid, auction), align: 'right' },
    { title: 'PRICE AFTER', cell: ({ price }) => money(auction, price), align: 'right' },
    { title: '', cell: ({ leads }) => (leads ? '' : look.paint.dim('did not lead')) },
  ])
}

function bidWords({ amount, kind }: BidRecord, auction: AuctionView): string {
  const shown = amount === null ? '(secret)' : money(auction, amount)
  switch (kind) {
    case 'plain':
      return shown
    case 'max':
      return `max ${shown}`
    case 'max-change':
      return `new max ${shown}`
    case 'buy-now':
      return `buy now ${shown}`
    default: {
      const unknown: never = kind
      throw new Error(`unknown kind of bid ${String(unknown)}`)
    }
  }
}

export function autoBidTable(views: readonly AutoBidView[], ids: ReadonlyMap<string, string>, look: Look): string[] {
  return table(views, [
    { title: 'ID', cell: ({ autoBid }) => ids.get(autoBid.auctionId) ?? autoBid.auctionId },
    { title: 'TITLE', cell: ({ auction }) => truncate(oneLine(auction.state.terms.title), TITLE_COLUMNS) },
    { title: 'UP TO', cell: ({ autoBid, auction }) => money(auction, autoBid.limit), align: 'right' },
    { title: 'STATE', cell: ({ autoBid }) => stateWords(autoBid) },
    { title: 'PRICE', cell: ({ auction }) => money(auction, shownPrice(auction)), align: 'right' },
    { title: 'ENDS', cell: ({ auction }) => endWords(auction, look) },
    { title: 'YOU', cell: ({ auction }) => standing(auction, look) },
  ])
}

export function money({ state }: Pick<AuctionView, 'state'>, minor: Minor): string {
  return formatMoney(minor, state.terms.currency)
}

/** "Pic#1 (auc_7k2m)" */
export function nameAuction({ state }: AuctionView, shortId: string): string {
  return `${truncate(oneLine(state.terms.title), TITLE_COLUMNS)} (${shortId})`
}

function shortName(name: string): string {
  return truncate(oneLine(name), NAME_COLUMNS)
}

function shownPrice({ state }: AuctionView): Minor {
  return state.price ?? state.terms.startPrice
}

function disputedWords({ breach }: AuctionView): string {
  if (breach === null) return 'its home has signed two histories: rely on neither; see `export --proof`'
  return `its home does not keep to its receipts: ${oneLine(breach.rule)} (event ${breach.seq}); see \`verify --receipts\``
}

function statusWord({ state, phase, homeState, disputed }: AuctionView): string {
  let status: string = phase
  if (state.status === 'closed') status = state.result.sold ? 'sold' : 'unsold'
  else if (phase === 'ended') status = homeState === 'self' ? 'ended, being closed' : 'ended, waits for its home'
  return disputed ? `${status}, DISPUTED` : status
}

function priceWords(view: AuctionView): string {
  const { state } = view
  if (state.price === null) return `no bids yet, starts at ${money(view, state.terms.startPrice)}`
  const bids = `${state.bidCount} bid${state.bidCount === 1 ? '' : 's'}`
  return `${money(view, state.price)}, ${bids}, led by ${oneLine(state.leader?.name ?? '')}`
}

/** For the seller, who has to find out whom a pseudonym stands for. */
function winnerWords({ state, mine }: AuctionView): string | null {
  if (mine !== 'seller' || state.status !== 'closed' || !state.result.sold) return null
  const { id } = state.result.winner
  return isPseudonym(id) ? `${id}; where its gateway is, \`vendue user who\` says who that is` : null
}

/** When it ends or ended; empty for auctions that are closed by hand. */
export function endWords({ state }: AuctionView, look: Look): string {
  if (state.status === 'closed') return `${showTime(state.closedAt, look)} (${relative(state.closedAt - look.now())})`
  if (state.status === 'cancelled') return ''
  return state.closesAt === null ? '' : showWhen(state.closesAt, look)
}

/** "winning", "outbid", "won", "lost", "seller": how this node's user stands. */
export function standing({ mine }: Pick<AuctionView, 'mine'>, { paint }: Look): string {
  switch (mine) {
    case null:
      return ''
    case 'seller':
      return 'seller'
    case 'leading':
      return paint.good('winning')
    case 'won':
      return paint.good('won')
    case 'outbid':
      return paint.bad('outbid')
    case 'lost':
      return paint.dim('lost')
    default: {
      const unknown: never = mine
      throw new Error(`unknown standing ${String(unknown)}`)
    }
  }
}

function autoBidWords(autoBid: AutoBid, view: AuctionView): string {
  return `up to ${money(view, autoBid.limit)} (${stateWords(autoBid)})`
}

function stateWords({ state, refusal }: AutoBid): string {
  return refusal === null ? state : `${state}: ${refusal}`
}

function buyNowWords(view: AuctionView): string | null {
  const { buyNow } = view.state.terms
  if (buyNow === null) return null
  return view.buyNowAvailable ? money(view, buyNow) : `${money(view, buyNow)}, no longer available`
}

function softCloseWords({ softClose }: Terms, look: Look): string | null {
  if (softClose === null) return null
  const stop = softClose.hardStopAt === null ? '' : `, never past ${showTime(softClose.hardStopAt, look)}`
  return `a bid in the last ${showSpan(softClose.windowMs)} moves the end to ${showSpan(softClose.extensionMs)} after it${stop}`
}

/** A few bands are printed in full; of a long table, only the step that applies now. */
const MAX_BANDS_SHOWN = 4

function incrementWords(view: AuctionView): string {
  const { increments } = view.state.terms
  const step = money(view, incrementAt(increments, shownPrice(view)))
  if (increments.length === 1) return step
  if (increments.length > MAX_BANDS_SHOWN) return `${step} at this price, by a table of ${increments.length} bands`
  return increments.map((band) => `${money(view, band.step)} from ${money(view, band.from)}`).join(', ')
}

/** `price`: minor units of the log, or the text of an event. */
type Result<P> =
  | { readonly sold: true; readonly winner: { readonly name: string }; readonly price: P }
  | { readonly sold: false; readonly reason: 'no-bids' | 'reserve-not-met' }

/** "won by bob at 80.00 USDT", "not sold: no bids". */
export function describeResult<P>(result: Result<P>, priced: (price: P) => string): string {
  if (result.sold) return `won by ${oneLine(result.winner.name)} at ${priced(result.price)}`
  return result.reason === 'no-bids' ? 'not sold: no bids' : 'not sold: the reserve was not met'
}

function resultWords(view: AuctionView): string | null {
  const { state } = view
  if (state.status === 'cancelled')
    return `${state.by === 'home' ? 'given up by its home, nobody has won' : 'cancelled'}${state.reason === '' ? '' : `: ${oneLine(state.reason)}`}`
  return state.status === 'closed' ? describeResult(state.result, (minor) => money(view, minor)) : null
}

/** Only if it is not the seller's own node; an empty column is left out. */
function awayFromSeller({ state, homeState, homeName }: AuctionView): string {
  if (homeName === state.seller.name || state.home.nodeId === state.seller.id) return ''
  return homeState === 'self' ? 'this node' : shortName(homeName ?? state.home.nodeId)
}

function homeWords({ state, homeState, homeName }: AuctionView): string {
  if (homeState === 'self') return 'this node'
  const { nodeId } = state.home
  return homeName === null ? `${nodeId} (${homeState})` : `${oneLine(homeName)} (${homeState}), ${nodeId}`
}
