import type { Head } from '../../domain/commit.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import type { DigestPart } from '../../ports/mesh/sync-messages.js'
import type { AuctionHead, EventLog } from '../../ports/store/event-log.js'
import type { HeadsDigest } from './heads-digest.js'

export interface HeadComparisonDeps {
  readonly peerClient: Pick<PeerClient, 'digest' | 'heads'>
  readonly eventLog: Pick<EventLog, 'heads'>
  readonly headsDigest: Pick<HeadsDigest, 'parts'>
}

/** An auction of which the peer has commits that this node lacks. */
export interface Difference {
  readonly auctionId: string
  /** The seq to pull from: after our head, or at it if the peer's head differs. */
  readonly fromSeq: number
  /** Where the peer's log ends. */
  readonly untilSeq: number
  /** The peer's log is as long as ours and differs. */
  readonly isFork: boolean
}

const HEADS_PAGE = 1_000
/** If more parts than this differ, all heads are read in one go. */
const MAX_PARTS_APART = 8
/** A digest is small and in memory: a call that takes longer has probably been lost, and another peer is tried. */
const DIGEST_TIMEOUT_MS = 2_000
const HEADS_TIMEOUT_MS = 5_000
/**
 * How many pages may be short, and how many heads the others must have: without this a peer could send pages for ever.
 */
const SHORT_PAGES = 16
const MIN_HEADS_PER_PAGE = 100

/**
 * Yields what the peer has and this node lacks, page by page. Digests come first: between nodes that hold the same, one
 * small call is enough. Rejects if the peer cannot be asked.
 */
export async function* compareHeads(
  deps: HeadComparisonDeps,
  address: string,
): AsyncGenerator<Difference[], void, undefined> {
  const theirs = await deps.peerClient.digest(address, { timeoutMs: DIGEST_TIMEOUT_MS })
  const prefixes = differingPrefixes(theirs, await deps.headsDigest.parts())
  for (const prefix of prefixes.length > MAX_PARTS_APART ? [''] : prefixes) yield* comparePart(deps, address, prefix)
}

/** The parts in which the peer holds something else than we do. */
function differingPrefixes(theirs: readonly DigestPart[], ours: readonly DigestPart[]): string[] {
  const sums = new Map(ours.map(({ prefix, sum }) => [prefix, sum]))
  return theirs.filter(({ prefix, sum }) => sums.get(prefix) !== sum).map(({ prefix }) => prefix)
}

async function* comparePart(
  { peerClient, eventLog }: HeadComparisonDeps,
  address: string,
  prefix: string,
): AsyncGenerator<Difference[], void, undefined> {
  // A prefix comes before every id that begins with it.
  const ours = new OwnHeads(eventLog, prefix === '' ? null : prefix)
  let afterId: string | null = null
  let pages = 0
  let heads = 0
  do {
    const options = { timeoutMs: HEADS_TIMEOUT_MS }
    const page: { heads: AuctionHead[]; next: string | null } = await peerClient.heads(
      address,
      { prefix, afterId },
      options,
    )
    pages += 1
    heads += page.heads.length
    if (heads < (pages - SHORT_PAGES) * MIN_HEADS_PER_PAGE) throw new Error('the peer’s pages are too short')
    const differences: Difference[] = []
    for (const { auctionId, seq, hash } of page.heads) {
      if (!auctionId.startsWith(prefix)) throw new Error('the peer’s heads are not those asked for')
      if (afterId !== null && auctionId <= afterId) throw new Error('the peer’s heads are out of order')
      afterId = auctionId
      const own = await ours.find(auctionId)
      const past = own?.seq ?? 0
      if (seq > past) {
        differences.push({ auctionId, fromSeq: past + 1, untilSeq: seq, isFork: false })
      }
      // As long as ours, and different: one of the two is a lie, and the commit itself may prove whose.
      else if (seq === past && hash !== own?.hash)
        differences.push({ auctionId, fromSeq: seq, untilSeq: seq, isFork: true })
    }
    if (differences.length > 0) yield differences
    if (page.next !== null && (page.next !== afterId || page.heads.length === 0))
      throw new Error('the peer’s pages do not join')
    afterId = page.next
  } while (afterId !== null)
}

/** This node's heads, looked up in ascending order. */
class OwnHeads {
  readonly #log: Pick<EventLog, 'heads'>
  #page: AuctionHead[] = []
  #next = 0
  #afterId: string | null
  #done = false

  constructor(log: Pick<EventLog, 'heads'>, afterId: string | null) {
    this.#log = log
    this.#afterId = afterId
  }

  async find(auctionId: string): Promise<Head | null> {
    for (;;) {
      const head = this.#page[this.#next]
      if (head === undefined) {
        if (this.#done) return null
        this.#page = await this.#log.heads(this.#afterId, HEADS_PAGE)
        this.#next = 0
        this.#afterId = this.#page.at(-1)?.auctionId ?? this.#afterId
        this.#done = this.#page.length < HEADS_PAGE
      } else if (head.auctionId < auctionId) this.#next += 1
      else return head.auctionId === auctionId ? head : null
    }
  }
}
