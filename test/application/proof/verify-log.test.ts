import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { hashOf, sealCommit } from '../../../src/application/log/commit.js'
import { readBody } from '../../../src/application/log/commit-body.js'
import type { CommittedMandate } from '../../../src/application/log/written-body.js'
import {
  commitLine,
  headerLine,
  type PlacedCommit,
  readExport,
  trailerLine,
} from '../../../src/application/proof/export-format.js'
import { readLog, unplaced } from '../../../src/application/proof/read-log.js'
import {
  type Finding,
  type Verification,
  type VerifyOptions,
  verifyLog,
} from '../../../src/application/proof/verify-log.js'
import { asSigned, mandateText } from '../../../src/application/submissions/mandate.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { AuctionEvent } from '../../../src/domain/events.js'
import { mandatesOf, sellerOf } from '../../support/bidding-nodes.js'
import { LongAuction } from '../../support/long-auction.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { type MemoryNode, startMemoryNodes } from '../../support/memory-node.js'

const verifier = new Ed25519Verifier()

async function* inChunks(bytes: Uint8Array, size = 1_000): AsyncGenerator<Uint8Array, void, undefined> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

function verifyBytes(bytes: Uint8Array, options: VerifyOptions = {}): Promise<Verification> {
  return verifyLog(readExport(inChunks(bytes)), { verifier }, options)
}

async function* placed(commits: Iterable<Commit>): AsyncGenerator<PlacedCommit, void, undefined> {
  for (const commit of commits) yield { commit, place: null }
}

function verifyCommits(commits: Iterable<Commit>, options: VerifyOptions = {}): Promise<Verification> {
  return verifyLog(placed(commits), { verifier }, options)
}

function findingOf(result: Verification): Finding {
  if (result.valid) throw new Error('expected a finding')
  return result.finding
}

/** The line that holds a byte of the file; a newline belongs to the line that it ends. */
function lineOf(bytes: Uint8Array, offset: number): { line: number; byteOffset: number } {
  const before = Buffer.from(bytes.subarray(0, offset))
  const byteOffset = before.lastIndexOf('\n') + 1
  return { line: before.toString('latin1').split('\n').length, byteOffset }
}

const small = () => new LongAuction({ bids: 60, bidsPerCommit: 7 })

/** What the home's key holder would have written, had he written these events instead. */
function rewrite(
  auction: LongAuction,
  commits: readonly Commit[],
  change: (event: AuctionEvent) => AuctionEvent,
): Commit[] {
  let last: Commit | null = null
  return commits.map((commit) => {
    const { events, mandates } = readBody(commit.body)
    const [firstSeq, prevHash] = [commit.firstSeq, last?.hash ?? null]
    const auctionId = last?.auctionId ?? null
    last = sealCommit({ auctionId, firstSeq, prevHash, events: events.map(change), mandates }, auction.signer)
    return last
  })
}

