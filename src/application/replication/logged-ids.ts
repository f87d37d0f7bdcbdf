import { type AuctionEvent, commandIdOf } from '../../domain/events.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { Random } from '../../ports/system/random.js'
import { eventsOf } from '../log/written-body.js'
import { IdSet } from './id-set.js'

export interface LoggedIdsDeps {
  readonly eventLog: Pick<EventLog, 'read'>
  readonly random: Random
}

/** The most bytes for the ids of all auctions in memory; those of the auction being read may be more. */
const MAX_BYTES = 32 * 1024 * 1024
const PAGE = { commits: 256, bytes: 1024 * 1024 }

/**
 * Which bid ids stand in the replicated logs: a bid counts once, so that no home brings back a maximum that
 * its bidder has lowered since. They are read from the store if they are not in memory.
 */
export class LoggedIds {
  readonly #deps: LoggedIdsDeps
  readonly #seed: number
  /** By auction, the most recently used last. `seq`: how far its log was read. */
  readonly #known = new Map<string, { readonly seq: number; readonly ids: IdSet }>()
  #bytes = 0

  constructor(deps: LoggedIdsDeps) {
    this.#deps = deps
    this.#seed = Buffer.from(deps.random.bytes(4)).readUInt32LE()
  }

  /** The ids of a log up to this seq. A caller that adds to them calls `keep` or `forget` afterwards. */
  async upTo(auctionId: string, seq: number): Promise<IdSet> {
    const known = this.#known.get(auctionId)
    if (known?.seq === seq) return known.ids
    const ids = new IdSet(this.#seed)
    for (let next = 1; next <= seq; ) {
      const commits = await this.#deps.eventLog.read(auctionId, next, PAGE)
      // The log may have grown meanwhile, and what is asked about may stand there.
      for (const { body, firstSeq } of commits) if (firstSeq <= seq) ids.addAll(commandIdsIn(eventsOf(body)))
      next = (commits.at(-1)?.lastSeq ?? seq) + 1
    }
    return ids
  }

  /** They hold what stands in the log up to this seq. */
  keep(auctionId: string, seq: number, ids: IdSet): void {
    this.forget(auctionId)
    this.#known.set(auctionId, { seq, ids })
    this.#bytes += ids.bytes
    for (const [other] of this.#known) {
      if (this.#bytes <= MAX_BYTES || other === auctionId) return
      this.forget(other)
    }
  }

  /** The log has grown by events that carry out no command. */
  moveOn(auctionId: string, fromSeq: number, toSeq: number): void {
    const known = this.#known.get(auctionId)
    if (known?.seq === fromSeq) this.#known.set(auctionId, { ...known, seq: toSeq })
  }

  forget(auctionId: string): void {
    const known = this.#known.get(auctionId)
    if (known === undefined) return
    this.#bytes -= known.ids.bytes
    this.#known.delete(auctionId)
  }
}

export function commandIdsIn(events: readonly AuctionEvent[]): string[] {
  const ids: string[] = []
  for (const event of events) {
    const id = commandIdOf(event)
    if (id !== null) ids.push(id)
  }
  return ids
}
