import { once } from 'node:events'
import { WebSocket } from 'ws'

const IN_FLIGHT = 200
const MAXIMUM = '1000000'

/** Bids of one person, each below the maximum that another one has left: each stands, and moves the price. */
export class Rivals {
  readonly #socket: WebSocket
  readonly #url: string
  readonly #auctionId: string
  #sent = 0
  #answered = 0
  #wake = () => {}

  private constructor(url: string, auctionId: string, socket: WebSocket) {
    this.#url = url
    this.#auctionId = auctionId
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString()) as { type: string }
      if (message.type === 'bid_rejected') throw new Error(JSON.stringify(message))
      if (message.type !== 'bid_accepted') return
      this.#answered += 1
      this.#wake()
    })
  }

  static async start(url: string, auctionId: string): Promise<Rivals> {
    const response = await fetch(`${url}/api/v1/auctions/${auctionId}/bids`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user_id: 'rival', kind: 'max', amount: MAXIMUM }),
    })
    if (!response.ok) throw new Error(await response.text())
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?user_id=kim`, { perMessageDeflate: false })
    await once(socket, 'open')
    return new Rivals(url, auctionId, socket)
  }

  /** After the last bid: what the maximum answers it with. */
  get price(): string {
    return ((2 * this.#sent + 1) / 100).toFixed(2)
  }

  async paced(perSecond: number, seconds: number): Promise<void> {
    const startedAt = performance.now()
    for (let i = 1; i <= perSecond * seconds; i++) {
      const waitMs = startedAt + (i * 1_000) / perSecond - performance.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      await this.#until(this.#sent - IN_FLIGHT)
      this.#bid()
    }
    await this.#until(this.#sent)
  }

  async asFastAsTaken(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#bid()
      await this.#until(this.#sent - IN_FLIGHT)
    }
    await this.#until(this.#sent)
  }

  /** When the home decided each bid, by the price that it made. */
  async committed(): Promise<ReadonlyMap<string, number>> {
    const all = new Map<string, number>()
    let before: number | null = null
    do {
      const from: string = before === null ? '' : `&before_seq=${before}`
      const answer = await fetch(`${this.#url}/api/v1/auctions/${this.#auctionId}/bids?limit=200${from}`)
      const page = (await answer.json()) as { bids: { price: string; at: string }[]; next: number | null }
      for (const { price, at } of page.bids) all.set(price, Date.parse(at))
      before = page.next
    } while (before !== null)
    return all
  }

  close(): void {
    this.#socket.terminate()
  }

  #bid(): void {
    this.#sent += 1
    const amount = ((2 * this.#sent) / 100).toFixed(2)
    const bid = {
      type: 'place_bid',
      auction_id: this.#auctionId,
      amount,
      bid_id: `bid_${this.#auctionId.slice(4, 12)}-${this.#sent}`,
    }
    this.#socket.send(JSON.stringify(bid))
  }

  async #until(answered: number): Promise<void> {
    while (this.#answered < answered)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
  }
}
