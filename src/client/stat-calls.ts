import type {
  StatBiddersResource,
  StatLotsResource,
  StatOverviewResource,
  StatPricesResource,
  StatSellersResource,
} from '../adapters/http/stat-resources.js'
import type { CallOptions, HttpCalls } from './http-calls.js'
import type { Session } from './session.js'

/** Which numbers: of all that the caller may see otherwise. */
export interface StatFrame {
  /** RFC 3339; the first event otherwise. */
  readonly from?: string
  /** RFC 3339, not included; now otherwise. */
  readonly to?: string
  readonly auction?: string
  readonly seller?: string
}

export interface StatSteps extends StatFrame {
  /** What suits the time otherwise. */
  readonly by?: 'minute' | 'hour' | 'day'
  /** In which hours and days begin, such as Europe/Berlin; UTC otherwise. */
  readonly time_zone?: string
}

const STATS = '/api/v1/stats'

/** The numbers about auctions: sellers get those of their own, admins all. Amounts are decimal text. */
export class StatCalls {
  readonly #http: HttpCalls
  readonly #session: Session

  constructor({ http, session }: { http: HttpCalls; session: Session }) {
    this.#http = http
    this.#session = session
  }

  /** Totals, and each step. */
  overview(steps: StatSteps = {}, options: CallOptions = {}): Promise<StatOverviewResource> {
    return this.#get('', steps, options)
  }

  /** Auctions that ran within the time, the newest first. */
  auctions(
    frame: StatFrame & { readonly cursor?: string; readonly limit?: number } = {},
    options: CallOptions = {},
  ): Promise<StatLotsResource> {
    return this.#get('/auctions', frame, options)
  }

  /** The most active first. */
  async bidders(
    frame: StatFrame & { readonly limit?: number } = {},
    options: CallOptions = {},
  ): Promise<StatBiddersResource['bidders']> {
    return (await this.#get<StatBiddersResource>('/bidders', frame, options)).bidders
  }

  /** What each seller sold, day by day unless another step is named. */
  sellers(steps: StatSteps = {}, options: CallOptions = {}): Promise<StatSellersResource> {
    return this.#get('/sellers', steps, options)
  }

  /** The price of an auction at the end of each step. */
  prices(auction: string, steps: StatSteps = {}, options: CallOptions = {}): Promise<StatPricesResource> {
    return this.#get('/prices', { ...steps, auction }, options)
  }

  /** A table as text: CSV for spreadsheets, or lines of JSON. */
  table(
    table: 'auctions' | 'bids' | 'results',
    frame: StatFrame & { readonly format?: 'csv' | 'ndjson' } = {},
    options: CallOptions = {},
  ): Promise<string> {
    const call = { method: 'GET', path: `${STATS}/tables/${table}`, query: { ...frame }, as: 'text' } as const
    return this.#http.ask({ ...call, ...options }, this.#session)
  }

  #get<T>(path: string, query: object, options: CallOptions): Promise<T> {
    const call = { method: 'GET', path: STATS + path, query: { ...query } } as const
    return this.#http.ask({ ...call, ...options }, this.#session)
  }
}
