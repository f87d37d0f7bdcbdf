import { batch, type Signal, signal } from '@preact/signals'
import {
  type AuctionWatch,
  type Bid,
  type EventMessage,
  type EventOf,
  type Presence,
  RequestRefused,
  type VendueClient,
} from 'vendue/client'
import { afterEvent, type Lot } from '../../model/lot.js'
import { announceAtOnce, announcePolitely } from './announce.js'
import { ownBids, pending, seenInLog } from './bidding.js'
import { change, lots, take } from './catalogue.js'
import { readClock } from './clock.js'
import { t, writing } from './language.js'
import { perFrame } from './per-frame.js'
import { readOverHttp } from './reach.js'
import { link } from './session.js'

export interface BidLine {
  readonly seq: number
  readonly atMs: number
  readonly bidderId: string
  readonly bidder: string
  readonly kind: 'plain' | 'max' | 'max-change' | 'buy-now'
  readonly price: string
  readonly leads: boolean
  readonly bidId: string
}

export interface Missed {
  readonly count: number
  readonly price: string
}

const HISTORY_PAGE = 30
/** Of an auction that is watched for long; earlier ones are read again when somebody asks for them. */
const MAX_LINES = 2_000
/** The home's state is heard of by asking alone. */
const LOOK_MS = 4_000
const LOOK_WHEN_LOST_MS = 2_000
const RETRY_MS = 2_000
/** After a reconnection what was missed comes within this. */
const CATCH_UP_MS = 1_500
const MISSED_FOR_MS = 15_000

/** One auction, as its own page follows it. */
export class OpenLot {
  readonly id: string
  readonly lot = signal<Signal<Lot> | null>(null)
  readonly bids = signal<readonly BidLine[]>([])
  /** How many of them the reader has asked to see. */
  readonly shown = signal(HISTORY_PAGE)
  /** The gateway has earlier ones. */
  readonly hasMore = signal(false)
  readonly isMissing = signal(false)
  readonly missed = signal<Missed | null>(null)
  readonly presence = signal<Presence | null>(null)
  /** Bids wait for another node to take the auction over. */
  readonly isMoving = signal(false)
  readonly #client: VendueClient | null
  #watch: AuctionWatch | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false
  #backAtMs = 0
  #before: number | null = null
  #unsubscribe: () => void

