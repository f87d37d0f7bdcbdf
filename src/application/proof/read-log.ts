import type { Commit, Head } from '../../domain/commit.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import { NodeError } from '../../ports/node/node-error.js'
import { commitLine, headerLine, type PlacedCommit, trailerLine } from './export-format.js'

/**
 * An auction's commits from a node, up to the head at the time of the first page: a log that grows meanwhile
 * does not keep the reader from finishing. Rejects with `NodeError`.
 */
export async function* readLog(api: Pick<NodeApi, 'log'>, auction: string): AsyncGenerator<Commit, void, undefined> {
  let fromSeq = 1
  let until: Head | null = null
  let auctionId = auction
  while (until === null || fromSeq <= until.seq) {
    const page = await api.log({ auction: auctionId, fromSeq })
    auctionId = page.auctionId
    until ??= page.head
    if (page.commits.length === 0)
      throw new NodeError('INTERNAL', `the node's log of ${auctionId} ends before its head, at event ${fromSeq}`)
    for (const commit of page.commits) {
      if (commit.firstSeq > until.seq) break
      yield commit
      fromSeq = commit.lastSeq + 1
    }
  }
}

export async function* unplaced(commits: AsyncIterable<Commit>): AsyncGenerator<PlacedCommit, void, undefined> {
  for await (const commit of commits) yield { commit, place: null }
}

/** The lines of an export, each with its newline. */
export async function* exportLines(commits: AsyncIterable<Commit>): AsyncGenerator<string, void, undefined> {
  let count = 0
  let last: Commit | null = null
  for await (const commit of commits) {
    if (last === null) yield headerLine(commit.auctionId)
    yield commitLine(commit)
    count += 1
    last = commit
  }
  if (last === null) throw new Error('a log holds at least one commit')
  yield trailerLine({ commits: count, events: last.lastSeq, head: { seq: last.lastSeq, hash: last.hash } })
}
