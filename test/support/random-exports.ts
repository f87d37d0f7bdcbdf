import { checkpointText, hashOf } from '../../src/application/log/commit.js'
import { auctionIdOf } from '../../src/application/log/ids.js'
import { commitLine, headerLine, summed, trailerLine } from '../../src/application/proof/export-format.js'
import type { Commit } from '../../src/domain/commit.js'
import type { Signer } from '../../src/ports/system/signer.js'
import type { SeededRandom } from '../sim/seeded-random.js'
import { type ForgedLog, forgeries, spoiled } from './forged-logs.js'

/** An export of a log, or of what somebody has made of it. */
export interface TriedExport {
  readonly what: string
  readonly bytes: Buffer
}

/** A log at each of its heads, forged and spoiled in every way, and damaged as a file: as many as asked for, drawn. */
export function drawnExports(log: ForgedLog, count: number, random: SeededRandom): TriedExport[] {
  const kinds = triedExports(log, random)
  // The forger's ways are by far the most.
  const turns = [0, 1, 1, 1, 1, 2, 3, 4]
  const ways = kinds.map(byKind)
  return Array.from({ length: count }, (_, i) =>
    drawn(drawn(ways[turns[i % turns.length] as number] ?? [], random), random),
  )
}

/** All of them: true ones, forged, spoiled and otherwise written ones, and damaged files. */
export function triedExports(log: ForgedLog, random: SeededRandom): readonly TriedExport[][] {
  const heads = log.commits.map((_, i) => exported('the first commits', log.commits.slice(0, i + 1)))
  return [
    heads,
    ...[forgeries(log), spoiled(log.commits), otherTexts(log)].map((all) =>
      [...all].map(({ what, commits }) => exported(what, commits)),
    ),
    [...otherFiles(exported('all', log.commits).bytes, random)],
  ]
}

function byKind(all: readonly TriedExport[]): TriedExport[][] {
  const kinds = new Map<string, TriedExport[]>()
  for (const tried of all) kinds.set(tried.what, [...(kinds.get(tried.what) ?? []), tried])
  return [...kinds.values()]
}

export function exported(what: string, commits: readonly Commit[]): TriedExport {
  return { what, bytes: Buffer.from([...exportOf(commits)].join('')) }
}

function* exportOf(commits: readonly Commit[]): Generator<string, void, undefined> {
  const last = commits.at(-1)
  yield headerLine(commits[0]?.auctionId ?? 'auc_none')
  for (const commit of commits) yield commitLine(commit)
  const head = { seq: last?.lastSeq ?? 0, hash: last?.hash ?? '' }
  yield trailerLine({ commits: commits.length, events: head.seq, head })
}

function drawn<T>(from: readonly T[], random: SeededRandom): T {
  return from[Math.floor(random.fraction() * from.length)] as T
}

/** Ways to write a body that say the same to some readers, or nothing; each signed by its home. */
const TEXTS: readonly [what: string, (body: string) => string][] = [
  ['a blank', (body) => body.replace(':', ': ')],
  ['a key twice', (body) => body.replace('{', '{"prevHash":null,')],
  ['an unknown key', (body) => body.replace('{', '{"more":1,')],
  ['a number with a point', (body) => body.replace(/"firstSeq":(\d+)/, '"firstSeq":$1.0')],
  ['a number with an exponent', (body) => body.replace(/"firstSeq":(\d+)/, '"firstSeq":$1e0')],
  ['an escaped letter', (body) => body.replace('"events"', '"\\u0065vents"')],
  ['an escaped pair', (body) => body.replace(/\["node_/, '["\\ud83d\\ude00')],
  ['half a pair', (body) => body.replace(/"title":"/, '"title":"\\ud83d')],
  ['a list for an object', (body) => `[${body}]`],
  ['no JSON', (body) => body.slice(0, -1)],
  ['many brackets', (body) => `${'['.repeat(5_000)}${body}${']'.repeat(5_000)}`],
  ['a huge number', (body) => body.replace(/"at":(\d+)/, `"at":${'9'.repeat(400)}`)],
  ['a name of blanks', (body) => body.replace('"name":"home"', '"name":"\u2000"')],
  ['a title that turns around', (body) => body.replace('"title":"', '"title":"\u202e')],
  ['a long title', (body) => body.replace('"title":"', `"title":"${'\u{1f600}'.repeat(101)}`)],
  ['a truth that is a number', (body) => body.replace('"givesTimeBack":true', '"givesTimeBack":1')],
  ['another order of keys', (body) => body.replace(/("firstSeq":\d+),("prevHash":[^,]+)/, '$2,$1')],
]

function* otherTexts({ commits, homes }: ForgedLog): Generator<{ what: string; commits: readonly Commit[] }> {
  for (const [what, change] of TEXTS)
    for (const [place, commit] of commits.entries()) {
      const body = change(commit.body)
      if (body === commit.body) continue
      const changed = withBody({ commits, homes }, place, body)
      yield { what, commits: [...commits.slice(0, place), changed] }
    }
}

/** The commit in this place as its home would have signed it with this text. */
export function withBody(
  { commits, homes }: Pick<ForgedLog, 'commits' | 'homes'>,
  place: number,
  body: string,
): Commit {
  const { firstSeq, lastSeq, signer, auctionId: known } = commits[place] as Commit
  const author = homes.find(({ publicKey }) => publicKey === signer) as Signer
  const hash = hashOf(body)
  const auctionId = firstSeq === 1 ? auctionIdOf(hash) : known
  const signature = author.sign(checkpointText({ auctionId, lastSeq, hash }))
  return { auctionId, firstSeq, lastSeq, body, hash, signer, signature }
}

/** Files that were damaged, and files that were changed by somebody who makes their check sums anew. */
function* otherFiles(bytes: Buffer, random: SeededRandom): Generator<TriedExport, void, undefined> {
  const lines = bytes.toString().split('\n').slice(0, -1)
  const file = (what: string, changed: readonly string[]) => ({
    what,
    bytes: Buffer.from(changed.map((line) => `${line}\n`).join('')),
  })
  for (let i = 0; i < 8; i++) {
    const flipped = Buffer.from(bytes)
    const at = Math.floor(random.fraction() * bytes.length)
    flipped[at] = (flipped[at] as number) ^ (1 + Math.floor(random.fraction() * 255))
    yield { what: 'a byte flipped', bytes: flipped }
    yield { what: 'cut', bytes: bytes.subarray(0, at) }
    const place = at % lines.length
    yield file('a line twice', lines.toSpliced(place, 0, lines[place] as string))
    yield file('a line less', lines.toSpliced(place, 1))
  }
  for (const [place, line] of lines.entries()) {
    const { sum: _, ...content } = JSON.parse(line) as Record<string, unknown>
    for (const key of Object.keys(content)) {
      const { [key]: value, ...rest } = content
      const others = [rest, { ...content, [key]: null }, { ...content, [key]: true }, { ...content, [key]: 1 }]
      for (const other of [...others, { ...content, more: value }])
        yield file(`${key} of a line`, lines.with(place, summed(other).slice(0, -1)))
    }
  }
}
