import { BadCommitError, readCommit } from '../../application/log/commit.js'
import { eventsOf } from '../../application/log/written-body.js'
import type { Commit } from '../../domain/commit.js'
import { commandIdOf } from '../../domain/events.js'

/** A log of this node's own whose end nobody else can have taken. */
export interface UnacceptedPart {
  readonly kept: readonly Commit[]
  readonly dropped: readonly Commit[]
  /** The rule that the first dropped commit breaks. */
  readonly why: string
}

/**
 * Where a log of this node's own begins to be one that no node reads; null where all of it can be read. No node has
 * stored what comes after that, nor could a proof be made of it: to go on from what is kept is no second history.
 */
export function unacceptedPart(commits: readonly Commit[], publicKey: string): UnacceptedPart | null {
  for (const [place, commit] of commits.entries()) {
    const why = whyUnread(commit)
    if (why === null) continue
    const dropped = commits.slice(place)
    const isOwn = dropped.every(({ signer }) => signer === publicKey)
    return place > 0 && isOwn ? { kept: commits.slice(0, place), dropped, why } : null
  }
  return null
}

function whyUnread(commit: Commit): string | null {
  try {
    readCommit(commit)
    return null
  } catch (error) {
    if (error instanceof BadCommitError) return error.reason
    throw error
  }
}

/** Commands that have been answered by what these commits say, as far as that is known. */
export function commandsOf(commits: readonly Commit[]): string[] {
  return commits.flatMap(({ body }) => {
    try {
      return eventsOf(body).flatMap((event) => commandIdOf(event) ?? [])
    } catch {
      return []
    }
  })
}
