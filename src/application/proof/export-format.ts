import { isUtf8 } from 'node:buffer'
import { crc32 } from 'node:zlib'
import type { Commit, Head } from '../../domain/commit.js'
import { MAX_BODY_BYTES } from '../log/commit.js'
import { InexactJsonError, parseExactly } from '../log/exact-json.js'

/**
 * An auction as one file: JSON lines, so that a million bids can be written and read in bounded memory. A header,
 * one commit a line as it is stored, a trailer. Each line ends with a CRC-32 of its own bytes: hashes and signatures
 * say whether a log is true, but a byte that no hash covers (an older signature's, the header's) would otherwise
 * change unnoticed, or be noticed without saying where.
 */
export const EXPORT_FORMAT = 'vendue-export'
export const EXPORT_VERSION = 4

/** JSON text at most doubles a body: it holds no characters that need more than one escape. */
export const MAX_LINE_BYTES = 2 * MAX_BODY_BYTES + 4_096
/** `,"sum":"xxxxxxxx"}` */
const SUM_BYTES = 18
const NEWLINE = 0x0a

export interface Place {
  /** From 1. */
  readonly line: number
  /** Of the line's first byte, from 0. */
  readonly byteOffset: number
}

export interface PlacedCommit {
  readonly commit: Commit
  /** Null if it does not come from a file. */
  readonly place: Place | null
}

/** The file is damaged or is no export, whatever its commits say. */
export class ExportFormatError extends Error {
  readonly code = 'EXPORT_FORMAT'
  constructor(
    readonly place: Place,
    readonly rule: string,
    options?: ErrorOptions,
  ) {
    super(`line ${place.line} (byte ${place.byteOffset}): ${rule}`, options)
    this.name = 'ExportFormatError'
  }
}

export function headerLine(auctionId: string): string {
  return summed({ format: EXPORT_FORMAT, version: EXPORT_VERSION, auctionId })
}

export function commitLine({ auctionId, firstSeq, lastSeq, body, hash, signer, signature }: Commit): string {
  return summed({ auctionId, firstSeq, lastSeq, body, hash, signer, signature })
}

export function trailerLine(end: { commits: number; events: number; head: Head }): string {
  const { commits, events, head } = end
  return summed({ end: EXPORT_FORMAT, commits, events, head: { seq: head.seq, hash: head.hash } })
}

/** The object as one line, its check sum last. */
export function summed(content: object): string {
  const open = JSON.stringify(content).slice(0, -1)
  return `${open},"sum":"${crcHex(open)}"}\n`
}

function crcHex(text: string | Uint8Array): string {
  return crc32(text).toString(16).padStart(8, '0')
}

export interface Line {
  readonly place: Place
  readonly content: Readonly<Record<string, unknown>>
}

/**
 * The lines of a file of ours, their check sums proven and taken off. Throws `ExportFormatError`, which names the
 * first line that was changed.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line, void, undefined> {
  let rest: Uint8Array[] = []
  let restBytes = 0
  let place: Place = { line: 1, byteOffset: 0 }
  for await (const chunk of chunks) {
    let from = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from)
      if (end === -1) break
      const tail = chunk.subarray(from, end)
      const bytes = rest.length === 0 ? tail : Buffer.concat([...rest, tail])
      rest = []
      restBytes = 0
      yield { place, content: parseLine(bytes, place) }
      place = { line: place.line + 1, byteOffset: place.byteOffset + bytes.length + 1 }
      from = end + 1
    }
    if (from < chunk.length) {
      rest.push(chunk.subarray(from))
      restBytes += chunk.length - from
      if (restBytes > MAX_LINE_BYTES) throw new ExportFormatError(place, 'the line is too long')
    }
  }
  if (restBytes > 0) throw new ExportFormatError(place, 'the line is not complete: the file was cut or altered here')
}

const ALTERED = 'the line was altered: its check sum is not that of its bytes'

function parseLine(bytes: Uint8Array, place: Place): Record<string, unknown> {
  if (bytes.length > MAX_LINE_BYTES) throw new ExportFormatError(place, 'the line is too long')
  const open = bytes.length - SUM_BYTES
  if (open < 1) throw new ExportFormatError(place, ALTERED)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const suffix = buffer.toString('latin1', open)
  if (suffix !== `,"sum":"${crcHex(buffer.subarray(0, open))}"}`) throw new ExportFormatError(place, ALTERED)
  if (!isUtf8(buffer)) throw new ExportFormatError(place, 'the line is not UTF-8')
  try {
    return contentOf(`${buffer.toString('utf8', 0, open)}}`)
  } catch (cause) {
    const rule = cause instanceof InexactJsonError ? cause.rule : 'is not JSON'
    throw new ExportFormatError(place, `the line ${rule}`, { cause })
  }
}

const BODY = ',"body":"'
const AFTER_BODY = '","hash":"'

/**
 * A body is all but a few bytes of its line, and is itself looked at when the commit is read: here it has to be one
 * text.
 */
