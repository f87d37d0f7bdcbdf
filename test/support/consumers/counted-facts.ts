import type { EndedFact, OpenedFact, StatFact } from '../../../src/ports/store/stat-facts.js'
import type { StatFrame, StatScope } from '../../../src/ports/store/stat-queries.js'

/** The numbers that a database has to give, counted fact by fact. */
export class CountedFacts {
  readonly #facts: readonly StatFact[]

  constructor(facts: readonly StatFact[]) {
    this.#facts = facts
  }

  steps(scope: StatScope, edges: readonly number[]) {
    return edges.slice(0, -1).map((from, i) => {
      const to = edges[i + 1] as number
      const frame = { ...scope, from, to }
      const bids = this.#of('bid', frame)
      const endings = this.#of('ended', frame)
      return {
        from,
        to,
        opened: this.#of('opened', frame).length,
        bids: bids.length,
        bidders: new Set(bids.map(({ bid }) => bid.bidder.id)).size,
        auctionsBidOn: new Set(bids.map(({ auctionId }) => auctionId)).size,
        extensions: this.#of('extended', frame).length,
        sold: endings.filter(({ result }) => result?.sold).length,
        unsold: endings.filter(({ result }) => result?.sold === false).length,
        cancelled: endings.filter(({ result }) => result === null).length,
        sales: ['JPY', 'USD'].flatMap((code) => this.#sales(endings, code)),
      }
    })
  }

  medianFirstBidMs(frame: StatFrame): number | null {
    const waits = this.#of('opened', frame)
      .flatMap(({ auctionId, at, opensAt }) => {
        const bids = this.#of('bid', { auctionId, sellerId: null, from: 0, to: frame.to }).map((bid) => bid.at)
        return bids.length === 0 ? [] : [Math.min(...bids) - Math.max(at, opensAt ?? 0)]
      })
      .sort((a, b) => a - b)
    return waits[Math.floor((waits.length - 1) / 2)] ?? null
  }

  lots(frame: StatFrame) {
    return this.#of('opened', { ...frame, from: 0 })
      .filter(({ auctionId }) => (this.#endingOf(auctionId)?.at ?? frame.from) >= frame.from)
      .sort((a, b) => b.at - a.at || (b.auctionId < a.auctionId ? -1 : 1))
      .map(({ auctionId }) => {
        const whole = { auctionId, sellerId: null, from: 0, to: Number.MAX_SAFE_INTEGER }
        const bids = this.#of('bid', whole)
        return {
          auctionId,
          bids: bids.length,
          bidders: new Set(bids.map(({ bid }) => bid.bidder.id)).size,
          price: bids.length === 0 ? null : Math.max(...bids.map(({ bid }) => bid.price)),
          firstBidAt: bids.length === 0 ? null : Math.min(...bids.map(({ at }) => at)),
          extensions: this.#of('extended', whole).length,
          endedAt: this.#endingOf(auctionId)?.at ?? null,
        }
      })
  }

  bidders(frame: StatFrame) {
    const bids = this.#of('bid', frame)
    return [...new Set(bids.map(({ bid }) => bid.bidder.id))].map((id) => {
      const mine = bids.filter(({ bid }) => bid.bidder.id === id)
      const won = this.#of('ended', frame).filter(({ result }) => result?.sold && result.winner.id === id)
      return {
        id,
        bids: mine.length,
        auctions: new Set(mine.map(({ auctionId }) => auctionId)).size,
        won: ['JPY', 'USD'].flatMap((code) => {
          const those = won.filter((fact) => this.#openingOf(fact).currency.code === code)
          return those.length === 0 ? [] : [`${those.length} for ${sum(those.map(priceOf))} ${code}`]
        }),
      }
    })
  }

  sellers(scope: StatScope, edges: readonly number[]): string[] {
    const found: string[] = []
    for (const [i, from] of edges.slice(0, -1).entries()) {
      const sales = this.#of('ended', { ...scope, from, to: edges[i + 1] as number }).filter(
        ({ result }) => result?.sold,
      )
      const keyOf = (fact: EndedFact) => `${this.#openingOf(fact).seller.id} ${this.#openingOf(fact).currency.code}`
      for (const key of new Set(sales.map(keyOf))) {
        const those = sales.filter((fact) => keyOf(fact) === key)
        found.push(`${from} ${key} ${those.length} ${sum(those.map(priceOf))}`)
      }
    }
    return found.sort()
  }

  prices(auctionId: string, edges: readonly number[]) {
    return edges.slice(0, -1).map((from, i) => {
      const to = edges[i + 1] as number
      const before = this.#of('bid', { auctionId, sellerId: null, from: 0, to })
      const price = before.length === 0 ? null : Math.max(...before.map(({ bid }) => bid.price))
      return { from, to, bids: before.filter(({ at }) => at >= from).length, price }
    })
  }

  /** Keys of what an export has to list, in its order. */
  rows(kind: 'opened' | 'bid' | 'ended', frame: StatFrame): string[] {
    return this.#of(kind, frame)
      .sort((a, b) => a.at - b.at || (a.auctionId < b.auctionId ? -1 : a.auctionId > b.auctionId ? 1 : a.seq - b.seq))
      .map(({ auctionId, at }) => `${auctionId} ${at}`)
  }

  #sales(endings: readonly EndedFact[], code: string) {
    const sold = endings.filter((fact) => fact.result?.sold && this.#openingOf(fact).currency.code === code)
    const reserved = sold.filter(({ reserve }) => reserve !== null)
    if (sold.length === 0) return []
    return [
      {
        currency: { code, exponent: code === 'USD' ? 2 : 0 },
        sold: sold.length,
        hammer: sum(sold.map(priceOf)),
        start: sum(sold.map((fact) => this.#openingOf(fact).startPrice)),
        reserved: {
          sold: reserved.length,
          hammer: sum(reserved.map(priceOf)),
          reserve: sum(reserved.map(({ reserve }) => reserve ?? 0)),
        },
      },
    ]
  }

  #of<K extends StatFact['kind']>(
    kind: K,
    { from, to, auctionId, sellerId }: StatFrame,
  ): Extract<StatFact, { kind: K }>[] {
    return this.#facts.filter((fact): fact is Extract<StatFact, { kind: K }> => {
      if (fact.kind !== kind || fact.at < from || fact.at >= to) return false
      return (
        (auctionId === null || fact.auctionId === auctionId) &&
        (sellerId === null || this.#openingOf(fact).seller.id === sellerId)
      )
    })
  }

  #openingOf({ auctionId }: Pick<StatFact, 'auctionId'>): OpenedFact {
    return this.#facts.find((fact) => fact.kind === 'opened' && fact.auctionId === auctionId) as OpenedFact
  }

  #endingOf(auctionId: string): EndedFact | undefined {
    return this.#facts.find((fact): fact is EndedFact => fact.kind === 'ended' && fact.auctionId === auctionId)
  }
}

function priceOf({ result }: EndedFact): number {
  return result?.sold ? result.price : 0
}

function sum(amounts: readonly number[]): bigint {
  return amounts.reduce((total, amount) => total + BigInt(amount), 0n)
}
