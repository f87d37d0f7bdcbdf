import { formatAmount } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { Caller } from '../../ports/accounts/caller.js'
import type { AuctionView } from '../../ports/node/node-answers.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { Pseudonyms } from '../accounts/pseudonyms.js'
import type { AuctionFactsCache } from './auction-facts.js'
import { ANONYMOUS } from './callers.js'
import { GatewayRefusal } from './gateway-refusal.js'

export interface BiddersDeps {
  readonly api: Pick<NodeApi, 'list' | 'maxima' | 'show'>
  readonly facts: AuctionFactsCache
  /** Null: names are taken on trust, and there is nobody to make a pseudonym for. */
  readonly pseudonyms: Pseudonyms | null
}

/** `own`: it is the seller, which a home could not see behind a pseudonym. */
export interface AuctionBidder {
  readonly auctionId: string
  readonly homeNodeId: string
  readonly inCluster: boolean
  readonly as: Party
  readonly own: boolean
}

export interface BidsPage {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

const PSEUDONYMOUS_CURSOR = /^anon\.(\d{1,15})$/
const FIRST_PSEUDONYMOUS = `anon.${'9'.repeat(15)}`
const DEFAULT_PAGE = 50

/** Who callers are in auctions: themselves, or a pseudonym where the terms ask for one. The seller stays the seller. */
export class Bidders {
  readonly #deps: BiddersDeps

  constructor(deps: BiddersDeps) {
    this.#deps = deps
  }

  /** As `bidder`, where nothing has to be asked for it: most bids wait for nobody here. Null if something has to. */
  known({ party }: Caller, auction: string): AuctionBidder | null {
    const facts = this.#deps.facts.peek(auction)
    if (facts?.terms.bidderNames !== 'public') return null
    const { homeNodeId, inCluster } = facts
    return { auctionId: auction, homeNodeId, inCluster, as: party, own: false }
  }

  /**
   * Who bids. Rejects with `NodeError`, and with `GatewayRefusal` ACCOUNT_NEEDED where there is no pseudonym to be had.
   */
  async bidder({ party }: Caller, auction: string): Promise<AuctionBidder> {
    const { auctionId, homeNodeId, inCluster, terms, sellerId } = await this.#deps.facts.of(auction)
    const place = { auctionId, homeNodeId, inCluster }
    if (terms.bidderNames === 'public') return { ...place, as: party, own: false }
    if (sellerId === party.id) return { ...place, as: party, own: true }
    const { pseudonyms } = this.#deps
    if (pseudonyms === null) {
      throw new GatewayRefusal(
        'ACCOUNT_NEEDED',
        'this auction shows bidders by pseudonyms, and this gateway, which takes names on trust, has none to give',
        { next: 'bid through a gateway with accounts (--auth accounts), or from a node of your own' },
      )
    }
    // Before the bid, so that no accepted one can be missing from its bidder's list.
    await pseudonyms.bids.note(party.id, auctionId)
    return { ...place, as: pseudonyms.of(party.id, auctionId), own: false }
  }

  /** Who the caller is among those who watch; null if that must stay secret. */
  watcher(caller: Caller | null, view: AuctionView): Party | null {
    if (caller === null) return null
    const { terms, seller } = view.state
    if (terms.bidderNames === 'public' || seller.id === caller.party.id) return caller.party
    return this.#deps.pseudonyms?.of(caller.party.id, view.auctionId) ?? null
  }

  /** As the caller sees it. Rejects with `NodeError`. */
  async show(auction: string, caller: Caller | null): Promise<AuctionView> {
    const view = await this.#deps.api.show({ auction, as: caller?.party ?? ANONYMOUS.party })
    return ((await this.seen([view], caller)) as [AuctionView])[0]
  }