describe('verifying a log', () => {
  it('accepts what a home wrote, and names winner, price and counts', async () => {
    const auction = small()
    const result = await verifyBytes(Buffer.from([...auction.lines()].join('')))
    if (!result.valid) throw new Error(JSON.stringify(result.finding))
    const { summary } = result
    expect(summary.state.status === 'closed' && summary.state.result.sold).to.equal(true)
    expect(summary.decision).to.equal('rerun')
    expect(summary.opened).to.be.greaterThan(0)
    expect(summary.events).to.be.greaterThan(60)
    expect(summary.signaturesChecked).to.equal(1)
    expect([...result.explain()]).to.have.length(60)
  })

  it('checks every signature when asked to', async () => {
    const commits = [...small().commits()]
    const result = await verifyCommits(commits, { allSignatures: true })
    expect(result.valid && result.summary.signaturesChecked).to.equal(commits.length)
  })

  it('accepts an auction that is still open, without a decision to run again', async () => {
    const result = await verifyCommits(new LongAuction({ bids: 20, bidsPerCommit: 3, open: true }).commits())
    expect(result.valid && result.summary.decision).to.equal('not-yet')
  })

  it('finds any flipped byte of a file, and names its line', async () => {
    const bytes = Buffer.from([...small().lines()].join(''))
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const flipped = Buffer.from(bytes)
        flipped[at] = (flipped[at] as number) ^ mask
        const { place } = findingOf(await verifyBytes(flipped))
        expect(place).to.deep.equal(lineOf(bytes, at))
      }),
      { numRuns: 400 },
    )
  })

  it('finds each flipped byte of header and trailer, and each flipped newline', async () => {
    const bytes = Buffer.from([...new LongAuction({ bids: 2, bidsPerCommit: 2 }).lines()].join(''))
    const trailer = bytes.lastIndexOf('\n', bytes.length - 2) + 1
    const places = [...bytes.keys()].filter((at) => at <= bytes.indexOf('\n') || at >= trailer || bytes[at] === 0x0a)
    for (const at of places) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] as number) ^ 1
      expect(findingOf(await verifyBytes(flipped)).place, `byte ${at}`).to.deep.equal(lineOf(bytes, at))
    }
  })

  it('finds a file that was cut anywhere', async () => {
    const bytes = Buffer.from([...small().lines()].join(''))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
        expect(findingOf(await verifyBytes(bytes.subarray(0, length))).code).to.equal('FILE')
      }),
      { numRuns: 100 },
    )
  })

  it('finds lines that were left out, doubled or swapped', async () => {
    const lines = [...small().lines()]
    const [a, b] = [lines[3] as string, lines[4] as string]
    for (const changed of [
      [...lines.slice(0, 3), ...lines.slice(4)],
      [...lines.slice(0, 4), a, ...lines.slice(4)],
      [...lines.slice(0, 3), b, a, ...lines.slice(5)],
    ]) {
      const finding = findingOf(await verifyBytes(Buffer.from(changed.join(''))))
      expect(finding.code).to.equal('COMMIT')
      expect(finding.place?.line).to.be.oneOf([4, 5])
    }
  })

  it('finds a line that readers could read differently, though its check sum is right', async () => {
    const lines = [...small().lines()]
    const resummed = (line: number, change: (json: string) => string | Buffer) => {
      const open = Buffer.from(change((lines[line] as string).replace(/,"sum":"[0-9a-f]{8}"}\n$/, '')))
      const sum = crc32(open).toString(16).padStart(8, '0')
      return Buffer.concat([
        Buffer.from(lines.slice(0, line).join('')),
        open,
        Buffer.from(`,"sum":"${sum}"}\n`),
        Buffer.from(lines.slice(line + 1).join('')),
      ])
    }
    const last = lines.length - 1
    for (const [line, change, rule] of [
      [0, (json) => json.replace('"version"', '"version":1,"version"'), 'twice'],
      [3, (json) => json.replace('"firstSeq":', '"firstSeq":1,"firstSeq":'), 'twice'],
      [3, (json) => json.replace('"body":"', '"body":"x","hash":"y","body":"'), 'JSON'],
      [3, (json) => json.replace('"hash":"', '"hash":"x","body":"y","hash":"'), 'JSON'],
      [3, (json) => `${json},"body":"y"`, 'twice'],
      [3, (json) => json.replace('"lastSeq":', '"lastSeq": '), 'white space'],
      [3, (json) => Buffer.from(json.replace('"signer":"', '"signer":"\u00ff'), 'latin1'), 'UTF-8'],
      [last, (json) => json.replace(/"commits":(\d+)/, '"commits":$1.0'), 'digits'],
    ] as [number, (json: string) => string | Buffer, string][]) {
      const finding = findingOf(await verifyBytes(resummed(line, change)))
      expect(finding).to.deep.include({ code: 'FILE' })
      expect(finding.rule).to.contain(rule)
      expect(finding.place?.line).to.equal(line + 1)
    }
  })

  it('finds a body that was altered together with its hash and check sum', async () => {
    const auction = small()
    const commits = [...auction.commits()]
    const target = commits[4] as Commit
    const body = target.body.replace(/"Bidder \d"/, '"Mallory"')
    const forged = { ...target, body, hash: hashOf(body) }
    const all = commits.map((commit) => (commit === target ? forged : commit))
    const last = all.at(-1) as Commit
    const lines = [
      headerLine(target.auctionId),
      ...all.map(commitLine),
      trailerLine({
        commits: all.length,
        events: last.lastSeq,
        head: { seq: last.lastSeq, hash: last.hash },
      }),
    ]
    const finding = findingOf(await verifyBytes(Buffer.from(lines.join(''))))
    expect(finding.code).to.equal('MANDATE')
    expect(finding.place?.line).to.equal(6)
    const signatures = findingOf(await verifyCommits(all, { allSignatures: true }))
    expect(signatures).to.deep.include({ code: 'SIGNATURE', commit: spanOf(forged) })
  })

  it('finds the newest signature forged, and an older one with --all', async () => {
    const commits = [...small().commits()]
    const forge = (i: number) => {
      const forged = [...commits]
      const { signature } = forged[i] as Commit
      const swapped = (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1)
      forged[i] = { ...(forged[i] as Commit), signature: swapped }
      return forged
    }
    const last = commits.length - 1
    expect(findingOf(await verifyCommits(forge(last))).code).to.equal('SIGNATURE')
    expect((await verifyCommits(forge(3))).valid).to.equal(true)
    const finding = findingOf(await verifyCommits(forge(3), { allSignatures: true }))
    expect(finding).to.deep.include({ code: 'SIGNATURE', commit: spanOf(commits[3] as Commit) })
  })

  it('finds another author than the home', async () => {
    const auction = small()
    const [opening, ...rest] = [...auction.commits()]
    const mallory = new LongAuction({ bids: 0, bidsPerCommit: 1 }).signer
    const { events } = readBody((rest[0] as Commit).body)
    const parts = { auctionId: auction.auctionId, firstSeq: 2, prevHash: (opening as Commit).hash, events }
    const finding = findingOf(await verifyCommits([opening as Commit, sealCommit(parts, mallory)]))
    expect(finding.code).to.equal('AUTHOR')
  })

  it('finds a home that stated another price than the maxima make, and says at which event', async () => {
    const auction = new LongAuction({ bids: 60, bidsPerCommit: 1 })
    const commits = [...auction.commits()]
    const answered = eventsOf(commits).find(
      ({ event }) => event.type === 'BidPlaced' && event.commitment !== null && event.leads && event.price > 130,
    )
    if (answered?.event.type !== 'BidPlaced') throw new Error('the auction has no such bid')
    const { bidId, price } = answered.event
    const told = rewrite(auction, commits.slice(0, answered.seq), (event) =>
      event.type === 'BidPlaced' && event.bidId === bidId ? { ...event, price: price + 1 } : event,
    )
    const closed = closeAfter(auction, told)
    const finding = findingOf(await verifyCommits(closed))
    expect(finding.code).to.equal('PRICE')
    expect(finding.event).to.deep.equal({ seq: answered.seq, type: 'BidPlaced' })
  })

  it('proves no result, and accuses nobody, as long as maxima stay shut that the close has to open', async () => {
    const commits = [...new LongAuction({ bids: 60, bidsPerCommit: 7 }).commits()]
    const revealing = commits.at(-1) as Commit
    expect(readBody(revealing.body).events.map(({ type }) => type)).to.deep.equal(['MaximaRevealed'])
    const shut = await verifyCommits(commits.slice(0, -1))
    expect(shut.valid && shut.summary.decision).to.equal('partly')
    expect(shut.valid && [...shut.explain()].length).to.equal(60)
    const whole = await verifyCommits(commits)
    expect(whole.valid && whole.summary.decision).to.equal('rerun')
  })

  it('finds maxima and reserves that were not the ones committed to', async () => {
    const auction = small()
    const commits = [...auction.commits()]
    for (const [type, change] of [
      ['MaximaRevealed', (event: AuctionEvent) => (event.type === 'MaximaRevealed' ? otherMaximum(event) : event)],
      [
        'AuctionClosed',
        (event: AuctionEvent) =>
          event.type === 'AuctionClosed' && event.reserve
            ? { ...event, reserve: { ...event.reserve, amount: event.reserve.amount - 1 } }
            : event,
      ],
    ] as const) {
      const finding = findingOf(await verifyCommits(rewrite(auction, commits, change)))
      expect(finding.code).to.equal('COMMITMENT')
      expect(finding.event?.type).to.equal(type)
    }
  })

  it('finds a bid that counts twice', async () => {
    const auction = small()
    const commits = [...auction.commits()]
    const second = eventsOf(commits).filter(({ event }) => event.type === 'BidPlaced')[1]
    const first = eventsOf(commits)[1]?.event
    if (second?.event.type !== 'BidPlaced' || first?.type !== 'BidPlaced') throw new Error('expected bids')
    const { bidId } = second.event
    const twice = rewrite(auction, commits, (event) =>
      event.type === 'BidPlaced' && event.bidId === bidId ? { ...event, bidId: first.bidId } : event,
    )
    expect(findingOf(await verifyCommits(twice))).to.deep.include({
      code: 'BID_ID',
      event: { seq: second.seq, type: 'BidPlaced' },
    })
  })

  it('finds a bid that its home has made up, and one in words that are not its bidder’s', async () => {
    const auction = small()
    const commits = [...auction.commits()]
    const findingWith = async (change: (mandate: CommittedMandate) => CommittedMandate[], skip = 0) => {
      const [opening, first] = commits as [Commit, Commit]
      const body = readBody(first.body)
      const told = sealCommit({ ...body, mandates: body.mandates.slice(skip).flatMap(change) }, auction.signer)
      return findingOf(await verifyCommits([opening, told]))
    }
    const bySeller = (committed: CommittedMandate) => {
      const { signer } = auction
      const { events } = readBody((commits[1] as Commit).body)
      const mandate = asSigned(auction.auctionId, committed, { events, sellerFacts: sellerOf(signer) })
      if (mandate === null) throw new Error('expected a mandate')
      const text = mandateText(auction.auctionId, mandate.signedAt, mandate.digests)
      return [{ ...committed, signer: signer.publicKey, signature: signer.sign(text) }]
    }
    const none = await findingWith(() => [])
    expect(none).to.deep.include({ code: 'MANDATE', event: { seq: 2, type: 'BidPlaced' } })
    expect((await findingWith((mandate) => [mandate], 1)).code).to.equal('MANDATE')
    expect((await findingWith(bySeller)).code).to.equal('MANDATE')
    const resigned = await findingWith((mandate) => [{ ...mandate, signedAt: mandate.signedAt + 1 }])
    expect(resigned.rule).to.contain('signature')
  })

  it('finds an event that breaks a rule of the auction', async () => {
    const auction = small()
    const commits = [...auction.commits()]
    const broken = rewrite(auction, commits, (event) =>
      event.type === 'BidPlaced' && event.price > 150 ? { ...event, price: 1 } : event,
    )
    expect(findingOf(await verifyCommits(broken)).code).to.equal('EVENT')
  })

  it('finds nothing in an empty file but that it is one', async () => {
    expect(findingOf(await verifyBytes(new Uint8Array())).code).to.equal('FILE')
  })
})

