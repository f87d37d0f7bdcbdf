import { isUtf8 } from 'node:buffer'
import { verificationJson } from '../../src/adapters/cli/render/explain-verification.js'
import { checkpointText } from '../../src/application/log/commit.js'
import { formatToken, parseToken } from '../../src/application/members/mesh-token.js'
import { proofOf } from '../../src/application/proof/equivocation.js'
import { readExport } from '../../src/application/proof/export-format.js'
import { proofLines } from '../../src/application/proof/proof-file.js'
import { verifyLog } from '../../src/application/proof/verify-log.js'
import { commandDigest, mandateText, signMandates } from '../../src/application/submissions/mandate.js'
import { areSigned, receiptDigest, receiptsText, receiptText } from '../../src/application/submissions/receipt.js'
import type { Commit } from '../../src/domain/commit.js'
import type { RemoteCommand } from '../../src/domain/remote-command.js'
import type { EquivocationProof } from '../../src/ports/store/equivocation-repository.js'
import type { SignedReceipts } from '../../src/ports/store/receipt-repository.js'
import type { Signer } from '../../src/ports/system/signer.js'
import { SeededRandom } from '../sim/seeded-random.js'
import { type ForgedLog, spoiled } from '../support/forged-logs.js'
import type { MemoryNode } from '../support/memory-node.js'
import { exported, type TriedExport, triedExports, withBody } from '../support/random-exports.js'
import { firstVerdict, type Verdict } from '../support/second-verifier.js'
import { sharedVerifier } from '../support/shared-signatures.js'
import { HISTORIES, TrueAuctions } from '../support/true-auctions.js'

/**
 * Test vectors of the protocol, for programs that are not this one. They are made from one seed by the project's own
 * code, and lie beside this file: what changes one of them changes the protocol.
 */

const SEED = 'vectors'
type Log = ForgedLog & { readonly receipts: readonly SignedReceipts[] }

/** By the names of their files. */
export async function makeVectors(): Promise<ReadonlyMap<string, readonly object[]>> {
  const house = await new TrueAuctions(SEED).start()
  const logs: [string, Log][] = []
  for (const [what, history] of Object.entries(HISTORIES)) logs.push([what, await house.log(await history(house))])
  const [node] = house.nodes
  if (node === undefined) throw new Error('a house has a node')
  const tlog = await tlogVectors(logs, house.nodes)
  await house.stop()
  return new Map([
    ['commits.json', commitVectors(logs)],
    ['mandates.json', mandateVectors(logs, node.signer)],
    ['receipts.json', receiptVectors(logs)],
    ['tokens.json', tokenVectors()],
    ['exports.json', await exportVectors(logs)],
    ['proofs.json', await proofVectors(logs)],
    ['tlog-proofs.json', tlog],
  ])
}

function commitVectors(logs: readonly [string, Log][]): object[] {
  const [, log] = logs[1] as [string, Log]
  const good = log.commits.map((commit) => ({ what: 'as its home wrote it', valid: true, ...withText(commit) }))
  const bad = [...spoiled(log.commits.slice(0, 2))]
    .filter(({ what }) => what.startsWith('commit.'))
    .flatMap(({ what, commits }) =>
      commits.filter((commit) => !log.commits.includes(commit)).map((commit) => ({ what, valid: false, commit })),
    )
  return [...good, ...bad]
}

function withText(commit: Commit): { commit: Commit; checkpoint: string } {
  const { auctionId, firstSeq, lastSeq, body, hash, signer, signature } = commit
  return {
    commit: { auctionId, firstSeq, lastSeq, body, hash, signer, signature },
    checkpoint: checkpointText(commit),
  }
}

function mandateVectors(logs: readonly [string, Log][], signer: Signer): object[] {
  const [[, { commits, receipts }]] = logs as [[string, Log]]
  const auctionId = commits[0]?.auctionId ?? ''
  const by = { id: 'usr_ada000001', name: 'Ada' }
  const base = { auctionId, by }
  const commands: RemoteCommand[] = [
    ...receipts.flatMap((signed) => signed.receipts.map(({ command }) => command)),
    { type: 'BuyNow', auctionId, commandId: 'bid_vector01', bidder: { id: by.id, name: 'Ada\u2019s "shop"' } },
    { type: 'CloseAuction', commandId: 'cmd_vector02', ...base },
    { type: 'CancelAuction', commandId: 'cmd_vector03', ...base, reason: 'It broke: \u00e9, \u{1f600}.' },
    { type: 'ExtendAuction', commandId: 'cmd_vector04', ...base, closesAt: 1_800_000_000_000 },
    { type: 'ExtendAuction', commandId: 'cmd_vector05', ...base, addedMs: 60_000 },
  ]
  const own = commands.filter((command) => command.auctionId === auctionId)
  const [mandate] = [...signMandates(own, signer, 1_790_000_000_000).values()]
  if (mandate === undefined) throw new Error('there are commands')
  const text = mandateText(auctionId, mandate.signedAt, mandate.digests)
  const vector = { auctionId, commands: own, ...mandate, text }
  return [
    { what: 'commands of every kind', valid: true, ...vector },
    {
      what: 'a command less',
      valid: false,
      ...vector,
      commands: own.slice(1),
      digests: own.slice(1).map(commandDigest),
    },
    { what: 'another time', valid: false, ...vector, signedAt: mandate.signedAt + 1 },
    { what: 'another auction', valid: false, ...vector, auctionId: `auc_${'0'.repeat(26)}` },
  ]
}

