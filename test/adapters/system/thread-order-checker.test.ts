import { expect } from 'chai'
import { ThreadOrderChecker } from '../../../src/adapters/system/thread-order-checker.js'
import { type CommitBody, readBody, writeBody } from '../../../src/application/log/commit-body.js'
import type { OrderCheck } from '../../../src/ports/mesh/order-checker.js'
import { sellerOf } from '../../support/bidding-nodes.js'
import { LongAuction } from '../../support/long-auction.js'

describe('a thread that checks orders', () => {
  let checker: ThreadOrderChecker
  beforeEach(() => {
    checker = new ThreadOrderChecker()
  })
  afterEach(() => checker.close())

  const commits = (): OrderCheck[] => {
    const auction = new LongAuction({ bids: 300, bidsPerCommit: 5 })
    return [...auction.commits()].map((commit) => ({ ...commit, ...sellerOf(auction.signer) }))
  }
  const changed = (body: string, change: (body: CommitBody) => CommitBody) =>
    writeBody(change(readBody(body)))

  it('finds nothing wrong with what bidders have signed, in whatever number', async () => {
    const faults = await Promise.all(commits().map((commit) => checker.check(commit)))
    expect(faults).to.deep.equal(faults.map(() => null))
  })

  it('answers each check with its own fault, before and after the thread has been started', async () => {
    const altered = commits().map((commit, i) => {
      if (i % 4 === 1) return { ...commit, body: changed(commit.body, (body) => ({ ...body, orders: [] })) }
      if (i % 4 !== 3) return commit
      const body = changed(commit.body, (it) => {
        const orders = it.orders.map((order) => ({ ...order, signedAt: order.signedAt + 1 }))
        return { ...it, orders }
      })
      return { ...commit, body }
    })
    const ordered = (body: string) => readBody(body).events.filter((event) => 'bidder' in event).length
    const faults = await Promise.all(altered.map((commit) => checker.check(commit)))
    faults.forEach((fault, i) => {
      const isOrdered = ordered(altered[i]?.body ?? '') > 0
      const kind = !isOrdered || i % 2 === 0 ? undefined : i % 4 === 1 ? 'no-order' : 'bad-signature'
      expect(fault?.kind, `commit ${i}`).to.equal(kind)
    })
    expect(faults.filter((fault) => fault !== null).length).to.be.above(20)
  })

  it('rejects what it was asked once it has been closed', async () => {
    const all = commits()
    await Promise.all(all.map((commit) => checker.check(commit)))
    await checker.close()
    const failed = await checker.check(all[0] as OrderCheck).then(
      () => null,
      (error: Error) => error,
    )
    expect(failed?.message).to.contain('ended')
  })
})
