import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { signerOf } from '../../../src/adapters/system/node-key.js'
import { MAX_MAILBOX_COMMANDS } from '../../../src/application/home/auction-actor.js'
import { MAX_BODY_BYTES } from '../../../src/application/log/commit.js'
import { nodeIdOf } from '../../../src/application/log/ids.js'
import { type MandatedCommand, mandatedCommands, signMandates } from '../../../src/application/submissions/mandate.js'
import { answerTo } from '../../../src/application/submissions/submission.js'
import type { RemoteCommand } from '../../../src/domain/remote-command.js'
import type { SubmitResult } from '../../../src/ports/mesh/home-messages.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import { LogBrokenError, LogFullError } from '../../../src/ports/store/event-log.js'
import type { Signer } from '../../../src/ports/system/signer.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { openMemoryStore } from '../../support/memory/memory-store.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'

const ANNA = { id: 'node_anna', name: 'Anna' }
const BEN = { id: 'node_ben', name: 'Ben' }

describe('the house of auctions', () => {
  let time: ManualTime
  let node: MemoryNode
  let beforeAppend: (entry: Append) => Promise<void> | void

  beforeEach(async () => {
    time = new ManualTime()
    beforeAppend = () => {}
    const store = openMemoryStore({ beforeAppend: (entry: Append) => beforeAppend(entry) })
    node = await new MemoryNode({ name: 'home', network: new MemoryNetwork(), time, store }).start()
  })

  afterEach(() => node.stop())

  const house = () => node.services.parts.auctionHouse
  const submit = (command: RemoteCommand, mandated?: MandatedCommand) =>
    answerTo({ command, mandated }, (submission) => house().enqueue(submission))

  async function open(
    more: { closesInMs?: number; opensAt?: number; reserve?: string; givesTimeBack?: boolean } = {},
  ): Promise<string> {
    const { outcome } = await node.api.open({
      commandId: `cmd_open${Math.random().toString(36).slice(2, 12).padEnd(10, '0')}`,
      title: 'Lot',
      currency: 'EUR',
      start: '10',
      increment: '1',
      ...more,
    })
    expect(outcome.status).to.equal('accepted')
    return outcome.auctionId
  }

  function bid(
    auctionId: string,
    commandId: string,
    euros: number,
    bidder = ANNA,
    kind: 'plain' | 'max' = 'plain',
  ): RemoteCommand {
    const base = { type: 'PlaceBid', auctionId, commandId, bidder, amount: euros * 100 } as const
    return kind === 'plain' ? { ...base, kind } : { ...base, kind, salt: 'ab'.repeat(16) }
  }

  function code(result: SubmitResult): string {
    if (!result.ok) return result.code
    return result.outcome.status === 'accepted' ? 'accepted' : result.outcome.rejection.code
  }

  it('writes commands that arrive together as one commit, in order of arrival', async () => {
    const auctionId = await open()
    const results = await Promise.all([
      submit(bid(auctionId, 'bid_00000001', 10)),
      submit(bid(auctionId, 'bid_00000002', 11, BEN)),
      submit(bid(auctionId, 'bid_00000003', 11)),
      submit(bid(auctionId, 'bid_00000004', 12)),
    ])
    expect(results.map(code)).to.deep.equal(['accepted', 'accepted', 'BID_TOO_LOW', 'accepted'])
    const commits = await node.store.eventLog.read(auctionId, 2, { commits: 10, bytes: 1e6 })
    expect(commits.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).to.deep.equal([[2, 4]])
  })

  describe('where one id is sent to several places at once', () => {
    const EVE = { id: 'node_eve', name: 'Eve' }

    it('lets no other command of the batch fail, whatever becomes of the two', async () => {
      const [first, second] = [await open(), await open()]
      for (let round = 0; round < 20; round++) {
        const id = `bid_twice${String(round).padStart(4, '0')}`
        const euros = 10 + 10 * round
        const results = await Promise.all([
          submit(bid(first, id, round % 2 === 0 ? euros : 1, EVE)),
          submit(bid(second, id, round % 3 === 0 ? euros + 5 : 1, EVE)),
          submit(bid(second, `bid_honest${String(round).padStart(4, '0')}`, euros + 8)),
          submit(bid(second, `bid_more${String(round).padStart(4, '0')}`, euros + 9, BEN)),
        ])
        const [, again, honest, more] = results.map(code)
        expect([again, honest, more], `round ${round}`).to.deep.equal(['BUSY', 'accepted', 'accepted'])
        expect(code(await submit(bid(second, id, euros, EVE)))).to.equal('COMMAND_ID_REUSED')
      }
    })

    it('opens an auction with it, or takes the bid, and never fails for others', async () => {
      const auctionId = await open()
      const opening = node.api.open({
        commandId: 'bid_opening1',
        title: 'Lot',
        currency: 'EUR',
        start: '10',
      })
      const [opened, ...results] = await Promise.allSettled([
        opening,
        submit(bid(auctionId, 'bid_opening1', 10, EVE)),
        submit(bid(auctionId, 'bid_honest01', 12)),
      ])
      const bids = results.map((result) => (result.status === 'fulfilled' ? code(result.value) : 'failed'))
      expect(opened.status === 'fulfilled' || bids[0] === 'accepted').to.equal(true)
      expect(bids[0]).to.be.oneOf(['BUSY', 'COMMAND_ID_REUSED', 'accepted'])
      expect(bids[1]).to.equal('accepted')
    })
  })

  it('writes no commit that others find too large, however much the mandates hold that its bids came with', async () => {
    const auctionId = await open()
    const sizes: number[] = []
    beforeAppend = ({ commit }) => {
      sizes.push(Buffer.byteLength(commit.body))
    }
    const digests = new Array<string>(1_000).fill(`${'D'.repeat(42)}A`)
    const mandate = () => ({
      signer: digests[0] as string,
      signedAt: time.now(),
      digests,
      signature: `${'s'.repeat(85)}A`,
    })
    const results = await Promise.all(
      Array.from({ length: 256 }, (_, i) => {
        const command = bid(auctionId, `bid_${String(i).padStart(8, '0')}`, 10 + i, i % 2 === 0 ? ANNA : BEN)
        return submit(command, { mandate: mandate(), place: 0 })
      }),
    )
    expect(new Set(results.map(code))).to.deep.equal(new Set(['accepted']))
    expect(Math.max(...sizes)).to.be.below(MAX_BODY_BYTES / 2)
  })

  it('answers nobody before the commit is durable', async () => {
    const auctionId = await open()
    let release = () => {}
    beforeAppend = () => new Promise<void>((resolve) => (release = resolve))
    let answered = false
    const result = submit(bid(auctionId, 'bid_00000001', 10)).then((answer) => {
      answered = true
      return answer
    })
    await settle()
    expect(answered).to.equal(false)
    release()
    expect(code(await result)).to.equal('accepted')
  })

  it('gives a repeated command its first outcome, whether it was accepted or rejected', async () => {
    const auctionId = await open()
    const first = await submit(bid(auctionId, 'bid_00000001', 10))
    const tooLow = await submit(bid(auctionId, 'bid_00000002', 10, BEN))
    await submit(bid(auctionId, 'bid_00000003', 15, BEN))
    expect(await submit(bid(auctionId, 'bid_00000001', 10))).to.deep.equal(first)
    expect(code(tooLow)).to.equal('BID_TOO_LOW')
    expect(await submit(bid(auctionId, 'bid_00000002', 10, BEN))).to.deep.equal(tooLow)
    const { state } = await node.api.show({ auction: auctionId })
    expect(state.bidCount).to.equal(2)
  })

  it('gives the same outcome to a command that is repeated while the first is under way', async () => {
    const auctionId = await open()
    const command = bid(auctionId, 'bid_00000001', 10)
    const [first, second] = await Promise.all([submit(command), submit(command)])
    expect(second).to.deep.equal(first)
    expect((await node.api.show({ auction: auctionId })).state.bidCount).to.equal(1)
  })

  it('refuses a command id that stood for another command', async () => {
    const auctionId = await open()
    await submit(bid(auctionId, 'bid_00000001', 10))
    expect(code(await submit(bid(auctionId, 'bid_00000001', 12)))).to.equal('COMMAND_ID_REUSED')
    expect(code(await submit(bid(auctionId, 'bid_00000001', 10, BEN)))).to.equal('COMMAND_ID_REUSED')
  })

  it('says BUSY past the bound of the mailbox, and loses nothing of what it took', async () => {
    const auctionId = await open()
    await submit(bid(auctionId, 'bid_00000000', 10))
    let release = () => {}
    beforeAppend = () => new Promise<void>((resolve) => (release = resolve))
    const first = submit(bid(auctionId, 'bid_first000', 11, BEN))
    await settle()
    const waiting = Array.from({ length: MAX_MAILBOX_COMMANDS + 1 }, (_, i) =>
      submit(bid(auctionId, `bid_wait${i}0000`, 1)),
    )
    expect(code(await (waiting.at(-1) as Promise<SubmitResult>))).to.equal('BUSY')
    beforeAppend = () => {}
    release()
    expect(code(await first)).to.equal('accepted')
    const rest = await Promise.all(waiting.slice(0, -1))
    expect(rest.every((result) => code(result) === 'BID_TOO_LOW')).to.equal(true)
  })

  it('says DISK_FULL and stays as it was; the same bid gets through when there is room again', async () => {
    const auctionId = await open()
    beforeAppend = () => Promise.reject(new LogFullError())
    expect(code(await submit(bid(auctionId, 'bid_00000001', 10)))).to.equal('DISK_FULL')
    expect((await node.api.show({ auction: auctionId })).state.bidCount).to.equal(0)
    beforeAppend = () => {}
    expect(code(await submit(bid(auctionId, 'bid_00000001', 10)))).to.equal('accepted')
  })

  it('calls an outcome unknown, never rejected, when a write fails in the middle; asking again settles it', async () => {
    const auctionId = await open()
    beforeAppend = () => Promise.reject(new Error('who knows what was stored'))
    expect(code(await submit(bid(auctionId, 'bid_00000001', 10)))).to.equal('OUTCOME_UNKNOWN')
    beforeAppend = () => {}
    expect(code(await submit(bid(auctionId, 'bid_00000001', 10)))).to.equal('accepted')
  })

  it('never acknowledges anything again after an I/O error', async () => {
    const auctionId = await open()
    beforeAppend = () => Promise.reject(new LogBrokenError())
    expect(code(await submit(bid(auctionId, 'bid_00000001', 10)))).to.equal('OUTCOME_UNKNOWN')
    beforeAppend = () => {}
    expect(code(await submit(bid(auctionId, 'bid_00000002', 11)))).to.equal('OUTCOME_UNKNOWN')
  })

  it('opens and closes on time', async () => {
    const auctionId = await open({ opensAt: time.now() + 1_000, closesInMs: 5_000 })
    const status = async () => (await node.api.show({ auction: auctionId })).state.status
    expect(code(await submit(bid(auctionId, 'bid_00000001', 10)))).to.equal('NOT_OPEN_YET')
    await time.advance(999)
    expect(await status()).to.equal('scheduled')
    await time.advance(1)
    expect(await status()).to.equal('open')
    expect(code(await submit(bid(auctionId, 'bid_00000002', 10)))).to.equal('accepted')
    await time.advance(4_999)
    expect(await status()).to.equal('open')
    await time.advance(1)
    const { state } = await node.api.show({ auction: auctionId })
    expect(state.status === 'closed' && state.by).to.equal('end-time')
    expect(state.status === 'closed' && state.result.sold && state.result.winner).to.deep.equal(ANNA)
  })

  it('closes at the new end after an extension, not at the old one', async () => {
    const auctionId = await open({ closesInMs: 1_000 })
    await node.api.extend({ auction: auctionId, commandId: 'cmd_00000001', closesAt: time.now() + 3_000 })
    await time.advance(2_999)
    expect((await node.api.show({ auction: auctionId })).state.status).to.equal('open')
    await time.advance(1)
    expect((await node.api.show({ auction: auctionId })).state.status).to.equal('closed')
  })

  it('closes at its next start what fell due while the node was away, if its terms give no time back', async () => {
    const auctionId = await open({ closesInMs: 1_000, givesTimeBack: false })
    await submit(bid(auctionId, 'bid_00000001', 10))
    await node.stop()
    await time.advance(60_000)
    const { store, signer } = node
    node = await new MemoryNode({ name: 'home', network: new MemoryNetwork(), time, store, signer }).start()
    await time.advance(0)
    const { state } = await node.api.show({ auction: auctionId })
    expect(state.status === 'closed' && state.by).to.equal('end-time')
  })

  it('goes on trying to close while the disk is full', async () => {
    const auctionId = await open({ closesInMs: 1_000 })
    beforeAppend = () => Promise.reject(new LogFullError())
    await time.advance(5_000)
    expect((await node.api.show({ auction: auctionId })).state.status).to.equal('open')
    beforeAppend = () => {}
    await time.advance(15_000)
    expect((await node.api.show({ auction: auctionId })).state.status).to.equal('closed')
  })

  it('unloads idle auctions and takes them up again where they stood', async () => {
    const auctionId = await open()
    await submit(bid(auctionId, 'bid_00000001', 10, ANNA, 'max'))
    expect(house().loaded).to.equal(1)
    await time.advance(200_000)
    expect(house().loaded).to.equal(0)
    expect(code(await submit(bid(auctionId, 'bid_00000002', 10, BEN)))).to.equal('BID_TOO_LOW')
    expect(code(await submit(bid(auctionId, 'bid_00000003', 11, BEN)))).to.equal('accepted')
  })

  it('refuses nothing while an auction is being loaded, however long its store takes: commands wait', async () => {
    const auctionId = await open()
    await node.stop()
    const { store, signer } = node
    node = await new MemoryNode({ name: 'home', network: new MemoryNetwork(), time, store, signer }).start()
    const read = store.eventLog.read.bind(store.eventLog)
    let isRead: () => void = () => {}
    const slow = new Promise<void>((resolve) => {
      isRead = resolve
    })
    store.eventLog.read = (...page) => slow.then(() => read(...page))
    const answered: string[] = []
    const bids = [bid(auctionId, 'bid_00000001', 10), bid(auctionId, 'bid_00000002', 11, BEN)].map(async (command) => {
      answered.push(code(await submit(command)))
    })
    await time.advance(60_000)
    expect(answered).to.deep.equal([])
    isRead()
    await Promise.all(bids)
    expect(answered).to.deep.equal(['accepted', 'accepted'])
  })

  it('keeps a maximum over an unload: the leader still answers a lower bid', async () => {
    const auctionId = await open()
    await submit(bid(auctionId, 'bid_00000001', 50, ANNA, 'max'))
    await time.advance(200_000)
    await submit(bid(auctionId, 'bid_00000002', 20, BEN))
    const { state } = await node.api.show({ auction: auctionId })
    expect([state.leader?.name, state.price]).to.deep.equal(['Anna', 2_100])
  })

  it('reveals the maxima after the close, page by page, save the winner’s above the price', async () => {
    const auctionId = await open({ reserve: '20' })
    const bidders = Array.from({ length: 2_300 }, (_, i) => ({ id: `node_b${i % 3}`, name: `B${i % 3}` }))
    for (let from = 0; from < bidders.length; from += 500) {
      const page = bidders.slice(from, from + 500)
      await Promise.all(
        page.map((bidder, i) =>
          submit(bid(auctionId, `bid_max${String(from + i).padStart(6, '0')}`, 10 + 2 * (from + i), bidder, 'max')),
        ),
      )
    }
    await node.api.close({ auction: auctionId, commandId: 'cmd_00000001' })
    await settle(50)
    const { state } = await node.api.show({ auction: auctionId })
    const { bids } = await node.api.history({ auction: auctionId, limit: 1_000 })
    expect(state.status === 'closed' && state.revealed).to.equal(state.bidCount - 1)
    expect(bids[0]?.amount).to.equal(null)
    expect(bids[1]?.amount).to.be.a('number')
    expect(await node.store.secrets.sealed(auctionId, 10)).to.deep.equal([])
  })

  it('opens once for one command id', async () => {
    const request = { commandId: 'cmd_00000001', title: 'Lot', currency: 'EUR', start: '10' }
    const [first, second] = await Promise.all([node.api.open(request), node.api.open(request)])
    const third = await node.api.open(request)
    expect(second.outcome).to.deep.equal(first.outcome)
    expect(third.outcome).to.deep.equal(first.outcome)
    expect((await node.api.list({})).auctions).to.have.length(1)
  })

  it('says in the answer to the close who won', async () => {
    const auctionId = await open()
    await submit(bid(auctionId, 'bid_00000001', 12))
    const { auction } = await node.api.close({ auction: auctionId, commandId: 'cmd_00000001' })
    expect(auction?.state.status === 'closed' && auction.state.result).to.deep.include({
      sold: true,
      winner: ANNA,
      price: 1_200,
    })
  })

  describe('keeps for each sender no more than its budget', () => {
    /** Of another node than this one. */
    const sender = generateKeyPairSync('ed25519')
    const signer = signerOf(sender.privateKey)
    const stranger = { id: nodeIdOf(signer.publicKey), name: 'Stranger' }
    const other = signerOf(generateKeyPairSync('ed25519').privateKey)

    async function bidAs(by: Signer, command: RemoteCommand): Promise<SubmitResult> {
      const mandates = signMandates([command], by, time.now())
      return submit(command, mandatedCommands([command], mandates)[0])
    }
    const keptOf = async (ids: readonly string[]) => (await node.store.outcomes.find(ids)).size
    const idsOf = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, i) => `bid_${prefix}${String(i).padStart(8, '0')}`)

    beforeEach(async () => {
      await node.stop()
      const budgets = { refusals: 20 * 400, commands: 20 * 300 }
      node = await new MemoryNode({ name: 'home', network: new MemoryNetwork(), time, budgets }).start()
    })

    it('of what it refuses once an auction is over, nothing: the answer stays the same', async () => {
      const auction = await open()
      await node.api.close({ auction, commandId: 'cmd_close0001' })
      const ids = idsOf('late', 100)
      for (const id of ids) {
        expect(code(await bidAs(signer, bid(auction, id, 20, stranger)))).to.equal('AUCTION_CLOSED')
        expect(code(await submit(bid(auction, id, 20)))).to.equal('AUCTION_CLOSED')
      }
      expect(await keptOf(ids)).to.equal(0)
    })

    it('of what it refuses before, and then says BUSY to that sender alone', async () => {
      const auction = await open()
      await submit(bid(auction, 'bid_first0001', 500))
      const ids = idsOf('low', 100)
      const codes: string[] = []
      for (const id of ids) codes.push(code(await bidAs(signer, bid(auction, id, 20, stranger))))
      expect(codes.slice(0, 20)).to.deep.equal(new Array(20).fill('BID_TOO_LOW'))
      expect(codes.slice(20)).to.deep.equal(new Array(80).fill('BUSY'))
      expect(await keptOf(ids)).to.equal(20)
      const again = await bidAs(signer, bid(auction, ids[0] as string, 20, stranger))
      expect(code(again), 'the first answer stays').to.equal('BID_TOO_LOW')
      expect(code(await bidAs(signer, bid(auction, 'bid_good00001', 600, stranger)))).to.equal('accepted')
      const account = { id: 'acc_carla', name: 'Carla' }
      expect(code(await bidAs(other, bid(auction, 'bid_low900001', 20, account)))).to.equal('BID_TOO_LOW')
      expect(code(await submit(bid(auction, 'bid_own000001', 700)))).to.equal('accepted')
    })

    it('of what it carries out for another node, and has room again with time', async () => {
      const auction = await open()
      const accounts = [0, 1].map((i) => ({ id: `acc_shill${i}`, name: 'Shill' }))
      const codes: string[] = []
      for (const [i, id] of idsOf('up', 40).entries())
        codes.push(code(await bidAs(signer, bid(auction, id, 20 + i, accounts[i % 2]))))
      expect(codes).to.deep.equal([...new Array(20).fill('accepted'), ...new Array(20).fill('BUSY')])
      expect(code(await submit(bid(auction, 'bid_own000001', 700)))).to.equal('accepted')
      await time.advance(600_000)
      expect(code(await bidAs(signer, bid(auction, 'bid_later0001', 800, stranger)))).to.equal('accepted')
    })

    it('of auctions that are not here, nothing', async () => {
      for (const id of idsOf('none', 200))
        expect(code(await bidAs(signer, bid(`auc_${id}`, id, 20, stranger)))).to.equal('NOT_HOME')
      await settle()
      expect(house().loaded).to.equal(0)
    })
  })
})
