import type { Commit } from '../../domain/commit.js'
import { MAX_MOVES } from '../../domain/evolve.js'
import type { EquivocationProof } from '../../ports/store/equivocation-repository.js'
import { EXPORT_FORMAT, ExportFormatError, type Line, readCommitLine, readLines, summed } from './export-format.js'

/** A proof of equivocation as one file, in the lines of an export: header, commits, trailer. */
export const PROOF_FORMAT = 'vendue-proof'
export const PROOF_VERSION = 4

export function* proofLines(proof: EquivocationProof): Generator<string, void> {
  const { auctionId, authority, first, second } = proof
  const commits = [...authority, first, second]
  yield summed({ format: PROOF_FORMAT, version: PROOF_VERSION, auctionId })
  for (const commit of commits) yield summed(commit)
  yield summed({ end: PROOF_FORMAT, commits: commits.length })
}

/** Header, opening, moves, the two commits that contradict each other, trailer. */
const MAX_LINES = 5 + MAX_MOVES
const MIN_LINES = 5

/** Throws `ExportFormatError`. `judgeProof` says what it proves. */
export async function readProof(chunks: AsyncIterable<Uint8Array>): Promise<EquivocationProof> {
  const lines: Line[] = []
  for await (const line of readLines(chunks)) {
    if (lines.length === MAX_LINES || lines.at(-1)?.content.end === PROOF_FORMAT)
      throw new ExportFormatError(line.place, 'nothing follows the trailer')
    lines.push(line)
  }
  const place = lines.at(-1)?.place ?? { line: 1, byteOffset: 0 }
  const refuse = (rule: string) => new ExportFormatError(place, rule)
  const header = lines[0]?.content
  const trailer = lines.at(-1)?.content
  if (header?.format !== PROOF_FORMAT) throw refuse('this is not a proof')
  if (header.version !== PROOF_VERSION)
    throw refuse('its format version is not known here, use the Vendue that wrote it')
  const cut = trailer?.end !== PROOF_FORMAT || trailer.commits !== lines.length - 2
  if (cut || lines.length < MIN_LINES) throw refuse('the file was cut')
  const commits = lines
    .slice(1, -1)
    .map(({ content, place: at }) => readCommitLine(content, (rule) => new ExportFormatError(at, rule)))
  const { auctionId } = header
  if (typeof auctionId !== 'string') throw refuse('the header is malformed')
  const [first, second] = commits.slice(-2) as [Commit, Commit]
  return { auctionId, authority: commits.slice(0, -2), first, second }
}

/** What kind of file this is, by its first line; an export if that cannot be read. */
export async function formatOf(chunks: AsyncIterable<Uint8Array>): Promise<typeof EXPORT_FORMAT | typeof PROOF_FORMAT> {
  try {
    for await (const { content } of readLines(chunks)) {
      return content.format === PROOF_FORMAT ? PROOF_FORMAT : EXPORT_FORMAT
    }
  } catch (error) {
    if (!(error instanceof ExportFormatError)) throw error
  }
  return EXPORT_FORMAT
}
