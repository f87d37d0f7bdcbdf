import type { EventMessage, EventType } from './public-events.js'

/** How one protocol writes a message. Each is a constant: its bytes are made once, however many readers there are. */
export type Encoding = (message: LiveMessage) => Buffer

/** An event as all readers get it: its text is made once, however many there are. */
export class LiveMessage {
  readonly auctionId: string
  readonly seq: number
  readonly body: EventMessage
  /** The place after it in the list of all events; null if it was read from one auction's list. */
  readonly cursor: string | null
  #text: string | null = null
  #catalogueText: string | null = null
  #encoded: Map<Encoding, Buffer> | null = null

  constructor(body: EventMessage, cursor: string | null) {
    this.auctionId = body.auction_id
    this.seq = body.seq
    this.body = body
    this.cursor = cursor
  }

  get type(): EventType {
    return this.body.type
  }

  /** Its JSON. */
  get text(): string {
    this.#text ??= JSON.stringify(this.body)
    return this.#text
  }

  /** The event with the cursor, for those who hear everything. */
  get inCatalogue(): EventMessage {
    return this.cursor === null ? this.body : { ...this.body, cursor: this.cursor }
  }

  get catalogueText(): string {
    this.#catalogueText ??= JSON.stringify(this.inCatalogue)
    return this.#catalogueText
  }

  /** As `encoding` writes it. */
  encoded(encoding: Encoding): Buffer {
    this.#encoded ??= new Map()
    let bytes = this.#encoded.get(encoding)
    if (bytes === undefined) {
      bytes = encoding(this)
      this.#encoded.set(encoding, bytes)
    }
    return bytes
  }
}