function receiptVectors(logs: readonly [string, Log][]): object[] {
  const good = logs.flatMap(([, { receipts }]) => receipts)
  const vector = (what: string, signed: SignedReceipts) => {
    const digests = signed.receipts.map(receiptDigest)
    const text = receiptsText(signed.home.nodeId, signed.signedAt, digests)
    return { what, valid: areSigned(signed, sharedVerifier), ...signed, texts: signed.receipts.map(receiptText), text }
  }
  const [first, second] = good.filter(({ receipts }) => receipts.some(({ outcome }) => outcome.status === 'accepted'))
  if (first === undefined || second === undefined) throw new Error('homes have answered')
  return [
    ...good.map((signed) => vector('as its home signed it', signed)),
    vector('another time', { ...first, signedAt: first.signedAt + 1 }),
    vector('receipts of another answer', { ...first, receipts: second.receipts }),
    vector('one receipt more', { ...first, receipts: [...first.receipts, ...first.receipts] }),
    vector('another home', { ...first, home: { ...first.home, nodeId: `node_${'0'.repeat(26)}` } }),
  ]
}

function tokenVectors(): object[] {
  const token = formatToken({
    meshId: `mesh_${'0'.repeat(26)}`,
    meshName: 'example',
    caFingerprint: 'A'.repeat(43),
    addresses: ['203.0.113.7:7070', '[2001:db8::7]:7070'],
    secret: 'B'.repeat(43),
  })
  const json = (change: object) =>
    `vendue1.${Buffer.from(JSON.stringify({ ...JSON.parse(textIn(token)), ...change })).toString('base64url')}`
  const tried: [string, string][] = [
    ['as `vendue mesh invite` writes it', token],
    ['with blanks around it', `  ${token}\n`],
    ['of another version', token.replace('vendue1.', 'vendue2.')],
    ['cut', token.slice(0, -10)],
    ['empty', 'vendue1.'],
    ['with one thing more', json({ x: 1 })],
    ['without addresses', json({ a: [] })],
    ['for a mesh of another form', json({ m: 'mesh_1' })],
    ['with a name of dots', json({ n: '..' })],
    ['with a short secret', json({ s: 'B' })],
    ['with a fingerprint in hex', json({ c: '0'.repeat(64) })],
  ]
  return tried.map(([what, text]) => {
    try {
      return { what, token: text, valid: true, says: parseToken(text) }
    } catch {
      return { what, token: text, valid: false, code: 'TOKEN_MALFORMED' }
    }
  })
}

function textIn(token: string): string {
  return Buffer.from(token.slice('vendue1.'.length), 'base64url').toString()
}

interface ExportVector extends Verdict {
  readonly what: string
  readonly file: string
}

/** Every auction whole; and what was done to them: of each rule that is broken the smallest export that breaks it. */
async function exportVectors(logs: readonly [string, Log][]): Promise<object[]> {
  const vectors: object[] = []
  const rules = new Set<string>()
  const random = new SeededRandom(SEED)
  for (const [what, log] of logs) vectors.push(await exportVector(exported(what, log.commits)))
  const tried = logs.flatMap(([, log]) => triedExports(log, random).slice(1).flat())
  for (const each of tried.sort((a, b) => a.bytes.length - b.bytes.length)) {
    const rule = await ruleBroken(each.bytes)
    if (rules.has(rule) || !isUtf8(each.bytes)) continue
    rules.add(rule)
    vectors.push(await exportVector(each))
  }
  for (const [, { commits, receipts }] of logs.slice(0, 1)) {
    const { bytes } = exported('', commits)
    const cut = exported('', commits.slice(0, -3)).bytes
    vectors.push({ ...(await exportVector({ what: 'with the receipts of its bidders', bytes }, receipts)), receipts })
    vectors.push({
      ...(await exportVector({ what: 'without bids that were accepted', bytes: cut }, receipts)),
      receipts,
    })
  }
  return vectors
}

async function exportVector({ what, bytes }: TriedExport, receipts?: readonly SignedReceipts[]): Promise<ExportVector> {
  return { what, ...(await firstVerdict(bytes, receipts)), file: bytes.toString() }
}

