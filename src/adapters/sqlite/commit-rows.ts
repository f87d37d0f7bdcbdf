import { eventsOf } from '../../application/log/written-body.js'
import type { Commit } from '../../domain/commit.js'
import type { AuctionEvent } from '../../domain/events.js'

/**
 * A commit in its row. How a body of ours begins follows from its row and the one before, and it often ends with an
 * empty list: the stored text leaves both out, which makes the row of a lone bid half as long. Hashes and signatures
 * are bytes.
 */
export interface CommitRow {
  readonly firstSeq: number
  readonly lastSeq: number
  readonly hash: Buffer
  /** Of the commit before; null for an opening. */
  readonly prev: Buffer | null
  /** Public key. */
  readonly signer: string
  /** Bytes, where it is the base64url of some. */
  readonly signature: Buffer | string
  /** See `storedText`. */
  readonly body: string
}

/** Of `commits c`, with `authors s` joined. */
export const COMMIT_COLUMNS = `c.first_seq AS firstSeq, c.last_seq AS lastSeq, c.hash, s.public_key AS signer, c.signature,
  c.body, (SELECT p.hash FROM commits p WHERE p.auction = c.auction AND p.first_seq < c.first_seq
    ORDER BY p.first_seq DESC LIMIT 1) AS prev`

/** What a body begins with, as the home of an auction writes it. */
function beginning(auctionId: string, firstSeq: number, prevHash: string | null): string {
  const [id, prev] = prevHash === null ? ['null', 'null'] : [`"${auctionId}"`, `"${prevHash}"`]
  return `{"auctionId":${id},"firstSeq":${firstSeq},"prevHash":${prev},"parties":`
}

/** What one ends with if it came with no mandates. */
const END = ',"mandates":[]}'
/** Marks a text of which nothing is left out. */
const WHOLE = '='

/** What is stored of a body's text: all of it, behind a mark, if it is not written as ours are. */
export function storedText(
  body: string,
  { auctionId, firstSeq }: Pick<Commit, 'auctionId' | 'firstSeq'>,
  prevHash: string | null,
): string {
  const start = beginning(auctionId, firstSeq, prevHash)
  if (!body.startsWith(start)) return WHOLE + body
  const stored = body.slice(start.length, body.endsWith(END) ? -END.length : undefined)
  const isOurs = stored.startsWith('[') && start.length + ended(stored).length === body.length
  return isOurs ? stored : WHOLE + body
}

export function commitOf(auctionId: string, row: CommitRow): Commit {
  const { firstSeq, lastSeq, hash, prev, signer, signature, body } = row
  return {
    auctionId,
    firstSeq,
    lastSeq,
    hash: hash.toString('hex'),
    signer,
    signature: typeof signature === 'string' ? signature : signature.toString('base64url'),
    body: textOf(body, beginning(auctionId, firstSeq, hexOf(prev))),
  }
}

export function storedSignature(signature: string): Buffer | string {
  const bytes = Buffer.from(signature, 'base64url')
  return bytes.toString('base64url') === signature ? bytes : signature
}

function hexOf(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString('hex')
}

function textOf(stored: string, start: string): string {
  return stored.startsWith(WHOLE) ? stored.slice(WHOLE.length) : start + ended(stored)
}

function ended(stored: string): string {
  return stored.endsWith('}') ? stored : stored + END
}

/** The events of a stored text. */
export function storedEvents(stored: string): readonly AuctionEvent[] {
  return eventsOf(textOf(stored, '{"parties":'))
}