describe('verifying what nodes wrote', () => {
  const time = new ManualTime()
  const network = new MemoryNetwork()
  let nodes: MemoryNode[]

  before(async () => {
    nodes = await startMemoryNodes(network, time, ['home', 'anna', 'bert'])
  })

  after(async () => {
    for (const node of nodes) await node.stop()
  })

  it('holds for random histories of every kind of bid, from the home and from a replica', async () => {
    let opened = 0
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          reserve: fc.option(fc.integer({ min: 10, max: 60 })),
          buyNow: fc.option(fc.integer({ min: 60, max: 90 })),
          bids: fc.array(
            fc.record({
              who: fc.nat({ max: 1 }),
              kind: fc.constantFrom('plain', 'max'),
              amount: fc.integer({ min: 5, max: 99 }),
            }),
            { minLength: 1, maxLength: 25 },
          ),
          buys: fc.boolean(),
        }),
        async ({ reserve, buyNow, bids, buys }) => {
          const id = String(++opened).padStart(8, '0')
          const [home, ...bidders] = nodes as [MemoryNode, MemoryNode, MemoryNode]
          const { outcome } = await home.api.open({
            commandId: `cmd_${id}`,
            title: 'Pic#1',
            currency: 'JPY',
            start: '10',
            increment: '0:1,30:4',
            ...(reserve !== null && { reserve: String(reserve) }),
            ...(buyNow !== null && { buyNow: String(buyNow) }),
          })
          const auction = outcome.auctionId
          await settle()
          for (const [i, { who, kind, amount }] of bids.entries()) {
            const commandId = `bid_${id}_${i}`
            const bidder = bidders[who] as MemoryNode
            await bidder.api.bid({
              auction,
              commandId,
              kind: kind as 'plain' | 'max',
              amount: String(amount),
            })
          }
          if (buys) await bidders[0]?.api.buyNow({ auction, commandId: `bid_${id}_buy` })
          await home.api.close({ auction, commandId: `cmd_close_${id}` })
          await settle()
          for (const node of [home, bidders[1] as MemoryNode]) {
            const result = await verifyLog(unplaced(readLog(node.api, auction)), { verifier }, { allSignatures: true })
            if (!result.valid) throw new Error(JSON.stringify(result.finding))
            expect(result.summary.decision).to.equal('rerun')
            expect([...result.explain()].every(({ step }) => step?.because !== 'unknown')).to.equal(true)
          }
        },
      ),
      { numRuns: 40 },
    )
  })
})