  /** Views that were asked for under the caller's own name, with how it stands under its pseudonyms. */
  async seen(views: readonly AuctionView[], caller: Caller | null): Promise<AuctionView[]> {
    const { api, pseudonyms } = this.#deps
    const hidden = views.filter(({ state, mine }) => state.terms.bidderNames !== 'public' && mine === null)
    if (caller === null || pseudonyms === null || hidden.length === 0) return [...views]
    const { id } = caller.party
    const noted = await pseudonyms.bids.among(
      id,
      hidden.map(({ auctionId }) => auctionId),
    )
    return Promise.all(
      views.map((view) =>
        noted.has(view.auctionId) ? api.show({ auction: view.auctionId, as: pseudonyms.of(id, view.auctionId) }) : view,
      ),
    )
  }

  /**
   * Whose account of this gateway bids under this name there; null if it is none, or only another gateway knows.
   */
  async accountBehind(party: Party, auctionId: string): Promise<Party | null> {
    const found = await this.#deps.pseudonyms?.behind(party.id, auctionId)
    return found ? { id: found.account.id, name: found.account.name } : null
  }

  /** What the caller has bid on: in its own name, the newest auction first; then under pseudonyms, the newest there. */
  async bidOn(caller: Caller, { cursor, limit = DEFAULT_PAGE }: BidsPage) {
    const { party } = caller
    const hidden = PSEUDONYMOUS_CURSOR.exec(cursor ?? '')?.[1]
    if (hidden !== undefined && this.#deps.pseudonyms !== null)
      return this.#bidUnderPseudonyms(caller, { before: Number(hidden), limit })
    const page = await this.#deps.api.list({
      as: party,
      bidder: party.id,
      limit,
      ...(cursor !== undefined && { cursor }),
    })
    const room = limit - page.auctions.length
    if (page.next !== null) return page
    if (room <= 0) {
      const hasMore = (await this.#deps.pseudonyms?.bids.list(party.id, { before: null, limit: 1 }))?.length
      return { auctions: page.auctions, next: hasMore ? FIRST_PSEUDONYMOUS : null }
    }
    const more = await this.#bidUnderPseudonyms(caller, { before: null, limit: room })
    return { auctions: [...page.auctions, ...more.auctions], next: more.next }
  }

  /**
   * The most that the caller may be charged for each of these that it leads, as decimal text, where the node knows.
   * Never in a name that anybody may take, and not for a key that may only read.
   */
  async maxima(caller: Caller, views: readonly AuctionView[]): Promise<Map<string, string>> {
    if (this.#deps.pseudonyms === null || !caller.scopes.includes('bid')) return new Map()
    const led = views.filter(({ mine }) => mine === 'leading')
    const of = led.map((view) => ({ auction: view.auctionId, party: (this.watcher(caller, view) ?? caller.party).id }))
    const maxima = of.length === 0 ? [] : await this.#deps.api.maxima({ of })
    const known = new Map<string, string>()
    for (const [i, { auctionId, state }] of led.entries()) {
      const maximum = maxima[i] ?? null
      if (maximum !== null) known.set(auctionId, formatAmount(maximum, state.terms.currency))
    }
    return known
  }

  async #bidUnderPseudonyms(
    { party }: Caller,
    { before, limit }: { before: number | null; limit: number },
  ): Promise<{ auctions: AuctionView[]; next: string | null }> {
    const { api, pseudonyms } = this.#deps
    if (pseudonyms === null) return { auctions: [], next: null }
    // One more than is asked for shows whether there are more.
    const found = await pseudonyms.bids.list(party.id, { before, limit: limit + 1 })
    const noted = found.slice(0, limit)
    const views = await Promise.all(
      noted.map(({ auctionId }) =>
        api
          .show({ auction: auctionId, as: pseudonyms.of(party.id, auctionId) })
          .catch((error: unknown) => unlessUnknown(error)),
      ),
    )
    const last = found.length > limit ? (noted.at(-1)?.position ?? null) : null
    return {
      // One of a bid that was refused is noted too.
      auctions: views.filter((view) => view !== null && view.mine !== null) as AuctionView[],
      next: last === null ? null : `anon.${last}`,
    }
  }
}

/** Another node's data directory may stand behind the gateway by now. */
function unlessUnknown(error: unknown): null {
  if (error instanceof NodeError && error.code === 'AUCTION_NOT_FOUND') return null
  throw error
}
