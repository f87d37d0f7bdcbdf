import { expect } from 'chai'
import { ThreadMandateChecker } from '../../../src/adapters/system/thread-mandate-checker.js'
import { sealCommit } from '../../../src/application/log/commit.js'
import { readBody, writeBody } from '../../../src/application/log/commit-body.js'
import type { CommitBody } from '../../../src/application/log/written-body.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { CommitCheck, MandateCheck } from '../../../src/ports/mesh/mandate-checker.js'
import { mandatesEach, sellerOf } from '../../support/bidding-nodes.js'
import { LongAuction } from '../../support/long-auction.js'

describe('a thread that checks mandates', () => {
  let checker: ThreadMandateChecker
  beforeEach(() => {
    checker = new ThreadMandateChecker()
  })
  afterEach(() => checker.close())

  const commits = (): MandateCheck[] => {
    const auction = new LongAuction({ bids: 300, bidsPerCommit: 5 })
    return [...auction.commits()].map((commit) => ({ ...commit, ...sellerOf(auction.signer) }))
  }
  const changed = (body: string, change: (body: CommitBody) => CommitBody) => writeBody(change(readBody(body)))

  it('finds nothing wrong with what bidders have signed, in whatever number', async () => {
    const faults = await Promise.all(commits().map((commit) => checker.check(commit)))
    expect(faults).to.deep.equal(faults.map(() => null))
  })

  it('answers each check with its own fault, before and after the thread has been started', async () => {
    const altered = commits().map((commit, i) => {
      if (i % 4 === 1) return { ...commit, body: changed(commit.body, (body) => ({ ...body, mandates: [] })) }
      if (i % 4 !== 3) return commit
      const body = changed(commit.body, (it) => {
        const mandates = it.mandates.map((mandate) => ({ ...mandate, signedAt: mandate.signedAt + 1 }))
        return { ...it, mandates }
      })
      return { ...commit, body }
    })
    const mandated = (body: string) => readBody(body).events.filter((event) => 'bidder' in event).length
    const faults = await Promise.all(altered.map((commit) => checker.check(commit)))
    faults.forEach((fault, i) => {
      const isMandated = mandated(altered[i]?.body ?? '') > 0
      const kind = !isMandated || i % 2 === 0 ? undefined : i % 4 === 1 ? 'no-mandate' : 'bad-signature'
      expect(fault?.kind, `commit ${i}`).to.equal(kind)
    })
    expect(faults.filter((fault) => fault !== null).length).to.be.above(20)
  })

  describe('beside a thread that serves others', () => {
    beforeEach(() => {
      checker = new ThreadMandateChecker({ neverHere: true })
    })

    /** A commit of hundreds of bids, each with a mandate of its own. */
    const longCommit = (): MandateCheck => {
      const { signer, ...auction } = longAuction()
      const [, commit] = auction.commits
      if (commit === undefined) throw new Error('there are bids')
      const body = changed(commit.body, (it) => ({
        ...it,
        mandates: mandatesEach(commit.auctionId, it.events, signer),
      }))
      return { ...commit, ...sellerOf(signer), body }
    }
    const longAuction = () => {
      const auction = new LongAuction({ bids: 300, bidsPerCommit: 300 })
      return { commits: [...auction.commits()], signer: auction.signer }
    }

    it('finds the one bad mandate among hundreds', async () => {
      const sound = longCommit()
      const { mandates } = readBody(sound.body)
      expect(mandates.length).to.be.at.least(300)
      const altered = mandates.map((mandate, i) =>
        i === 170 ? { ...mandate, signedAt: mandate.signedAt + 1 } : mandate,
      )
      const bad = { ...sound, body: changed(sound.body, (it) => ({ ...it, mandates: altered })) }
      const missing = { ...sound, body: changed(sound.body, (it) => ({ ...it, mandates: mandates.slice(1) })) }
      const event = mandates[0]?.commands[0]
      expect(await Promise.all([sound, bad, missing, sound].map((one) => checker.check(one)))).to.deep.equal([
        null,
        { kind: 'bad-signature' },
        { kind: 'no-mandate', event },
        null,
      ])
    })

    it('checks nothing on that thread, from the first commit on', async () => {
      let answered = 0
      const checks = commits().map((commit) => checker.check(commit).then(() => ++answered))
      // Answers of another thread come in a later turn of the event loop.
      for (let i = 0; i < 100; i++) await Promise.resolve()
      expect(answered).to.equal(0)
      await Promise.all(checks)
      expect(answered).to.equal(checks.length)
    })

    it('checks whole commits there too: what is signed, what the text is, and what has a mandate', async () => {
      const { commits: sealed, signer } = longAuction()
      const [opening, bids] = sealed as [Commit, Commit]
      const withMandates = sealCommit(
        { ...readBody(bids.body), mandates: mandatesEach(bids.auctionId, readBody(bids.body).events, signer) },
        signer,
      )
      const sellerFacts = sellerOf(signer)
      const unordered = sealCommit({ ...readBody(bids.body), mandates: [] }, signer)
      const checks: CommitCheck[] = [
        { ...opening, sellerFacts: null },
        { ...withMandates, sellerFacts },
        { ...unordered, sellerFacts },
        { ...withMandates, signature: opening.signature, sellerFacts },
        { ...withMandates, lastSeq: withMandates.lastSeq + 1, sellerFacts },
      ]
      let answered = 0
      const faults = checks.map((check) => checker.checkCommit(check).finally(() => ++answered))
      for (let i = 0; i < 100; i++) await Promise.resolve()
      expect(answered, 'on the thread that asks').to.equal(0)
      expect(await Promise.all(faults)).to.deep.equal([
        null,
        null,
        { kind: 'no-mandate', event: 0 },
        { kind: 'unsound', rule: 'the signature is not its author’s' },
        { kind: 'unsound', rule: 'the signature is not its author’s' },
      ])
    })

    it('goes on with another thread after one that has failed', async () => {
      const sound = longCommit()
      const failed = await Promise.allSettled([{ ...sound, body: 'no body' }, sound].map((one) => checker.check(one)))
      expect(failed.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
      expect(await checker.check(sound)).to.equal(null)
    })
  })

  it('rejects what it was asked once it has been closed', async () => {
    const all = commits()
    await Promise.all(all.map((commit) => checker.check(commit)))
    await checker.close()
    const failed = await checker.check(all[0] as MandateCheck).then(
      () => null,
      (error: Error) => error,
    )
    expect(failed?.message).to.contain('ended')
  })
})
