import { expect } from 'chai'
import fc from 'fast-check'
import { type Answered, type Asked, type AskedTerms, type Surface, TwoNodes } from '../support/command-surfaces.js'

/** Of the longer run: `VENDUE_REPEATS=300 npm test -- test/services/repeated-commands`. */
const RUNS = Number(process.env.VENDUE_REPEATS ?? 4)

const TERMS: AskedTerms = {
  title: 'Lot',
  description: 'old',
  currency: 'EUR',
  start: '10',
  reserve: '60',
  increment: '1',
  buyNow: '90',
  closesIn: 7_200,
  window: 30,
  extension: 40,
}
/** One field of an opening changed at a time. */
const OTHER_TERMS: readonly Partial<AskedTerms>[] = [
  ...[{ title: 'Lot 2' }, { description: 'new' }, { currency: 'USD' }, { start: '11' }, { reserve: '61' }],
  ...[{ increment: '2' }, { buyNow: '91' }, { closesIn: 7_201 }, { window: 31 }, { extension: 41 }],
  ...([{ opensIn: 60 }, { hardStopIn: 600 }, { pseudonyms: true }] as const),
]

/** The same again, and once each with something else: what has to be told apart. */
interface Case {
  readonly what: string
  readonly asked: (auction: string, other: string) => Asked
  readonly others: (auction: string, other: string) => readonly Asked[]
}

const cases: readonly Case[] = [
  {
    what: 'an opening',
    asked: () => ({ do: 'open', ...TERMS }),
    others: (auction) => [
      ...OTHER_TERMS.map((change): Asked => ({ do: 'open', ...TERMS, ...change })),
      { do: 'close', auction },
    ],
  },
  {
    what: 'a bid',
    asked: (auction) => ({ do: 'bid', auction, amount: '12', kind: 'plain' }),
    others: (auction, other) => [
      { do: 'bid', auction, amount: '13', kind: 'plain' },
      { do: 'bid', auction, amount: '12', kind: 'max' },
      { do: 'bid', auction: other, amount: '12', kind: 'plain' },
      { do: 'buy-now', auction },
    ],
  },
  {
    what: 'a maximum',
    asked: (auction) => ({ do: 'bid', auction, amount: '30', kind: 'max' }),
    others: (auction, other) => [
      { do: 'bid', auction, amount: '31', kind: 'max' },
      { do: 'bid', auction, amount: '30', kind: 'plain' },
      { do: 'bid', auction: other, amount: '30', kind: 'max' },
    ],
  },
  {
    what: 'a bid that is refused',
    asked: (auction) => ({ do: 'bid', auction, amount: '9', kind: 'plain' }),
    others: (auction) => [{ do: 'bid', auction, amount: '15', kind: 'plain' }],
  },
  {
    what: 'a purchase',
    asked: (auction) => ({ do: 'buy-now', auction }),
    others: (auction, other) => [
      { do: 'buy-now', auction: other },
      { do: 'bid', auction, amount: '90', kind: 'max' },
    ],
  },
  {
    what: 'a close',
    asked: (auction) => ({ do: 'close', auction }),
    others: (auction, other) => [
      { do: 'close', auction: other },
      { do: 'cancel', auction, reason: 'lost' },
    ],
  },
  {
    what: 'a cancellation',
    asked: (auction) => ({ do: 'cancel', auction, reason: 'broken' }),
    others: (auction, other) => [
      { do: 'cancel', auction, reason: 'lost' },
      { do: 'cancel', auction: other, reason: 'broken' },
      { do: 'close', auction },
    ],
  },
  {
    what: 'an extension by so much',
    asked: (auction) => ({ do: 'extend', auction, by: 60 }),
    others: (auction, other) => [
      { do: 'extend', auction, by: 61 },
      { do: 'extend', auction: other, by: 60 },
      { do: 'extend', auction, to: Date.UTC(2031, 0, 1) },
    ],
  },
  {
    what: 'an extension to a time',
    asked: (auction) => ({ do: 'extend', auction, to: Date.UTC(2031, 0, 1) }),
    others: (auction, other) => [
      { do: 'extend', auction, to: Date.UTC(2031, 0, 2) },
      { do: 'extend', auction: other, to: Date.UTC(2031, 0, 1) },
      { do: 'extend', auction, by: 60 },
    ],
  },
]

/** What is refused once an auction is over is refused for ever, and nothing is kept of it: its id stays free. */
const UNKEPT: ReadonlySet<string> = new Set(['AUCTION_CANCELLED', 'AUCTION_CLOSED', 'AUCTION_ENDED'])

interface Done {
  readonly surface: string
  readonly asked: Asked
  readonly others: readonly Asked[]
  readonly id: string
  readonly first: Answered
}

