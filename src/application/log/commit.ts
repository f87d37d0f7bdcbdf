/** Room `log`: commits: how they are written, read, checked and published. */

import { hash } from 'node:crypto'
import type { Commit } from '../../domain/commit.js'
import type { BulkVerifier, SignatureVerifier, Signer } from '../../ports/system/signer.js'
import { BodyError, readBody, writeBody } from './commit-body.js'
import { auctionIdOf } from './ids.js'
import type { CommitBody } from './written-body.js'

/** How large a body may be, in bytes; a home splits before it gets there. */
export const MAX_BODY_BYTES = 1024 * 1024

/** Mandates: none where left out. */
export type CommitParts = Omit<CommitBody, 'mandates'> & Partial<Pick<CommitBody, 'mandates'>>

/**
 * Writes and hashes a commit: from here on its bytes never change. It is signed when its signature is first read, so
 * that a store can begin to write it before that. Throws `BodyError` for what nobody would read.
 */
export function sealCommit(parts: CommitParts, signer: Signer): Commit {
  const { auctionId, firstSeq, events } = parts
  const body = writeBody({ mandates: [], ...parts })
  if (Buffer.byteLength(body) > MAX_BODY_BYTES) throw new BodyError('the body is too large')
  const hash = hashOf(body)
  const head = { auctionId: auctionId ?? auctionIdOf(hash), lastSeq: firstSeq + events.length - 1, hash }
  let signature: string | undefined
  return {
    ...head,
    firstSeq,
    body,
    signer: signer.publicKey,
    get signature() {
      signature ??= signer.sign(checkpointText(head))
      return signature
    },
  }
}

/**
 * What a home signs: that its log of an auction, up to this seq, ends in this hash. In the manner of C2SP
 * tlog-checkpoint: lines of origin, size and root hash.
 */
export function checkpointText(head: { auctionId: string; lastSeq: number; hash: string }): string {
  return `vendue/v1/${head.auctionId}\n${head.lastSeq}\n${head.hash}\n`
}

export function hashOf(body: string): string {
  return hash('sha256', body, 'hex')
}

export const UNSIGNED = 'the signature is not its author’s'

/** A commit that does not bear out what it claims. */
export class BadCommitError extends Error {
  readonly code = 'BAD_COMMIT'
  constructor(
    readonly commit: Commit,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`commit ${commit.auctionId}#${commit.firstSeq} refused: ${reason}`, options)
    this.name = 'BadCommitError'
  }
}

/** Reads a commit's body after checking that hash, id and numbers belong to it. Throws `BadCommitError`. */
export function readCommit(commit: Commit): CommitBody {
  if (Buffer.byteLength(commit.body) > MAX_BODY_BYTES) throw new BadCommitError(commit, 'the body is too large')
  if (hashOf(commit.body) !== commit.hash) throw new BadCommitError(commit, 'the hash is not the body’s')
  const body = parseBody(commit)
  const opening = body.firstSeq === 1
  if (opening !== (body.auctionId === null) || opening !== (body.prevHash === null)) {
    throw new BadCommitError(commit, 'exactly the opening commit has no auction id and no previous hash')
  }
  const auctionId = body.auctionId ?? auctionIdOf(commit.hash)
  if (auctionId !== commit.auctionId) throw new BadCommitError(commit, 'it belongs to another auction')
  if (body.firstSeq !== commit.firstSeq || body.firstSeq + body.events.length - 1 !== commit.lastSeq) {
    throw new BadCommitError(commit, 'its sequence numbers are not the body’s')
  }
  return body
}

function parseBody(commit: Commit): CommitBody {
  try {
    return readBody(commit.body)
  } catch (cause) {
    if (cause instanceof BodyError) throw new BadCommitError(commit, cause.rule, { cause })
    throw cause
  }
}

/** Whether the signer whom the commit names did sign this head. */
export function isSigned(commit: Commit, verifier: SignatureVerifier): boolean {
  return verifier.verify(checkpointText(commit), commit.signature, commit.signer)
}

/** As `isSigned`, beside the thread that serves. */
export function isSignedBeside(commit: Commit, verifier: BulkVerifier): Promise<boolean> {
  return verifier.verifyBeside(checkpointText(commit), commit.signature, commit.signer)
}
