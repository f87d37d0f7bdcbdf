import { expect } from 'chai'
import { AutoBidder, MAX_REFUSALS } from '../../../src/application/commands/auto-bidder.js'
import { PublishingEventLog } from '../../../src/application/log/publishing-event-log.js'
import type { Submission } from '../../../src/application/submissions/submission.js'
import { submitFailure } from '../../../src/application/submissions/submit-failure.js'
import { minimumBid } from '../../../src/domain/auction.js'
import type { Rejection } from '../../../src/domain/rejection.js'
import type { RemoteCommand } from '../../../src/domain/remote-command.js'
import type { SubmitResult } from '../../../src/ports/mesh/home-messages.js'
import type { AutoBid } from '../../../src/ports/store/auto-bid-repository.js'
import { BOB, HOUR, T0 } from '../../support/auction-scenario.js'
import { CommitBuilder } from '../../support/commit-builder.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { openMemoryStore } from '../../support/memory/memory-store.js'
import { silentLogger } from '../../support/silent-logger.js'

const SELF = { id: 'node_self', name: 'Self' }
const LIMIT = 1_000_000

describe('an auto-bidder', () => {
  let time: ManualTime
  let store: ReturnType<typeof openMemoryStore>
  let auction: CommitBuilder
  let ending: CommitBuilder
  let eventLog: PublishingEventLog
  let sent: RemoteCommand[]
  /** What the home answers next. */
  let answer: (command: RemoteCommand) => Promise<SubmitResult>
  let save: (autoBid: AutoBid) => Promise<void>
  let bidder: AutoBidder
  let used: number
  /** Ends with the comparison of a start. */
  let compared: Promise<void>
  /** Says that peers hold more than this node, of what it has written itself. */
  let showBehind: () => void

  beforeEach(async () => {
    time = new ManualTime(T0)
    used = 0
    sent = []
    compared = Promise.resolve()
    store = openMemoryStore()
    save = (autoBid) => store.autoBids.save(autoBid)
    answer = async () => submitFailure('OUTCOME_UNKNOWN', 'no answer')
    auction = new CommitBuilder()
    eventLog = new PublishingEventLog(store.eventLog)
    await eventLog.append(auction.open())
    ending = new CommitBuilder({ closesAt: T0 + HOUR })
    await eventLog.append(ending.open())
    bidder = await started()
  })

  afterEach(() => bidder.stop())

  /** The auto-bidder of the next life of this node. */
  async function started(): Promise<AutoBidder> {
    const router = {
      enqueue: ({ command, settle: answered }: Submission) => {
        sent.push(command)
        void answer(command).then(answered)
      },
    }
    const autoBids = {
      save: (autoBid: AutoBid) => save(autoBid),
      find: (id: string) => store.autoBids.find(id),
      list: () => store.autoBids.list(),
    }
    const random = { bytes: (count: number) => new Uint8Array(count).fill(++used) }
    const { participations } = store
    const deps = {
      participations,
      clock: time,
      timers: time,
      random,
      logger: silentLogger,
      auctions: store.auctions,
    }
    const firstComparison = { over: () => compared }
    const heldAuctions = {
      onBehind: (listener: () => void) => {
        showBehind = listener
        return () => true
      },
    }
    const one = new AutoBidder({ ...deps, autoBids, router, eventLog, firstComparison, heldAuctions }, SELF)
    await one.start()
    return one
  }

  const autoBid = async () => (await store.autoBids.list())[0]

  it('asks again with the same id for as long as the outcome of its bid is not known', async () => {
    await bidder.set(auction.auctionId, LIMIT)
    await settle()
    await time.advance(5_000)
    expect(sent.length).to.be.above(2)
    expect(new Set(sent.map(({ commandId }) => commandId)).size).to.equal(1)
  })

  it('does not bid after a restart when it was stopped while a bid was on its way', async () => {
    await bidder.set(auction.auctionId, LIMIT)
    await settle()
    expect(sent).to.have.length(1)
    expect((await autoBid())?.pending).not.to.equal(null)
    await bidder.cancel(auction.auctionId)
    expect(await autoBid()).to.include({ state: 'stopped', pending: null })
    bidder.stop()
    bidder = await started()
    await settle()
    await time.advance(5_000)
    expect(sent).to.have.length(1)
  })

  describe('of a node that was restored from an old backup', () => {
    let end: () => void

    beforeEach(async () => {
      await bidder.set(auction.auctionId, LIMIT)
      await settle()
      bidder.stop()
      sent = []
      compared = new Promise((resolve) => {
        end = resolve
      })
      bidder = await started()
      await time.advance(5_000)
    })

    it('bids nothing before the node has compared itself with its peers, except for newly set limits', async () => {
      expect(sent).to.deep.equal([])
      await bidder.set(ending.auctionId, LIMIT)
      await settle()
      expect(sent.map(({ auctionId }) => auctionId)).to.deep.equal([ending.auctionId])
      end()
      await settle()
      expect(sent.map(({ auctionId }) => auctionId)).to.deep.equal([ending.auctionId, auction.auctionId])
    })

    it('is paused if peers hold more, and bids again once its user has set a limit', async () => {
      showBehind()
      end()
      await settle()
      await time.advance(60_000)
      expect(sent).to.deep.equal([])
      expect(await autoBid()).to.include({ state: 'paused', pending: null })
      await bidder.set(auction.auctionId, LIMIT - 1)
      showBehind()
      await settle()
      expect(sent).to.have.length(1)
      expect(await autoBid()).to.include({ state: 'active', limit: LIMIT - 1 })
    })

    it('stays paused after another start', async () => {
      showBehind()
      await settle()
      bidder.stop()
      compared = Promise.resolve()
      bidder = await started()
      await time.advance(60_000)
      expect(sent).to.deep.equal([])
      expect(await autoBid()).to.include({ state: 'paused' })
    })
  })

  it('knows how it ended when its last bid was refused after the close', async () => {
    await bidder.set(auction.auctionId, LIMIT)
    await settle()
    const { auctionId } = auction
    const rejection = { code: 'AUCTION_CLOSED', closedAt: T0 } as const
    answer = async ({ commandId }) => ({
      ok: true,
      outcome: { status: 'rejected', commandId, auctionId, at: T0, rejection },
    })
    await eventLog.append(auction.commit(auction.close()))
    await settle()
    expect(await autoBid()).to.include({ state: 'lost', pending: null })
  })

  it('sends no bid that it could not write down, and goes on when the disk has room', async () => {
    save = async (autoBid) => {
      if (autoBid.pending !== null) throw new Error('no room')
      await store.autoBids.save(autoBid)
    }
    await bidder.set(auction.auctionId, LIMIT)
    await settle()
    await time.advance(3_000)
    expect(sent).to.deep.equal([])
    save = (autoBid) => store.autoBids.save(autoBid)
    await time.advance(5_000)
    expect(sent).not.to.deep.equal([])
  })

  it('stores its end once the disk has room again', async () => {
    const rejection = { code: 'BID_TOO_LOW', minimum: 1, price: null } as const
    answer = async ({ commandId, auctionId }) => ({
      ok: true,
      outcome: { status: 'rejected', commandId, auctionId, at: T0, rejection },
    })
    await bidder.set(auction.auctionId, LIMIT)
    await settle()
    save = async () => {
      throw new Error('no room')
    }
    await eventLog.append(auction.commit(auction.close()))
    await settle()
    expect((await autoBid())?.state).to.equal('active')
    save = (autoBid) => store.autoBids.save(autoBid)
    await time.advance(3_000)
    expect((await autoBid())?.state).to.equal('lost')
  })

  it('leaves it to the home whether the end has come, and asks again where it has not yet closed', async () => {
    const { auctionId } = ending
    answer = async ({ commandId }) => {
      const rejection = { code: 'AUCTION_ENDED', endedAt: T0 + HOUR } as const
      return { ok: true, outcome: { status: 'rejected', commandId, auctionId, at: T0 + HOUR, rejection } }
    }
    await time.advance(2 * HOUR)
    await bidder.set(auctionId, LIMIT)
    await settle()
    await time.advance(1_500)
    expect(sent).to.have.length(2)
    expect(sent[0]?.commandId).not.to.equal(sent[1]?.commandId)
  })

  /** The home refuses each bid. */
  const refusing = (rejection: Rejection) => {
    answer = async ({ commandId, auctionId }) => ({
      ok: true,
      outcome: { status: 'rejected', commandId, auctionId, at: T0, rejection },
    })
  }

  it('bids again after longer and longer waits while it is refused, and ends where nothing new happens', async () => {
    refusing({ code: 'BID_TOO_LOW', minimum: 20_000, price: 19_000 })
    await bidder.set(auction.auctionId, LIMIT)
    await settle()
    const within = [sent.length]
    for (let minute = 1; minute <= 60; minute++) {
      await time.advance(60_000)
      within.push(sent.length)
    }
    expect(within[0]).to.equal(1)
    expect(within[1], 'in the first minute').to.be.within(5, 7)
    expect(sent, 'in an hour').to.have.length(MAX_REFUSALS)
    expect(await autoBid()).to.include({ state: 'refused', refusal: 'BID_TOO_LOW', pending: null })
  })

  it('bids at once when something happens in the auction, however often it was refused', async () => {
    refusing({ code: 'BID_TOO_LOW', minimum: 20_000, price: 19_000 })
    await bidder.set(auction.auctionId, LIMIT)
    await settle()
    await time.advance(10 * 60_000)
    const before = sent.length
    await eventLog.append(auction.commit(auction.bid(BOB, 20_000)))
    await settle()
    expect(sent).to.have.length(before + 1)
    expect(sent.at(-1)).to.include({ amount: minimumBid(auction.state) })
    await time.advance(1_500)
    expect(sent, 'and waits as little as at first').to.have.length(before + 2)
  })

  for (const rejection of [{ code: 'OWN_AUCTION' }, { code: 'NO_BUY_NOW' }] as const) {
    it(`ends where another bid would be refused as well: ${rejection.code}`, async () => {
      refusing(rejection)
      await bidder.set(auction.auctionId, LIMIT)
      await settle()
      await time.advance(HOUR)
      expect(sent).to.have.length(1)
      expect(await autoBid()).to.include({ state: 'refused', refusal: rejection.code })
      bidder.stop()
      bidder = await started()
      await settle()
      expect(sent, 'after a restart').to.have.length(1)
      await bidder.set(auction.auctionId, LIMIT)
      await settle()
      expect(sent, 'once it is asked for again').to.have.length(2)
    })
  }

  it('bids nothing where the lot can be bought for no more than the next bid', async () => {
    const fixed = new CommitBuilder({ buyNow: 7_500 })
    await eventLog.append(fixed.open())
    await bidder.set(fixed.auctionId, LIMIT)
    await settle()
    await time.advance(HOUR)
    expect(sent).to.deep.equal([])
    expect(await store.autoBids.find(fixed.auctionId)).to.include({ state: 'outbid', pending: null })
  })

  it('says that its user takes part once a bid of it stands, and not before', async () => {
    const { auctionId } = auction
    const takesPart = async () => (await store.participations.among([auctionId])).has(auctionId)
    await bidder.set(auctionId, LIMIT)
    await settle()
    expect(await takesPart()).to.equal(false)
    answer = async ({ commandId }) => ({
      ok: true,
      outcome: { status: 'accepted', commandId, auctionId, seq: 2, at: T0 },
    })
    await time.advance(2_000)
    expect(await takesPart()).to.equal(true)
  })

  it('lets its bid go with a cancelled auction', async () => {
    await bidder.set(auction.auctionId, LIMIT)
    await settle()
    await eventLog.append(
      auction.commit({
        type: 'CancelAuction',
        commandId: 'cmd_cancel01',
        now: T0 + 1,
        by: auction.state.seller,
        reason: '',
      }),
    )
    await settle()
    await time.advance(2_000)
    expect(await autoBid()).to.include({ state: 'stopped', pending: null })
  })
})