describe('a command that is sent again with its id', () => {
  const nodes = new TwoNodes()
  const done: Done[] = []
  let count = 0

  before(() => nodes.start())
  after(async () => {
    await nodes.stop()
    nodes.dispose()
  })

  const surfaceNamed = (name: string) => nodes.surfaces.find((one) => one.name === name) as Surface
  const newId = (asked: Asked) =>
    `${asked.do.startsWith('b') ? 'bid' : 'cmd'}_repeated${String(++count).padStart(8, '0')}`

  /** An auction of the seller that speaks over this surface. */
  async function opened(surface: Surface): Promise<string> {
    const seller = surface.says({ do: 'open', ...TERMS }) ? surface : surfaceNamed('HTTP')
    const asked = { do: 'open', ...TERMS } as const
    const { auction } = await seller.ask(asked, newId(asked))
    await nodes.known(auction as string)
    return auction as string
  }

  async function repeat({ surface: name, asked, others, id, first }: Done): Promise<void> {
    const surface = surfaceNamed(name)
    const length = first.auction === null ? 0 : await nodes.length(first.auction)
    const again = async () => expect(await surface.ask(asked, id), 'the same again').to.deep.equal(first)
    await again()
    for (const other of others.filter(surface.says)) {
      const { code } = await surface.ask(other, id)
      expect(code, JSON.stringify(other)).to.equal('COMMAND_ID_REUSED')
    }
    await again()
    if (first.auction !== null) expect(await nodes.length(first.auction), 'nothing more was done').to.equal(length)
  }

  for (const { name } of nodes.surfaces) {
    for (const { what, asked: askedOf, others } of cases) {
      const sample = askedOf('', '')
      if (!surfaceNamed(name).says(sample)) continue
      it(`gets its first outcome and is refused with anything changed: ${what} over ${name}`, async () => {
        const surface = surfaceNamed(name)
        const [auction, other] = [await opened(surface), await opened(surface)]
        const asked = askedOf(auction, other)
        const id = newId(asked)
        const first = await surface.ask(asked, id)
        expect(first.code).to.equal(what.endsWith('refused') ? 'BID_TOO_LOW' : 'accepted')
        const one = { surface: name, asked, others: others(auction, other), id, first }
        done.push(one)
        await repeat(one)
      })
    }
  }

  it('opens nothing twice where both openings come at once, with the same terms or with others', async () => {
    const surface = surfaceNamed('the node API')
    const ask = (title: string) => surface.ask({ do: 'open', ...TERMS, title }, 'cmd_atthesametime')
    const [first, same, other] = await Promise.all([ask('Lot'), ask('Lot'), ask('Lot 2')])
    expect(first).to.include({ code: 'accepted' })
    expect(same).to.deep.equal(first)
    expect(other).to.include({ code: 'COMMAND_ID_REUSED' })
  })

  it('gets its first outcome after a restart of all nodes, on whatever surface', async () => {
    await nodes.restart()
    for (const one of done) await repeat(one)
  })

  it('gets its first outcome after its auction has moved to another home', async () => {
    const moved = done.filter(({ asked }) => ['bid', 'extend'].includes(asked.do))
    expect(moved).to.have.length.above(10)
    const auctions = new Set(moved.flatMap(({ asked }) => ('auction' in asked ? asked.auction : [])))
    for (const auction of auctions) await nodes.shop.api.handover({ auction, peer: 'anna' })
    for (const one of moved) {
      // Other auctions have stayed: their home does not know this id.
      const others = one.others.filter((other) => 'auction' in other && auctions.has(other.auction))
      await repeat({ ...one, others })
    }
  })

  it('comes to what its first one came to, in any order of commands over library, node API and command line', async () => {
    const mandate = fc.record({
      surface: fc.nat(nodes.surfaces.length - 1),
      what: fc.nat(cases.length - 1),
      change: fc.option(fc.nat(20), { nil: null }),
      id: fc.nat(3),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(mandate, { minLength: 8, maxLength: 24 }), async (mandates) => {
        await play(mandates)
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
  })

  /** Sends commands under few ids, against a model: the first one with an id decides for all later ones. */
  async function play(mandates: readonly { surface: number; what: number; change: number | null; id: number }[]) {
    const round = ++count
    // Those of one seller and one bidder: nobody else may use their ids.
    const surfaces = nodes.surfaces.filter(({ name }) =>
      ['the node API', 'the command line', 'the library'].includes(name),
    )
    const [auction, other] = [await opened(surfaces[0] as Surface), await opened(surfaces[0] as Surface)]
    const firsts = new Map<string, { asked: string; answer: Answered }>()
    for (const { surface: nth, what, change, id: number } of mandates) {
      const surface = surfaces[nth % surfaces.length] as Surface
      const { asked: askedOf, others } = cases[what] as Case
      const all = [askedOf(auction, other), ...others(auction, other)]
      const asked = all[change === null ? 0 : change % all.length] as Asked
      if (!surface.says(asked)) continue
      const id = `cmd_played${String(round).padStart(6, '0')}_${number}`
      const known = firsts.get(id)
      const answer = await surface.ask(asked, id)
      if (known === undefined) {
        if (!UNKEPT.has(answer.code)) firsts.set(id, { asked: JSON.stringify(asked), answer })
      } else if (known.asked === JSON.stringify(asked))
        expect([answer.code, answer.seq]).to.deep.equal([known.answer.code, known.answer.seq])
      else expect(answer.code, JSON.stringify([asked, known])).to.equal('COMMAND_ID_REUSED')
    }
  }
})