/** Without the numbers and names in it. */
async function ruleBroken(bytes: Buffer): Promise<string> {
  const read = readExport(
    (async function* () {
      yield bytes
    })(),
  )
  const { code, rule, decision } = verificationJson(await verifyLog(read, { verifier: sharedVerifier }), false)
  // Where in a body something is, is no other rule.
  return [code, rule, decision]
    .join(' ')
    .replace(/\b(bid|cmd|node)_\w+|\d+/g, '#')
    .replace(/'s [\w.#]+:/, '')
}

/** Of two commits, one of which the home has signed as well with another time in it. */
async function proofVectors(logs: readonly [string, Log][]): Promise<object[]> {
  const proofs = logs.slice(0, 2).flatMap(([, log]) => {
    const { commits } = log
    const moves = commits.filter(({ body }) => body.includes('"AuctionHandedOver"'))
    const authority = [commits[0] as Commit, ...moves]
    const place = commits.length - 1
    const last = commits[place] as Commit
    const body = last.body.replace(/"at":(\d+)|\[(1\d{12})/, (begin) =>
      begin.replace(/\d$/, (d) => (d === '9' ? '8' : '9')),
    )
    const other = withBody(log, place, body)
    const before = commits[place - 1] as Commit
    return [
      { what: 'two commits of one number', ...linesOf(proofOf(authority, last, other)) },
      { what: 'one commit twice', ...linesOf(proofOf(authority, last, last)) },
      { what: 'two commits that agree', ...linesOf(proofOf(authority, before, last)) },
      {
        what: 'a commit that nobody signed',
        ...linesOf(proofOf(authority, last, { ...other, signature: last.signature })),
      },
      { what: 'no opening', ...linesOf(proofOf(moves, last, other)) },
      ...(moves.length > 0 ? [{ what: 'no handover', ...linesOf(proofOf(authority.slice(0, 1), last, other)) }] : []),
    ]
  })
  return Promise.all(proofs.map(async ({ what, file }) => ({ what, ...(await firstVerdict(Buffer.from(file))), file })))
}

function linesOf(proof: EquivocationProof): { file: string } {
  return { file: [...proofLines(proof)].join('') }
}

/** By the home and by a node with a copy, of the first, a middle and the last commit; and what no tool may take. */
async function tlogVectors(logs: readonly [string, Log][], nodes: readonly MemoryNode[]): Promise<object[]> {
  const vectors: object[] = []
  for (const [what, { commits }] of logs.slice(2, 5)) {
    const { auctionId: auction } = commits[0] as Commit
    const entries = commits.map(({ body }) => body)
    for (const node of [nodes[0], nodes[2]] as MemoryNode[])
      for (const { firstSeq: seq } of [commits[commits.length >> 1], commits[0], commits.at(-1)] as Commit[]) {
        const { proof, verifierKey: key } = await node.api.tlogProof({ auction, seq })
        vectors.push({ what, valid: true, entries, proof, key })
        if (vectors.length > 1) continue
        vectors.push({ what: `${what}, with more for the reader`, valid: true, entries, proof: extraIn(proof), key })
        for (const [how, changed] of Object.entries(spoiledTlog(proof)))
          if (changed !== proof) vectors.push({ what: how, valid: false, entries, proof: changed, key })
      }
  }
  return vectors
}

const extraIn = (proof: string) => proof.replace('@v1\n', '@v1\nextra dmVuZHVl\n')

function spoiledTlog(proof: string): Readonly<Record<string, string>> {
  const [head = '', text = '', signatures = ''] = proof.split('\n\n')
  const [version, index, ...path] = head.split('\n')
  const withPath = (...changed: readonly string[]) =>
    [[version, index, ...changed].join('\n'), text, signatures].join('\n\n')
  const zeros = Buffer.alloc(32).toString('base64')
  return {
    'another version': proof.replace('@v1', '@v2'),
    'another index': proof.replace(/index \d+/, (found) => `index ${Number(found.slice(6)) + 1}`),
    'an index with a zero before it': proof.replace('index ', 'index 0'),
    'a way that is too long': withPath(...path, zeros),
    'a way that is too short': withPath(...path.slice(1)),
    'another hash on the way': withPath(zeros, ...path.slice(1)),
    'another order on the way': withPath(...path.toReversed()),
    'another size': proof.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`),
    'another root': [head, text.replace(/.{44}$/, zeros), signatures].join('\n\n'),
    'another origin': proof.replace(/auc_./, 'auc_0'),
    'no signature': [head, text, ''].join('\n\n'),
    'another signature': proof.replace(/.{8}=*\n$/, 'AAAAAAAA\n'),
    'a signature of nobody that is known': proof.replace(/\u2014 \S+/, '\u2014 somebody.example'),
    'a control character': proof.replace('\u2014 ', '\u2014\t'),
    'no end': proof.slice(0, -1),
  }
}
