import { expect } from 'chai'
import type { VendueNode } from '../../services/node/create-node.js'
import { Ed25519Verifier } from '../../src/adapters/system/node-key.js'
import { readLog, unplaced } from '../../src/application/proof/read-log.js'
import { verifyLog } from '../../src/application/proof/verify-log.js'
import { signMandates, submittedMandates } from '../../src/application/submissions/mandate.js'
import { MAX_DURATION_MS } from '../../src/domain/limits.js'
import type { RemoteCommand } from '../../src/domain/remote-command.js'
import type { SubmitResult } from '../../src/ports/mesh/home-messages.js'
import type { PeerCallError } from '../../src/ports/mesh/peer-call-error.js'
import type { AuctionHead } from '../../src/ports/store/event-log.js'
import { eventually } from '../support/eventually.js'
import {
  type Bidding,
  type Opening,
  openSurfaces,
  type Said,
  type Surface,
  type Surfaces,
  Unsayable,
} from '../support/surfaces.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const DAY_MS = 86_400_000
const SOON = Date.now() + 3_600_000
const YEARS = Date.now() + MAX_DURATION_MS
const bands = (count: number) => Array.from({ length: count }, (_, i) => `${i}:1`).join(',')
const HALF = 'a\ud800'
const ESCAPE = 'a\u001b[2J'

/** Of each input what is still taken, at its limits, and what lies just beyond them. */
interface Input<T> {
  readonly name: string
  readonly taken: readonly T[]
  readonly refused: readonly T[]
}

const openings: readonly Input<Partial<Opening>>[] = [
  {
    name: 'title',
    taken: [{ title: 'x' }, { title: 'x'.repeat(200) }, { title: 'Jose\u0301 \u{1f98a}' }],
    refused: [
      ...[{ title: '' }, { title: ' ' }, { title: '\u200b\u2060' }, { title: 'x'.repeat(201) }],
      ...[{ title: ESCAPE }, { title: 'a\nb' }, { title: '\u202ea' }, { title: HALF }],
    ],
  },
  {
    name: 'description',
    taken: [
      ...[{ description: '' }, { description: 'x'.repeat(10_000) }, { description: 'a\nb\tc' }],
      ...[{ description: 'a\r\nb\rc' }],
    ],
    refused: [{ description: 'x'.repeat(10_001) }, { description: ESCAPE }, { description: HALF }],
  },
  {
    name: 'currency',
    taken: [{ currency: 'usd' }, { currency: 'USD' }, { currency: 'JPY', increment: '1' }, { currency: 'BTC' }],
    refused: [{ currency: '' }, { currency: 'US$' }, { currency: 'X'.repeat(11) }, { currency: 'QQQ' }],
  },
  {
    name: 'start price',
    taken: [
      ...[{ start: '0.01' }, { start: 0.01 }, { start: '90071992547409.91' }, { start: 9999999999999.99 }],
      { start: 0.0000005, currency: 'BTC' },
    ],
    refused: [
      ...[{ start: '0' }, { start: 0 }, { start: '-1' }, { start: '0.001' }, { start: 0.001 }],
      ...[{ start: '90071992547409.92' }, { start: 10000000000000 }, { start: 'abc' }, { start: '' }],
      ...[{ start: '9'.repeat(65) }, { start: 0.000000001, currency: 'BTC' }],
    ],
  },
  {
    name: 'reserve',
    taken: [{ reserve: '1' }, { reserve: 1 }, { reserve: '90071992547409.91' }],
    refused: [{ reserve: '0.99' }, { reserve: '0' }, { reserve: '90071992547409.92' }, { reserve: 'x' }],
  },
  {
    name: 'buy-now price',
    taken: [{ buyNow: '1' }, { buyNow: 1.5 }, { buyNow: '90071992547409.91' }],
    refused: [{ buyNow: '0.99' }, { buyNow: 'x' }, { buyNow: '90071992547409.92' }],
  },
  {
    name: 'increment',
    taken: [
      ...[{ increment: '0.01' }, { increment: 0.5 }, { increment: '90071992547409.91' }],
      ...[{ increment: '0:1,100:2' }, { increment: bands(32) }],
    ],
    refused: [
      ...[{ increment: '0' }, { increment: 0 }, { increment: '0.001' }, { increment: bands(33) }],
      ...[{ increment: '1:2' }, { increment: '0:1,0:2' }, { increment: 'abc' }, { increment: '0:1:2' }],
    ],
  },
  {
    name: 'opening time',
    taken: [{ opensAt: SOON }, { opensAt: YEARS - 60_000 }],
    refused: [{ opensAt: Date.now() - DAY_MS }, { opensAt: YEARS + DAY_MS }, { opensAt: 9e15 }],
  },
  {
    name: 'end time',
    taken: [{ closesAt: SOON }, { closesAt: YEARS - 60_000 }],
    refused: [{ closesAt: Date.now() - DAY_MS }, { closesAt: YEARS + DAY_MS }, { closesAt: 9e15 }],
  },
  {
    name: 'soft close',
    taken: [1_000, DAY_MS].map((ms) => soft(ms, ms)),
    refused: [soft(0, 1_000), soft(1_000, 0), soft(DAY_MS + 1_000, 1_000), soft(1_000, DAY_MS + 1_000)],
  },
]

