import { expect } from 'chai'
import { SeededRandom } from '../sim/seeded-random.js'
import { drawnExports, type TriedExport, triedExports } from '../support/random-exports.js'
import { skipUnless } from '../support/requires.js'
import { firstVerdict, hasPython, PYTHON_MISSING, secondVerdicts } from '../support/second-verifier.js'
import { makeTempDir } from '../support/temp-dir.js'
import { HISTORIES, randomHistories, TrueAuctions } from '../support/true-auctions.js'

/** More with `VENDUE_EXPORTS=100000`. */
const EXPORTS = Number(process.env.VENDUE_EXPORTS ?? 1_000)
const SEED = Number(process.env.VENDUE_EXPORTS_SEED ?? 1)
const RANDOM_AUCTIONS = Math.ceil(EXPORTS / 250)

describe('the verifier in Python', () => {
  const dir = makeTempDir()

  before(function () {
    skipUnless(this, hasPython(), PYTHON_MISSING)
  })

  after(() => dir.remove())

  it(`agrees with this one on ${EXPORTS} random exports, true, forged, spoiled and damaged: valid or not, and why`, async () => {
    const tried = await randomExports()
    const first = await Promise.all(tried.map(({ bytes }) => firstVerdict(bytes)))
    const second = secondVerdicts(
      dir.path,
      tried.map(({ bytes }) => bytes),
    )
    expect(second).to.have.length(tried.length)
    const apart = tried.flatMap(({ what }, i) =>
      JSON.stringify(first[i]) === JSON.stringify(second[i]) ? [] : [{ what, first: first[i], second: second[i] }],
    )
    expect(apart).to.deep.equal([])
    const codes = new Set(first.map(({ code, verdict }) => code ?? verdict))
    expect([...codes]).to.include.members([
      ...['valid', 'unproven', 'FILE', 'COMMIT', 'AUTHOR', 'SIGNATURE', 'EVENT', 'BID_ID', 'COMMITMENT', 'PRICE'],
      'MANDATE',
    ])
  })
})

async function randomExports(): Promise<TriedExport[]> {
  const house = await new TrueAuctions(`exports ${SEED}`).start()
  const random = new SeededRandom(`drawn ${SEED}`)
  const histories = [
    ...Object.values(HISTORIES),
    ...randomHistories(RANDOM_AUCTIONS, SEED).map(([, history]) => history),
  ]
  const each = Math.ceil(EXPORTS / histories.length)
  const all: TriedExport[] = []
  for (const history of histories) {
    const log = await house.log(await history(house))
    // What proves nothing is too rare to leave it to the draw.
    if (all.length === 0)
      all.push(...triedExports(log, random).flatMap((of) => of.filter(({ what }) => what === 'no MaximaRevealed')))
    all.push(...drawnExports(log, each, random))
  }
  await house.stop()
  return all.slice(0, EXPORTS)
}