  /** Without a client there is no gateway: what is known of the auction is shown, and nothing is asked. */
  constructor(client: VendueClient | null, id: string) {
    this.#client = client
    this.id = id
    this.lot.value = lots.get(id) ?? null
    let wasOnline = link.peek().state === 'online'
    this.#unsubscribe = link.subscribe(({ state }) => {
      const isOnline = state === 'online'
      if (isOnline && !wasOnline) this.#cameBack()
      wasOnline = isOnline
    })
    if (client) void this.#open(client)
    else this.isMissing.value = this.lot.peek() === null
  }

  close(): void {
    this.#isClosed = true
    this.#watch?.close()
    this.#unsubscribe()
    clearTimeout(this.#timer)
  }

  async #open(client: VendueClient): Promise<void> {
    while (!this.#isClosed) {
      try {
        const watch = await client.watch(this.id, { presence: true })
        if (this.#isClosed) return watch.close()
        this.#watch = watch
        watch.on(
          'event',
          perFrame((event) => this.#heard(event)),
        )
        watch.onPresence((presence) => {
          this.presence.value = presence
        })
        watch.onMoving(({ moving }) => {
          this.isMoving.value = moving
        })
        this.lot.value = take(watch.auction)
        this.#look(client)
        void this.#begin()
        return
      } catch (error) {
        if (error instanceof RequestRefused && (error.status === 404 || error.status === 409)) {
          this.isMissing.value = true
          return
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  /** The newest of the bids; later ones come as events. */
  async #begin(): Promise<void> {
    while (!this.#isClosed) {
      try {
        return await this.#read(HISTORY_PAGE)
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  /** Earlier bids. */
  async more(): Promise<void> {
    const shown = this.shown.peek() + HISTORY_PAGE
    if (this.hasMore.peek()) await this.#read(shown)
    this.shown.value = shown
  }

  /** Reads until there are so many, or all. */
  async #read(wanted: number): Promise<void> {
    while (this.#client && !this.#isClosed) {
      const { bids, next } = await this.#client.history(this.id, {
        limit: HISTORY_PAGE,
        ...(this.#before !== null && { beforeSeq: this.#before }),
      })
      this.#before = next
      const isAll = next === null || bids.length < HISTORY_PAGE
      batch(() => {
        this.hasMore.value = !isAll
        const lines = bids.map(lineOf)
        for (const line of lines) seenInLog(this.id, line)
        this.bids.value = joined(this.bids.peek(), lines)
      })
      if (isAll || this.bids.peek().length >= wanted) return
    }
  }

  /** What no event says: whether the home is there, what can be bought at once; all of it where nothing is live. */
  #look(client: VendueClient): void {
    const isLive = link.peek().state === 'online'
    this.#timer = setTimeout(
      async () => {
        const lot = this.lot.peek()?.peek()
        if (lot?.ending && isLive) return
        try {
          const auction = await client.show(this.id, { deadlineMs: LOOK_MS })
          if (this.#isClosed) return
          take(auction)
          if (link.peek().state !== 'online') readOverHttp()
        } catch {
          // The next look may do better; what is known stays, and is dated.
        }
        if (!this.#isClosed) this.#look(client)
      },
      isLive ? LOOK_MS : LOOK_WHEN_LOST_MS,
    )
  }

  #heard(event: EventMessage): void {
    const source = this.lot.peek()
    if (!source) return
    const before = source.peek()
    if (event.type === 'bid_placed') this.#line(event)
    // The list of all auctions may have brought it already.
    const after = event.seq > before.seq ? afterEvent(before, event, ownBids.peek()) : before
    if (after !== before) change(source, after)
    this.#say(event, after)
    if (event.type === 'bid_placed' && this.#backAtMs > 0 && Date.parse(event.timestamp) < this.#backAtMs) {
      const count = (this.missed.peek()?.count ?? 0) + 1
      this.missed.value = { count, price: event.price }
    }
  }

  #line(event: EventOf<'bid_placed'>): void {
    const line: BidLine = {
      seq: event.seq,
      atMs: Date.parse(event.timestamp),
      bidderId: event.bidder.id,
      bidder: event.bidder.name,
      kind: event.kind,
      price: event.price,
      leads: event.leads,
      bidId: event.bid_id,
    }
    seenInLog(this.id, line)
    const lines = joined(this.bids.peek(), [line])
    const most = Math.max(MAX_LINES, this.shown.peek())
    if (lines.length > most) {
      lines.length = most
      this.hasMore.value = true
      this.#before = lines.at(-1)?.seq ?? null
    }
    this.bids.value = lines
  }

  #say(event: EventMessage, { you, price, currency, ownIds }: Lot): void {
    const money = price === null ? '' : writing.peek().money(price, currency)
    if (event.type === 'bid_placed') {
      const wasOwn = ownIds.has(event.bidder.id)
      if (you === 'outbid' && !wasOwn && this.#led)
        announceAtOnce(this.id, event.seq, t('say.outbid', { price: money }))
      else if (you === 'leading' && wasOwn) announceAtOnce(this.id, event.seq, t('say.leading', { price: money }))
      else announcePolitely(t('say.price', { price: money }))
    } else if (event.type === 'auction_closed' && (you === 'won' || you === 'lost')) {
      announceAtOnce(this.id, event.seq, t(you === 'won' ? 'say.won' : 'say.lost', { price: money }))
    }
    this.#led = you === 'leading'
  }
  #led = false

  #cameBack(): void {
    this.#backAtMs = readClock()
    this.missed.value = null
    setTimeout(() => {
      this.#backAtMs = 0
    }, CATCH_UP_MS)
    setTimeout(() => {
      this.missed.value = null
    }, MISSED_FOR_MS)
  }
}

/** Newest first, each once. */
function joined(lines: readonly BidLine[], more: readonly BidLine[]): BidLine[] {
  const [newest] = lines
  const [only] = more
  if (only && more.length === 1 && only.seq > (newest?.seq ?? 0)) return [only, ...lines]
  const known = new Set(lines.map(({ seq }) => seq))
  return [...lines, ...more.filter(({ seq }) => !known.has(seq))].sort((a, b) => b.seq - a.seq)
}

function lineOf(bid: Bid): BidLine {
  return {
    seq: bid.seq,
    atMs: Date.parse(bid.at),
    bidderId: bid.bidder.id,
    bidder: bid.bidder.name,
    kind: bid.kind,
    price: bid.price,
    leads: bid.leads,
    bidId: bid.bid_id,
  }
}

/** Whether an offer of the visitor's is on its way there. */
export function isBusy(id: string): boolean {
  return pending.value.has(id)
}