function soft(windowMs: number, extensionMs: number): Partial<Opening> {
  return { closesAt: SOON, softClose: { windowMs, extensionMs } }
}

const reasons: Input<string> = {
  name: 'reason',
  taken: ['', 'Broken.', 'x'.repeat(500), 'e\u0301'.repeat(250)],
  refused: ['x'.repeat(501), 'x'.repeat(1_000), 'a\nb', 'a\r\nb', ESCAPE, '\u202ea', HALF],
}

const ends: Input<number> = {
  name: 'later end',
  taken: [SOON + 1, YEARS - 60_000],
  refused: [SOON, SOON - 1, YEARS + DAY_MS],
}

const bids: readonly Input<Bidding>[] = [
  {
    name: 'amount',
    taken: [
      ...[{ amount: '1' }, { amount: '1.00' }, { amount: ' 1.5 ' }, { amount: 1 }, { amount: 1.25 }],
      ...[{ amount: '90071992547409.91' }, { amount: 9999999999999.99 }],
      ...[
        { amount: '1', kind: 'max' as const },
        { amount: '90071992547409.91', kind: 'max' as const },
      ],
    ],
    refused: [
      ...[{ amount: '0.99' }, { amount: '0' }, { amount: 0 }, { amount: '-5' }, { amount: '1.001' }],
      ...[{ amount: 1.001 }, { amount: 'abc' }, { amount: '' }, { amount: '9'.repeat(65) }],
      ...[{ amount: '90071992547409.92' }, { amount: 10000000000000 }, { amount: '1e3' }],
    ],
  },
]

/** Ids of the client's: nodes take them as they are, gateways take any visible key. */
const ids: Readonly<Record<string, Input<string>>> = {
  'the library': idsOf(1, 96),
  RPC: idsOf(1, 96),
  'the command line': { ...idsOf(12, 68), refused: ['bid_1234567', `bid_${'b'.repeat(65)}`, 'bid 1'] },
  HTTP: keysOf(),
  WebSocket: keysOf(),
  'Socket.IO': keysOf(),
}

function idsOf(least: number, most: number): Input<string> {
  const id = (length: number) => `bid_${Math.random().toString(36).slice(2)}`.padEnd(length, 'b')
  const taken = [id(least).slice(0, Math.max(least, 12)), id(most).slice(0, most)]
  return { name: 'id', taken, refused: ['', 'b'.repeat(97), 'bid 1', 'bid_\u00e4', 'bid_\n1'] }
}

function keysOf(): Input<string> {
  const own = Math.random().toString(36).slice(2, 10)
  return { name: 'key', taken: [own, own.padEnd(128, '~')], refused: ['k'.repeat(129), 'a b', 'k\u00e4'] }
}

