import { expect } from 'chai'
import { CLUSTER_PATIENCE_MS, ClusterCommands } from '../../../src/application/commands/cluster-commands.js'
import { MovingAuctions } from '../../../src/application/commands/moving-auctions.js'
import type { Submission } from '../../../src/application/submissions/submission.js'
import { submitFailure } from '../../../src/application/submissions/submit-failure.js'
import type { SubmitResult } from '../../../src/ports/mesh/home-messages.js'
import type { NodeErrorCode } from '../../../src/ports/node/node-error.js'
import { ManualTime } from '../../support/manual-time.js'

const AUCTION = 'auc_1'

function accepted(commandId: string): SubmitResult {
  return { ok: true, outcome: { status: 'accepted', commandId, auctionId: AUCTION, seq: 2, at: 1 } }
}

describe('commands to an auction of a cluster', () => {
  let time: ManualTime
  let moving: MovingAuctions
  let commands: ClusterCommands
  /** What was sent, to which home, in order; with the answer to give. */
  let sent: { home: string; submission: Submission }[]
  let home: string
  let results: Map<string, string>

  beforeEach(() => {
    time = new ManualTime()
    moving = new MovingAuctions({ clock: time, timers: time })
    sent = []
    home = 'old'
    results = new Map()
    commands = new ClusterCommands({
      clock: time,
      timers: time,
      movingAuctions: moving,
      send: (submission) => sent.push({ home, submission }),
    })
  })

  const bid = (id: string, auctionId = AUCTION) =>
    commands.enqueue({
      command: { type: 'BuyNow', auctionId, commandId: id, bidder: { id: 'node_a', name: 'A' } },
      settle: (result) => {
        expect(results.has(id), `${id} is answered once`).to.equal(false)
        results.set(id, result.ok ? result.outcome.status : result.code)
      },
    })
  const ids = () => sent.map((one) => `${one.submission.command.commandId}@${one.home}`)
  const answer = (i: number, result: SubmitResult | NodeErrorCode) =>
    sent[i]?.submission.settle(typeof result === 'string' ? submitFailure(result, result) : result)
  const moveTo = (node: string) => {
    home = node
    commands.moved(AUCTION)
  }
  const isMoving = async () => (await moving.next({ after: null, waitMs: 0 })).auctions.length > 0

  it('go to the home once, and bring its answer', async () => {
    bid('bid_1')
    bid('bid_2')
    answer(0, accepted('bid_1'))
    answer(1, 'DISK_FULL')
    await time.advance(10_000)
    expect(ids()).to.deep.equal(['bid_1@old', 'bid_2@old'])
    expect([...results]).to.deep.equal([
      ['bid_1', 'accepted'],
      ['bid_2', 'DISK_FULL'],
    ])
    expect(await isMoving()).to.equal(false)
  })

  for (const code of ['HOME_UNREACHABLE', 'NOT_HOME', 'OUTCOME_UNKNOWN'] as const) {
    it(`are asked again, with the same ids and in order, until another home has an outcome: after ${code}`, async () => {
      bid('bid_1')
      bid('bid_2')
      answer(0, code)
      answer(1, code)
      bid('bid_3')
      expect(results.size).to.equal(0)
      expect(await isMoving()).to.equal(true)
      await time.advance(100)
      expect(ids().slice(2)).to.deep.equal(['bid_1@old', 'bid_2@old', 'bid_3@old'])
      for (const i of [2, 3, 4]) answer(i, code)
      moveTo('new')
      expect(ids().slice(5)).to.deep.equal(['bid_1@new', 'bid_2@new', 'bid_3@new'])
      for (const i of [5, 6, 7]) answer(i, accepted(`bid_${i - 4}`))
      expect([...results.values()]).to.deep.equal(['accepted', 'accepted', 'accepted'])
      expect(await isMoving()).to.equal(false)
    })
  }

  it('do not wait for a home that hangs: the new one is asked as soon as it is known', async () => {
    bid('bid_1')
    await time.advance(3_500)
    expect(results.size).to.equal(0)
    expect(ids()).to.deep.equal(['bid_1@old'])
    expect(await isMoving(), 'whoever waits hears of it').to.equal(true)
    moveTo('new')
    answer(1, accepted('bid_1'))
    expect(results.get('bid_1')).to.equal('accepted')
    answer(0, 'NOT_HOME')
    await time.advance(10_000)
    expect(ids()).to.deep.equal(['bid_1@old', 'bid_1@new'])
  })

  it('take the outcome of the old home, which stands in the log, though the new one has been asked', async () => {
    bid('bid_1')
    moveTo('new')
    answer(0, accepted('bid_1'))
    expect(results.get('bid_1')).to.equal('accepted')
    answer(1, accepted('bid_1'))
  })

  it('are never refused once they may have been carried out', async () => {
    bid('bid_1')
    moveTo('new')
    answer(1, 'DISK_FULL')
    expect(results.size).to.equal(0)
    await time.advance(CLUSTER_PATIENCE_MS)
    expect(results.get('bid_1')).to.equal('OUTCOME_UNKNOWN')
  })

  const ends: readonly (readonly [string, (NodeErrorCode | null)[], NodeErrorCode])[] = [
    ['nothing was done', ['HOME_UNREACHABLE'], 'HOME_UNREACHABLE'],
    ['one may have done it', ['OUTCOME_UNKNOWN', 'HOME_UNREACHABLE'], 'OUTCOME_UNKNOWN'],
    ['one never answered', [null], 'OUTCOME_UNKNOWN'],
  ]
  for (const [what, answers, code] of ends) {
    it(`say within 5 s what is known if no home answers: ${code}, because ${what}`, async () => {
      bid('bid_1')
      let given = 0
      for (let ms = 0; ms < 5_000; ms += 100) {
        for (; given < sent.length; given++) {
          const next = answers[Math.min(given, answers.length - 1)]
          if (next) answer(given, next)
        }
        await time.advance(100)
      }
      expect(results.get('bid_1')).to.equal(code)
      expect(await isMoving(), 'nobody waits any more').to.equal(false)
    })
  }

  it('of other auctions go on meanwhile', () => {
    bid('bid_1')
    answer(0, 'HOME_UNREACHABLE')
    bid('bid_2', 'auc_2')
    expect(ids()).to.deep.equal(['bid_1@old', 'bid_2@old'])
  })

  it('are bounded for each auction', () => {
    for (let i = 0; i < 10_001; i++) bid(`bid_${i}`)
    expect([...results]).to.deep.equal([['bid_10000', 'BUSY']])
    bid('bid_other', 'auc_2')
    expect(results.size).to.equal(1)
  })

  it('that wait are reported at once to everybody who asks', async () => {
    const before = await moving.next({ after: null, waitMs: 0 })
    const next = moving.next({ after: before.version, waitMs: 20_000 })
    bid('bid_1')
    answer(0, 'HOME_UNREACHABLE')
    const { version, auctions } = await next
    expect(auctions).to.deep.equal([{ auctionId: AUCTION, since: time.now() }])
    const idle = moving.next({ after: version, waitMs: 1_000 })
    answer(0, 'HOME_UNREACHABLE')
    await time.advance(99)
    moveTo('new')
    answer(1, accepted('bid_1'))
    expect((await idle).auctions).to.deep.equal([])
    const stopped = moving.next({ after: (await moving.next({ after: null, waitMs: 0 })).version, waitMs: 20_000 })
    moving.stop()
    expect((await stopped).auctions).to.deep.equal([])
  })
})
