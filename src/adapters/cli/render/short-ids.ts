import type { NodeApi } from '../../../ports/node/node-api.js'
import { NodeError } from '../../../ports/node/node-error.js'

const PREFIX_LENGTH = 'auc_'.length
const MIN_CHARACTERS = 4
/** For a page of many auctions: long enough to be unique among those that the page does not show. */
const MIN_CHARACTERS_OF_PAGE = 6
const MAX_KNOWN = 10_000

/** The shortest ids that people can type back: unambiguous among all auctions that the node knows. */
export class ShortIds {
  readonly #api: () => Promise<Pick<NodeApi, 'show'>>
  /** Full id to the number of characters that make it unique. */
  readonly #known = new Map<string, number>()

  constructor(api: () => Promise<Pick<NodeApi, 'show'>>) {
    this.#api = api
  }

  /** Asks the node whether the short form is enough. Never rejects: it is for display. */
  async of(auctionId: string): Promise<string> {
    let length = this.#known.get(auctionId) ?? 0
    if (length === 0) {
      length = Math.min(MIN_CHARACTERS, auctionId.length - PREFIX_LENGTH)
      while (PREFIX_LENGTH + length < auctionId.length && (await this.#isAmbiguous(auctionId, length))) length++
      this.#remember(auctionId, length)
    }
    return auctionId.slice(0, PREFIX_LENGTH + length)
  }

  /** Short ids of a page of auctions. `complete`: these are all that the node knows. */
  ofPage(auctionIds: readonly string[], complete: boolean): Map<string, string> {
    const least = complete ? MIN_CHARACTERS : MIN_CHARACTERS_OF_PAGE
    const sorted = [...auctionIds].sort()
    const short = new Map<string, string>()
    sorted.forEach((id, i) => {
      const shared = Math.max(commonLength(id, sorted[i - 1]), commonLength(id, sorted[i + 1]))
      short.set(id, id.slice(0, Math.max(PREFIX_LENGTH + least, shared + 1)))
    })
    return short
  }

  async #isAmbiguous(auctionId: string, length: number): Promise<boolean> {
    try {
      const api = await this.#api()
      await api.show({ auction: auctionId.slice(0, PREFIX_LENGTH + length) })
      return false
    } catch (error) {
      if (error instanceof NodeError && error.code === 'AUCTION_AMBIGUOUS') return true
      // If the node cannot say, it reports the ambiguity when the id is typed.
      return false
    }
  }

  #remember(auctionId: string, length: number): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(auctionId, length)
  }
}

function commonLength(a: string, b: string | undefined): number {
  let length = 0
  while (b !== undefined && length < a.length && a[length] === b[length]) length++
  return length
}
