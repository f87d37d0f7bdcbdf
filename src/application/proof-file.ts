import type { Commit } from '../domain/commit.js'
import type { EquivocationProof } from '../ports/equivocation-repository.js'
import {
  EXPORT_FORMAT,
  ExportFormatError,
  type Line,
  readCommitLine,
  readLines,
  summed,
} from './export-format.js'

/** A proof of equivocation as one file, in the lines of an export: header, three commits, trailer. */
export const PROOF_FORMAT = 'vendue-proof'
export const PROOF_VERSION = 1

export function* proofLines({
  auctionId,
  opening,
  first,
  second,
}: EquivocationProof): Generator<string, void> {
  yield summed({ format: PROOF_FORMAT, version: PROOF_VERSION, auctionId })
  for (const commit of [opening, first, second]) yield summed(commit)
  yield summed({ end: PROOF_FORMAT, commits: 3 })
}

/** Throws `ExportFormatError`. What it proves is for `judgeProof` to say. */
export async function readProof(chunks: AsyncIterable<Uint8Array>): Promise<EquivocationProof> {
  const lines: Line[] = []
  for await (const line of readLines(chunks)) {
    if (lines.length === LINES) throw new ExportFormatError(line.place, 'nothing follows the trailer')
    lines.push(line)
  }
  const [header, ...rest] = lines
  const trailer = rest[LINES - 2]
  const place = lines.at(-1)?.place ?? { line: 1, byteOffset: 0 }
  const refuse = (rule: string) => new ExportFormatError(place, rule)
  if (header === undefined || header.content.format !== PROOF_FORMAT) throw refuse('this is not a proof')
  if (header.content.version !== PROOF_VERSION)
    throw refuse('its format version is not known here, update Vendue')
  if (trailer === undefined || trailer.content.end !== PROOF_FORMAT) throw refuse('the file was cut')
  const commits = rest
    .slice(0, 3)
    .map(({ content, place: at }) => readCommitLine(content, (rule) => new ExportFormatError(at, rule)))
  const { auctionId } = header.content
  if (typeof auctionId !== 'string') throw refuse('the header is malformed')
  const [opening, first, second] = commits as [Commit, Commit, Commit]
  return { auctionId, opening, first, second }
}

const LINES = 5

/** What kind of file this is, by its first line; an export where that cannot be read. */
export async function formatOf(
  chunks: AsyncIterable<Uint8Array>,
): Promise<typeof EXPORT_FORMAT | typeof PROOF_FORMAT> {
  try {
    for await (const { content } of readLines(chunks)) {
      return content.format === PROOF_FORMAT ? PROOF_FORMAT : EXPORT_FORMAT
    }
  } catch (error) {
    if (!(error instanceof ExportFormatError)) throw error
  }
  return EXPORT_FORMAT
}