function contentOf(json: string): Record<string, unknown> {
  const start = json.indexOf(BODY)
  const end = json.lastIndexOf(AFTER_BODY)
  if (start === -1 || end < start) return parseExactly(json) as Record<string, unknown>
  const around = parseExactly(json.slice(0, start) + json.slice(end + 1)) as Record<string, unknown>
  if ('body' in around) throw new InexactJsonError('has a key twice')
  return { ...around, body: JSON.parse(json.slice(start + BODY.length - 1, end + 1)) }
}

/** The commits of an export. Throws `ExportFormatError`. */
export async function* readExport(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<PlacedCommit, void, undefined> {
  let auctionId: string | null = null
  let ended = false
  let commits = 0
  let last: Commit | null = null
  let place: Place = { line: 1, byteOffset: 0 }
  for await (const line of readLines(chunks)) {
    place = line.place
    const { content } = line
    const refuse = (rule: string) => new ExportFormatError(place, rule)
    if (ended) throw refuse('nothing follows the trailer')
    if (auctionId === null) auctionId = readHeader(content, refuse)
    else if ('end' in content) {
      checkTrailer(content, { commits, last }, refuse)
      ended = true
    } else {
      const commit = readCommitLine(content, refuse)
      if (commit.auctionId !== auctionId) throw refuse('the commit belongs to another auction than the header says')
      commits += 1
      last = commit
      yield { commit, place }
    }
  }
  if (!ended) {
    throw new ExportFormatError(place, 'the file ends here, before its trailer: it was cut, or is still being written')
  }
}

type Refuse = (rule: string) => ExportFormatError

function readHeader(content: Line['content'], refuse: Refuse): string {
  const { format, version, auctionId } = content
  if (format !== EXPORT_FORMAT) throw refuse('this is not a Vendue export')
  if (version !== EXPORT_VERSION)
    throw refuse(`format version ${String(version)} is not known here, use the Vendue that wrote it`)
  if (typeof auctionId !== 'string' || Object.keys(content).length !== 3) throw refuse('the header is malformed')
  return auctionId
}

export function readCommitLine(content: Line['content'], refuse: Refuse): Commit {
  const { auctionId, firstSeq, lastSeq, body, hash, signer, signature } = content
  const whole =
    typeof auctionId === 'string' &&
    typeof body === 'string' &&
    typeof hash === 'string' &&
    typeof signer === 'string' &&
    typeof signature === 'string' &&
    Number.isSafeInteger(firstSeq) &&
    Number.isSafeInteger(lastSeq) &&
    Object.keys(content).length === 7
  if (!whole) throw refuse('the commit is malformed')
  return {
    auctionId,
    firstSeq: firstSeq as number,
    lastSeq: lastSeq as number,
    body,
    hash,
    signer,
    signature,
  }
}

function checkTrailer(
  content: Line['content'],
  { commits, last }: { commits: number; last: Commit | null },
  refuse: Refuse,
): void {
  const { head, events } = content
  const { seq, hash, ...more } = (typeof head === 'object' && head !== null ? head : {}) as Partial<Head>
  const isWhole = Object.keys(content).length === 4 && Object.keys(more).length === 0
  if (!isWhole || content.end !== EXPORT_FORMAT) throw refuse('the trailer is malformed')
  if (last === null) throw refuse('an export holds at least one commit')
  if (content.commits !== commits || events !== last.lastSeq || seq !== last.lastSeq || hash !== last.hash) {
    throw refuse(`the trailer does not fit the ${commits} commits before it: some are missing, or were added`)
  }
}
