import type { DigestPart } from '../../ports/mesh/sync-messages.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'

/** `auc_` and one more character: an id is a hash in base32, so there are 32 parts of about the same size. */
const PREFIX_LENGTH = 5
const HASH_BYTES = 32
const HEADS_PAGE = 1_000

/**
 * Sums over the heads of all auctions, by the beginning of their ids, so that two nodes learn with one small call
 * whether they hold the same, and where they do not. A head's hash already binds its auction and its seq, so the sum is
 * just those hashes, added without carry: a new commit subtracts its predecessor's and adds its own.
 */
export class HeadsDigest {
  readonly #log: Pick<PublishingEventLog, 'heads' | 'onPublished' | 'appends'>
  /** Null until the log has been read through once while nothing was written to it. */
  #sums: Map<string, Buffer> | null = null
  #reading: Promise<Map<string, Buffer>> | null = null
  #unlisten: (() => void) | null = null

  constructor(deps: { eventLog: Pick<PublishingEventLog, 'heads' | 'onPublished' | 'appends'> }) {
    this.#log = deps.eventLog
  }

  start(): void {
    this.#unlisten ??= this.#log.onPublished(({ commit, prevHash }) => {
      if (this.#sums === null) return
      const { auctionId, hash } = commit
      if (prevHash !== null) add(this.#sums, auctionId, prevHash)
      add(this.#sums, auctionId, hash)
    })
  }

  stop(): void {
    this.#unlisten?.()
    this.#unlisten = null
    this.#sums = null
  }

  /** By prefix, ascending. It may lack what is being written at the moment. */
  async parts(): Promise<DigestPart[]> {
    const sums = this.#sums ?? (await this.#readOnce())
    return [...sums]
      .map(([prefix, sum]) => ({ prefix, sum: sum.toString('hex') }))
      .filter(({ sum }) => sum !== NOTHING)
      .sort((a, b) => (a.prefix < b.prefix ? -1 : 1))
  }

  #readOnce(): Promise<Map<string, Buffer>> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #read(): Promise<Map<string, Buffer>> {
    const before = this.#log.appends
    const sums = new Map<string, Buffer>()
    let afterId: string | null = null
    for (;;) {
      const page = await this.#log.heads(afterId, HEADS_PAGE)
      for (const { auctionId, hash } of page) add(sums, auctionId, hash)
      afterId = page.at(-1)?.auctionId ?? null
      if (page.length < HEADS_PAGE) break
    }
    // What was written meanwhile may be missing: then the sum is used once and not kept.
    const quiet = before.begun === before.ended && this.#log.appends.begun === before.begun
    if (quiet && this.#unlisten !== null) this.#sums = sums
    return sums
  }
}

const NOTHING = '0'.repeat(2 * HASH_BYTES)

function add(sums: Map<string, Buffer>, auctionId: string, hash: string): void {
  const prefix = auctionId.slice(0, PREFIX_LENGTH)
  let sum = sums.get(prefix)
  if (sum === undefined) {
    sum = Buffer.alloc(HASH_BYTES)
    sums.set(prefix, sum)
  }
  const bytes = Buffer.from(hash, 'hex')
  for (let i = 0; i < HASH_BYTES; i++) sum[i] = (sum[i] as number) ^ (bytes[i] as number)
}