describe('what a home takes, whichever way it came, everybody accepts', function () {
  this.timeout(180_000)
  let mesh: TestMesh
  let surfaces: Surfaces
  let tried = 0

  before(async () => {
    mesh = await createTestMesh(2)
    const [home, other] = mesh.nodes
    surfaces = await openSurfaces(home!, other!)
  })

  after(async () => {
    await surfaces.stop()
    await mesh.stop()
  })

  const TERMS: Opening = { title: 'Lot', currency: 'USD', start: '1', increment: '0.01' }

  /** What the surface answers; null for what it has no words for. */
  async function ask(call: () => Promise<Said>): Promise<Said | null> {
    try {
      const answer = await call()
      tried += 1
      return answer
    } catch (error) {
      if (error instanceof Unsayable) return null
      throw error
    }
  }

  /** An auction of this surface's own, known to the other node. */
  async function opened(surface: Surface, more: Partial<Opening> = {}): Promise<string> {
    const said = await (surface.open ?? surfaces.all[3]!.open)!({ ...TERMS, ...more })
    if (said.code !== 'accepted') throw new Error(`${surface.name} does not open: ${said.code}`)
    const [, other] = mesh.nodes
    const auctions = other!.services.parts.auctions
    await eventually('the other node knows it', async () => (await auctions.find(said.auctionId)) !== null)
    return said.auctionId
  }

  async function holds<T>(
    { taken, refused }: Input<T>,
    surface: Surface,
    call: (value: T) => Promise<Said>,
  ): Promise<void> {
    for (const [values, isTaken] of [
      [taken, true],
      [refused, false],
    ] as const) {
      for (const value of values) {
        const said = await ask(() => call(value))
        if (said === null) continue
        const shown = `${surface.name} answers ${said.code} to ${JSON.stringify(value).slice(0, 120)}`
        expect(said.code === 'accepted', shown).to.equal(isTaken)
        expect(said.code, shown).not.to.be.oneOf(['INTERNAL', 'OUTCOME_UNKNOWN', undefined])
      }
    }
  }

  for (const input of openings) {
    it(`an opening's ${input.name}, at its limits and beyond them`, async () => {
      for (const surface of surfaces.all.filter(({ open }) => open))
        await holds(input, surface, (more) => surface.open!({ ...TERMS, ...more }))
    })
  }

  it('a reason to cancel, at its limits and beyond them', async () => {
    for (const surface of surfaces.all.filter(({ cancel }) => cancel))
      await holds(reasons, surface, async (reason) => surface.cancel!(await opened(surface), reason))
  })

  it('a later end, at its limits and beyond them', async () => {
    for (const surface of surfaces.all.filter(({ extend }) => extend))
      await holds(ends, surface, async (closesAt) =>
        surface.extend!(await opened(surface, { closesAt: SOON }), closesAt),
      )
  })

  for (const input of bids) {
    it(`a bid's ${input.name}, at its limits and beyond them`, async () => {
      for (const surface of surfaces.all)
        await holds(input, surface, async (bid) => surface.bid!(await opened(surface), bid))
    })
  }

  it('a command’s id, at its limits and beyond them', async () => {
    for (const surface of surfaces.all)
      await holds(ids[surface.name]!, surface, async (key) => surface.bid!(await opened(surface), { amount: '1', key }))
  })

  it('the id of what a seller does, at its limits and beyond them', async () => {
    const own = surfaces.all.filter(({ name }) => ['the library', 'RPC'].includes(name))
    expect(own).to.have.length(2)
    for (const surface of own) {
      await holds(idsOf(1, 96), surface, async (key) => surface.cancel!(await opened(surface), 'Broken.', key))
      await holds(idsOf(1, 96), surface, (key) => surface.open!({ ...TERMS, key }))
    }
  })

  it('a bidder’s name, at its limits and beyond them', async () => {
    const { gateway } = surfaces
    const named: Input<string> = {
      name: 'name',
      taken: ['x', 'x'.repeat(64), 'Jose\u0301'],
      refused: ['x'.repeat(65), '\u200b', ESCAPE, 'a\nb', '\u202ea'],
    }
    const byGateway: Surface = { name: 'HTTP' }
    await holds(named, byGateway, async (name) => {
      const answer = await gateway.bid(await opened(surfaces.all[3]!), name, '1')
      return { code: answer.status === 201 ? 'accepted' : answer.body.code, auctionId: '' }
    })
    const [home] = mesh.nodes
    const parties = {
      name: 'party',
      taken: ['p'.repeat(96), 'acc_1'].map((id) => ({ id, name: 'x'.repeat(64) })),
      refused: [
        ...[
          { id: '', name: 'x' },
          { id: 'p'.repeat(97), name: 'x' },
          { id: 'a b', name: 'x' },
        ],
        ...[
          { id: 'acc_2', name: '' },
          { id: 'acc_2', name: 'x'.repeat(65) },
          { id: 'acc_2', name: HALF },
        ],
      ],
    }
    await holds(parties, { name: 'the library' }, async (as) => {
      const request = { commandId: `bid_${++tried}_of_party`, kind: 'plain', amount: '1', as } as const
      const auction = await opened(surfaces.all[3]!)
      return home!.api.bid({ auction, ...request }).then(
        ({ outcome }) => ({ code: outcome.status, auctionId: '' }),
        (error: { code: string }) => ({ code: error.code, auctionId: '' }),
      )
    })
  })

  it("a bid by another node's own software, at its limits and beyond them", async () => {
    const [home, other] = mesh.nodes as [VendueNode, VendueNode]
    const { nodeId } = other.info
    const named = (name: string) => ({ bidder: { id: nodeId, name } })
    const changes: Input<Partial<RawBid>> = {
      name: 'bid',
      taken: [
        ...[named('x'), named('x'.repeat(64)), named('Jose\u0301'), { commandId: 'c'.repeat(96) }],
        ...[{ amount: Number.MAX_SAFE_INTEGER }, { commandId: 'r' }, { bidder: { id: 'acc_1', name: 'x' } }],
      ],
      refused: [
        ...[named(''), named('x'.repeat(65)), named('\u200b'), named(ESCAPE), named('a\nb'), named(HALF)],
        ...[{ commandId: '' }, { commandId: 'c'.repeat(97) }, { commandId: 'a b' }, { amount: 0 }],
        ...[{ amount: 0.5 }, { amount: 2 ** 53 }, { bidder: { id: 'b'.repeat(97), name: 'x' } }],
      ],
    }
    await holds(changes, { name: 'vendue.submit' }, async (change) => {
      const auctionId = await opened(surfaces.all[3]!)
      const bid: RawBid = {
        type: 'PlaceBid',
        auctionId,
        commandId: `bid_raw_${++tried}`,
        kind: 'plain',
        amount: 100,
        ...named(other.info.name),
        ...change,
      }
      const mandates = submittedMandates(signMandates([bid], other.services.parts.signer, Date.now()))
      const answer = other.services.parts.peerClient.submit(home.info.address, [bid], mandates)
      return answer.then(
        ({ results: [result] }) => ({ code: codeOf(result as SubmitResult), auctionId }),
        (error: PeerCallError) => ({ code: error.code, auctionId }),
      )
    })
  })

  it('and the same name in two forms is one bidder', async () => {
    const { gateway } = surfaces
    const auctionId = await opened(surfaces.all[3]!)
    const first = await gateway.bid(auctionId, 'Jos\u00e9', '5')
    const second = await gateway.bid(auctionId, 'Jose\u0301', '6')
    expect(first.status).to.equal(201)
    expect(second.body.code).to.equal('ALREADY_LEADING')
  })

  it('and all of it is at the other node, after a restart of both, and verifies', async () => {
    expect(tried).to.be.above(250)
    const held = async (i: number): Promise<AuctionHead[]> => mesh.nodes[i]!.services.parts.eventLog.heads(null, 10_000)
    const [heads] = [await held(0)]
    await eventually('the other node holds the same', async () => same(await held(1), heads), 30_000)
    for (const { sync } of mesh.nodes) expect(sync).to.include({ refused: 0 })
    await surfaces.stop()
    const names = mesh.nodes.slice(0, 2).map(({ info }) => info.name)
    for (const node of mesh.nodes.slice(0, 2)) await node.stop()
    for (const name of names) await mesh.join(name)
    expect(same(await held(2), heads)).to.equal(true)
    expect(same(await held(3), heads)).to.equal(true)
    for (const { auctionId } of heads) {
      const commits = unplaced(readLog(mesh.nodes[3]!.api, auctionId))
      const verified = await verifyLog(commits, { verifier: new Ed25519Verifier() }, { allSignatures: true })
      expect(verified.valid, JSON.stringify(verified)).to.equal(true)
    }
    const { auctions } = await mesh.nodes[3]!.api.list({ limit: 1_000 })
    expect(auctions).to.have.length(heads.length)
  })
})

type RawBid = Extract<RemoteCommand, { kind: 'plain' }>

function codeOf(result: SubmitResult): string {
  if (!result.ok) return result.code
  return result.outcome.status === 'accepted' ? 'accepted' : result.outcome.rejection.code
}

function same(heads: readonly AuctionHead[], others: readonly AuctionHead[]): boolean {
  return JSON.stringify(heads) === JSON.stringify(others)
}