function spanOf({ firstSeq, lastSeq, hash }: Commit) {
  return { firstSeq, lastSeq, hash }
}

function eventsOf(commits: readonly Commit[]): { seq: number; event: AuctionEvent }[] {
  return commits.flatMap(({ body, firstSeq }) =>
    readBody(body).events.map((event, i) => ({ seq: firstSeq + i, event })),
  )
}

function otherMaximum(event: Extract<AuctionEvent, { type: 'MaximaRevealed' }>): AuctionEvent {
  const [first, ...rest] = event.maxima
  return first ? { ...event, maxima: [{ ...first, amount: first.amount + 1 }, ...rest] } : event
}

/** Closes a log that was rewritten: the result as its last bid tells it, and every maximum opened that is known. */
function closeAfter(auction: LongAuction, commits: readonly Commit[]): Commit[] {
  const events = eventsOf(commits).map(({ event }) => event)
  const leading = events.filter((event) => event.type === 'BidPlaced' && event.leads).at(-1)
  const priced = events.filter((event) => event.type === 'BidPlaced').at(-1)
  const last = commits.at(-1) as Commit
  if (leading?.type !== 'BidPlaced' || priced?.type !== 'BidPlaced') throw new Error('no bid leads')
  const at = priced.at
  const { price, reserveMet } = priced
  const result = reserveMet
    ? ({ sold: true, winner: leading.bidder, bidId: leading.bidId, price } as const)
    : ({ sold: false, reason: 'reserve-not-met' } as const)
  const ids = new Set(events.flatMap((event) => ('bidId' in event ? [event.bidId] : [])))
  const maxima = auction.sealed.filter(({ bidId }) => ids.has(bidId)).map(({ bidderId: _, ...opening }) => opening)
  const closing: AuctionEvent[] = [
    { type: 'AuctionClosed', at, by: 'seller', commandId: 'cmd_close', result, reserve: auction.reserve },
    { type: 'MaximaRevealed', at, maxima },
  ]
  const { auctionId, lastSeq, hash } = last
  return [
    ...commits,
    sealCommit(
      {
        auctionId,
        firstSeq: lastSeq + 1,
        prevHash: hash,
        events: closing,
        mandates: mandatesOf(auctionId, closing, auction.signer),
      },
      auction.signer,
    ),
  ]
}
