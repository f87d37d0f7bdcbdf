import { expect } from 'chai'
import { answerTo } from '../../../src/application/submissions/submission.js'
import type { OpenRequest } from '../../../src/ports/node/node-requests.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import { LogFullError } from '../../../src/ports/store/event-log.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { openMemoryStore } from '../../support/memory/memory-store.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryHeartbeat, MemoryNode } from '../../support/memory-node.js'
import { NodeTime } from '../../support/node-time.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** A machine whose clock can be set. */
class SettableTime extends NodeTime {
  offsetMs = 0

  override now(): number {
    return super.now() + this.offsetMs
  }
}

describe('a time in which nobody can bid', () => {
  let time: ManualTime
  let machine: SettableTime
  let node: MemoryNode
  let beforeAppend: (entry: Append) => Promise<void> | void
  const heartbeat = new MemoryHeartbeat()
  let made = 0

  beforeEach(async () => {
    time = new ManualTime()
    machine = new SettableTime(time)
    beforeAppend = () => {}
    const store = openMemoryStore({ beforeAppend: (entry: Append) => beforeAppend(entry) })
    node = await new MemoryNode({ ...parts(), store }).start()
  })

  afterEach(() => node.stop())

  const parts = () => ({ name: 'home', network: new MemoryNetwork(), time, machine, heartbeat })

  async function open(closesInMs: number, more: Partial<OpenRequest> = {}): Promise<string> {
    const { outcome } = await node.api.open({
      commandId: `cmd_outage${String(++made).padStart(6, '0')}`,
      title: 'Lot',
      currency: 'EUR',
      start: '10',
      increment: '1',
      closesInMs,
      ...more,
    })
    expect(outcome.status).to.equal('accepted')
    return outcome.auctionId
  }

  const state = async (auction: string) => (await node.api.show({ auction })).state
  const bid = (auctionId: string, amount: number) =>
    answerTo(
      {
        command: {
          type: 'PlaceBid',
          auctionId,
          commandId: `bid_outage${String(++made).padStart(6, '0')}`,
          bidder: { id: 'node_anna', name: 'Anna' },
          amount,
          kind: 'plain',
        },
      },
      (submission) => node.services.parts.auctionHouse.enqueue(submission),
    )
  const extensions = async (auctionId: string) => {
    const commits = await node.store.eventLog.read(auctionId, 1, { commits: 100, bytes: 1e6 })
    return commits.filter(({ body }) => body.includes('"outage"')).length
  }

  async function comeBack(): Promise<void> {
    const { store, signer } = node
    machine = new SettableTime(time)
    node = await new MemoryNode({ ...parts(), store, signer }).start()
    await time.advance(0)
  }

  it('is given back when the home was down at the end, as much as was left, in an event', async () => {
    const auction = await open(HOUR_MS)
    await time.advance(30 * MINUTE_MS)
    node.crash()
    await time.advance(2 * HOUR_MS)
    await comeBack()
    const back = await state(auction)
    expect(back.status).to.equal('open')
    // The last beat was about a second from the crash.
    expect(back.closesAt).to.be.closeTo(time.now() + 30 * MINUTE_MS, 1_000)
    expect(await extensions(auction)).to.equal(1)
    expect((await bid(auction, 1_000)).ok).to.equal(true)
    await time.advance(31 * MINUTE_MS)
    expect((await state(auction)).status).to.equal('closed')
    expect(await extensions(auction)).to.equal(1)
  })

  it('takes a bid that arrives before the home has looked at its clock', async () => {
    const auction = await open(HOUR_MS)
    node.crash()
    await time.advance(2 * HOUR_MS)
    const { store, signer } = node
    machine = new SettableTime(time)
    node = await new MemoryNode({ ...parts(), store, signer }).start()
    const result = await bid(auction, 1_000)
    expect(result.ok && result.outcome.status).to.equal('accepted')
  })

  it('is not given back where the terms say so: the end is done with as soon as the home is back', async () => {
    const auction = await open(HOUR_MS, { givesTimeBack: false })
    node.crash()
    await time.advance(2 * HOUR_MS)
    await comeBack()
    const closed = await state(auction)
    expect(closed.status === 'closed' && closed.by).to.equal('end-time')
  })

  it('is nothing to an auction that has time left when the home is back', async () => {
    const auction = await open(HOUR_MS)
    node.crash()
    await time.advance(30 * MINUTE_MS)
    await comeBack()
    await time.advance(29 * MINUTE_MS)
    expect((await state(auction)).status).to.equal('open')
    await time.advance(MINUTE_MS)
    expect((await state(auction)).status).to.equal('closed')
    expect(await extensions(auction)).to.equal(0)
  })

  it('is given back after a standstill of the process', async () => {
    const auction = await open(HOUR_MS)
    await time.advance(30 * MINUTE_MS)
    machine.stall()
    await time.advance(2 * HOUR_MS)
    machine.resume()
    await settle()
    expect((await state(auction)).status).to.equal('open')
    expect(await extensions(auction)).to.equal(1)
  })

  it('is given back after a disk without room for bids', async () => {
    const auction = await open(HOUR_MS)
    await time.advance(30 * MINUTE_MS)
    beforeAppend = () => Promise.reject(new LogFullError())
    const refused = await bid(auction, 1_000)
    expect(!refused.ok && refused.code).to.equal('DISK_FULL')
    await time.advance(HOUR_MS)
    beforeAppend = () => {}
    await time.advance(2_000)
    expect((await state(auction)).status).to.equal('open')
    await time.advance(31 * MINUTE_MS)
    expect((await state(auction)).status).to.equal('closed')
  })

  it('is no end that comes while nobody happens to bid', async () => {
    const auction = await open(HOUR_MS)
    await time.advance(HOUR_MS)
    expect((await state(auction)).status).to.equal('closed')
  })

  it('is not made by a clock that is a day ahead for a while: nothing ends by it, and the status says what is held', async () => {
    const auction = await open(3 * HOUR_MS)
    await time.advance(1_000)
    machine.offsetMs = DAY_MS
    await time.advance(17_000)
    const { clockDoubt } = await node.api.status()
    expect(clockDoubt).to.include({ aheadMs: DAY_MS, holds: 1 })
    expect((await state(auction)).status).to.equal('open')
    const result = await bid(auction, 1_000)
    expect(result.ok && result.outcome.status).to.equal('accepted')
    expect(result.ok && result.outcome.at).to.be.at.most(time.now())
    machine.offsetMs = 0
    await time.advance(1_000)
    expect((await node.api.status()).clockDoubt).to.equal(null)
    expect((await state(auction)).status).to.equal('open')
    await time.advance(3 * HOUR_MS)
    expect((await state(auction)).status).to.equal('closed')
    expect(await extensions(auction)).to.equal(0)
  })

  it('is given back when a clock that was set ahead stays so', async () => {
    const auction = await open(3 * HOUR_MS)
    machine.offsetMs = DAY_MS
    await time.advance(10 * MINUTE_MS)
    const { status, closesAt } = await state(auction)
    expect(status).to.equal('open')
    expect(closesAt).to.be.within(machine.now() + 2 * HOUR_MS, machine.now() + 3 * HOUR_MS)
  })

  it('is given back when the machine slept past the end', async () => {
    const auction = await open(3 * HOUR_MS)
    // The monotonic clock does not count sleep.
    machine.offsetMs = 8 * HOUR_MS
    await time.advance(10 * MINUTE_MS)
    expect((await state(auction)).status).to.equal('open')
    await time.advance(3 * HOUR_MS)
    expect((await state(auction)).status).to.equal('closed')
  })
})
