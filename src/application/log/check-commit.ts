import type { Auction, OpenedAuction } from '../../domain/auction.js'
import type { Commit } from '../../domain/commit.js'
import { evolve, IllegalEventError } from '../../domain/evolve.js'
import { MAX_CLOCK_DIFFERENCE_MS } from '../../domain/limits.js'
import type { Home } from '../../domain/party.js'
import { BadCommitError } from './commit.js'
import { nodeIdOf } from './ids.js'
import type { CommitBody } from './written-body.js'

/**
 * The auction after a commit's events, once each is legal and the commit names the right author: the home as it was
 * before the commit. Throws `BadCommitError`. Whether it follows the log's head, whether its signature holds
 * and whether mandates cover its bids is for the caller to check.
 */
export function stateAfter(commit: Commit, body: CommitBody, before: Auction): OpenedAuction {
  let state = before
  try {
    for (const event of body.events) state = evolve(state, event)
  } catch (cause) {
    if (cause instanceof IllegalEventError) throw new BadCommitError(commit, cause.message, { cause })
    throw cause
  }
  const after = state as OpenedAuction
  const author = authorOf(body, before)
  const rule = unfinishedRule(body, after) ?? keyRule(author) ?? keyRule(after.home)
  if (rule !== null) throw new BadCommitError(commit, rule)
  if (commit.signer !== author.publicKey) throw new BadCommitError(commit, 'its author is not the home')
  return after
}

/** Who has to have signed a commit on top of this state. */
export function authorOf(body: Pick<CommitBody, 'events'>, before: Auction): Home {
  const [opening] = body.events
  // Nobody asks the home whose place it takes.
  if (opening?.type === 'AuctionTakenOver') return opening.to
  if (before.status !== 'unopened') return before.home
  if (opening?.type !== 'AuctionOpened') throw new Error('the first event opens the auction')
  return opening.home
}

/** How the end of a commit breaks the rules, if so. */
export function unfinishedRule({ events }: Pick<CommitBody, 'events'>, after: OpenedAuction): string | null {
  if ('owed' in after && after.owed !== null) return `it ends before what it owes by ${after.owed.by}`
  return misplacedMove({ events })
}

/** How a commit breaks the rules on where moves stand, if so. */
export function misplacedMove({ events }: Pick<CommitBody, 'events'>): string | null {
  const isHandedOver = events.length > 1 && events.some(({ type }) => type === 'AuctionHandedOver')
  if (isHandedOver) return 'a handover is alone in its commit'
  const isLate = events.findLastIndex(({ type }) => type === 'AuctionTakenOver') > 0
  return isLate ? 'a takeover is the first event of its commit' : null
}

/**
 * Why what is dated so is not taken yet, by a clock that says `now`; null: it is. Whoever could date events ahead would
 * stand first in every list for years.
 */
export function dateRule(at: number, now: number): string | null {
  const aheadMs = at - now
  if (aheadMs <= MAX_CLOCK_DIFFERENCE_MS) return null
  const allowed = MAX_CLOCK_DIFFERENCE_MS / MINUTE_MS
  return `it is dated ${Math.ceil(aheadMs / MINUTE_MS)} minutes ahead of this node's clock, ${allowed} are allowed`
}

const MINUTE_MS = 60_000

/** A node's id is made of its key. */
export function keyRule(home: Home): string | null {
  return nodeIdOf(home.publicKey) === home.nodeId ? null : "the home's id is not that of its key"
}
