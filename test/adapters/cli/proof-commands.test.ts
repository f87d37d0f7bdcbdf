import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { sealCommit } from '../../../src/application/log/commit.js'
import { readBody } from '../../../src/application/log/commit-body.js'
import { nodeIdOf } from '../../../src/application/log/ids.js'
import { proofOf } from '../../../src/application/proof/equivocation.js'
import { proofLines } from '../../../src/application/proof/proof-file.js'
import { signReceipts } from '../../../src/application/submissions/receipt.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { BidPlaced } from '../../../src/domain/events.js'
import type { Receipt } from '../../../src/ports/store/receipt-repository.js'
import { HOUR, MINUTE, SECOND, T0 } from '../../support/auction-scenario.js'
import { ADA, BEN, ClusterAuction, newSigner } from '../../support/cluster-auction.js'
import { LongAuction } from '../../support/long-auction.js'
import { CliHarness } from './support/cli-harness.js'

describe('commands about proof', () => {
  let cli: CliHarness
  let auction: LongAuction
  let commits: Commit[]
  const file = () => join(cli.home, 'auction.vendue')

  beforeEach(() => {
    cli = new CliHarness()
    cli.addNode('main')
    auction = new LongAuction({ bids: 20, bidsPerCommit: 4 })
    commits = [...auction.commits()]
    cli.api.commits = commits
  })
  afterEach(() => cli.dispose())

  const exported = () => cli.run(['export', auction.auctionId, '--out', file()])
  const firstBid = (): BidPlaced => {
    const { events } = readBody((commits[1] as Commit).body)
    return events[0] as BidPlaced
  }
  const receiptOf = (bid: BidPlaced, amount: number): Receipt => {
    const { auctionId } = auction
    const { bidId, bidder, leads, price, reserveMet, at } = bid
    return {
      command: { type: 'PlaceBid', auctionId, commandId: bidId, bidder, kind: 'plain', amount },
      outcome: {
        status: 'accepted',
        commandId: bidId,
        auctionId,
        seq: 2,
        at,
        bid: { leads, price, reserveMet },
      },
    }
  }
  const sign = (receipt: Receipt) => {
    const { publicKey } = auction.signer
    const signature = signReceipts([receipt], auction.signer, 7)
    if (signature === null) throw new Error('nothing was signed')
    return { home: { nodeId: nodeIdOf(publicKey), publicKey }, ...signature, receipts: [receipt] }
  }

  it('export a log page by page to a file that verify proves without a node', async () => {
    expect(await exported()).to.include({ code: 0, stderr: '' })
    expect(readdirSync(cli.home)).to.include('auction.vendue').and.not.include('auction.vendue.partial')
    cli.api.commits = []
    const { code, stdout } = await cli.line(`verify ${file()} --all`)
    expect(code).to.equal(0)
    expect(stdout).to.match(/^valid {2}Pic#1\n/)
    expect(stdout).to.match(/result +won by Bidder \d at \d\.\d\d USD\n/)
    expect(stdout).to.contain(`${commits.length} signatures`)
  })

  it('export to stdout what they export to a file, and nothing where there is no such auction', async () => {
    await exported()
    const { stdout } = await cli.line(`export ${auction.auctionId}`)
    expect(stdout).to.equal(readFileSync(file(), 'utf8'))
    cli.api.commits = []
    expect((await cli.line(`export ${auction.auctionId} --out ${file()}2`)).code).to.equal(2)
    expect(readdirSync(cli.home)).not.to.include('auction.vendue2.partial')
    expect((await cli.line(`export ${auction.auctionId} --json`)).code).to.equal(2)
    expect((await cli.line(`export ${auction.auctionId} --out /nowhere/at/all`)).code).to.equal(2)
  })

  it('write a proof for tools of transparency logs beside an export, and name its key', async () => {
    const tlogProof = `${file()}.tlog-proof`
    const args = ['export', auction.auctionId, '--out', file(), '--tlog-proof', tlogProof]
    const { code, stdout } = await cli.run(args)
    expect(code).to.equal(0)
    expect(stdout).to.contain('Key of the tlog-proof: key\n')
    expect(readFileSync(tlogProof, 'utf8')).to.equal('proof\n')
    expect(JSON.parse((await cli.run([...args, '--json'])).stdout)).to.include({ verifier_key: 'key' })
  })

  it('explain the price step by step, and as JSON', async () => {
    await exported()
    const { stdout } = await cli.line(`verify ${file()} --explain`)
    const steps = stdout.split('\n').filter((line) => line.startsWith('seq '))
    expect(steps).to.have.length(20)
    expect(steps[0]).to.equal('seq 2: Bidder 0 bids 1.00 USD, the first, and leads at 1.00 USD')
    expect(stdout).to.contain("which the leader's maximum answers")
    const json = JSON.parse((await cli.line(`verify ${file()} --explain --json`)).stdout)
    expect(json).to.include({ valid: true, decision: 'rerun', auction_id: auction.auctionId })
    expect(json.steps).to.have.length(20)
    expect(json.steps[0]).to.include({ price: '1.00', because: 'first' })
  })

  it('name the homes of an auction that moved, and where it did', async () => {
    auction = new LongAuction({ bids: 20, bidsPerCommit: 4, movesAfter: 10 })
    cli.api.commits = [...auction.commits()]
    await exported()
    const [first, second] = [auction.signer, auction.nextSigner].map(({ publicKey }) => nodeIdOf(publicKey))
    const { code, stdout } = await cli.line(`verify ${file()} --explain --all`)
    expect(code).to.equal(0)
    expect(stdout).to.contain(`homes     Seller, ${first}, up to seq 12\n            ${second}, since seq 12\n`)
    const steps = stdout.split('\n').filter((line) => line.startsWith('seq '))
    expect(steps).to.have.length(21)
    expect(steps[10]).to.equal(`seq 12: its home hands it over to ${second}, which decides from here on`)
    expect(steps[11]).to.match(/^seq 13: Bidder/)
    const json = JSON.parse((await cli.line(`verify ${file()} --json`)).stdout)
    const homes = json.homes as { node_id: string; since_seq: number; since: string }[]
    expect(homes.map(({ node_id, since_seq }) => [node_id, since_seq])).to.deep.equal([
      [first, 1],
      [second, 12],
    ])
    expect(json.home.node_id).to.equal(second)
    expect(homes[0]?.since).to.equal('2030-01-01T12:00:00.000Z')
  })

  it('say who took an auction over from whom, why, and how far its end moved for that', async () => {
    const taken = new ClusterAuction({ closesAt: T0 + HOUR })
    taken.bid(ADA, 7_500)
    const [first, second, third] = [taken.home, newSigner(), newSigner()]
    const ids = [first, second, third].map(({ publicKey }) => nodeIdOf(publicKey))
    taken.at(MINUTE).takeOver(second, { why: 'home-left' })
    taken.at(HOUR - SECOND).takeOver(third, { since: HOUR - 5 * SECOND })
    taken.bid(BEN, 8_000)
    cli.api.commits = taken.commits
    await cli.run(['export', taken.auctionId, '--out', file()])
    const { code, stdout } = await cli.line(`verify ${file()} --explain --all`)
    expect(code).to.equal(0)
    expect(stdout).to.contain(`            ${ids[2]}, which took it over, since seq 4\n`)
    const notes = stdout.split('\n').filter((line) => line.includes('takes it over'))
    expect(notes).to.deep.equal([
      `seq 3: ${ids[1]} takes it over, as its cluster signs, and decides from here on; it says that the home before has left the cluster`,
      `seq 4: ${ids[2]} takes it over, as its cluster signs, and decides from here on; it says that the home before was last heard of at 2030-01-01T12:59:55.000Z; the end moves from 2030-01-01T13:00:00.000Z to 2030-01-01T13:00:59.000Z, so that nobody loses it`,
    ])
    const json = JSON.parse((await cli.line(`verify ${file()} --json`)).stdout)
    const homes = json.homes as { taken_over: unknown }[]
    expect(homes.map(({ taken_over }) => taken_over)).to.deep.equal([
      null,
      { why: 'home-left', silent_since: '2030-01-01T12:01:00.000Z', closes_at: null },
      { why: 'home-dead', silent_since: '2030-01-01T12:59:55.000Z', closes_at: '2030-01-01T13:00:59.000Z' },
    ])
  })

  it('say of a proof that it is against a cluster, if that has let two nodes go on', async () => {
    const taken = new ClusterAuction()
    const deposed = taken.fork()
    const proof = proofOf([...taken.commits], taken.takeOver(newSigner()), deposed.bid(ADA, 7_500))
    writeFileSync(file(), [...proofLines(proof)].join(''))
    const { stdout } = await cli.line(`verify ${file()}`)
    expect(stdout).to.match(/^valid {2}the cluster of Pic#1 and its homes have signed two histories of it\n/)
    expect(stdout).to.contain(taken.cluster.publicKey)
    const json = JSON.parse((await cli.line(`verify ${file()} --json`)).stdout)
    expect(json).to.deep.include({ by: 'cluster', seq: 2 })
  })

  it('say of a proof which home it is against, not who sells', async () => {
    auction = new LongAuction({ bids: 20, bidsPerCommit: 4, movesAfter: 10 })
    const all = [...auction.commits()]
    const moved = all.findIndex(({ body }) => body.includes('AuctionHandedOver'))
    const [opening, move, next] = [all[0], all[moved], all[moved + 1]] as [Commit, Commit, Commit]
    const { firstSeq, auctionId } = next
    const events = readBody(next.body).events.slice(0, 1)
    const other = sealCommit({ auctionId, firstSeq, prevHash: move.hash, events }, auction.nextSigner)
    writeFileSync(file(), [...proofLines(proofOf([opening, move], next, other))].join(''))
    const { stdout } = await cli.line(`verify ${file()}`)
    expect(stdout).to.match(/^valid {2}a home of Pic#1 has signed two histories of it\n/)
    expect(stdout).to.contain(nodeIdOf(auction.nextSigner.publicKey))
    expect(stdout).not.to.contain('Seller')
  })

  it('refuse a commit of the old home after it handed the auction over', async () => {
    auction = new LongAuction({ bids: 20, bidsPerCommit: 4, movesAfter: 10 })
    const all = [...auction.commits()]
    const moved = all.findIndex(({ body }) => body.includes('AuctionHandedOver'))
    const next = all[moved + 1] as Commit
    const { auctionId, firstSeq } = next
    const { events } = readBody(next.body)
    const prevHash = (all[moved] as Commit).hash
    const forged = sealCommit({ auctionId, firstSeq, prevHash, events }, auction.signer)
    cli.api.commits = [...all.slice(0, moved + 1), forged]
    await exported()
    const { code, stdout } = await cli.line(`verify ${file()}`)
    expect(code).to.equal(1)
    expect(stdout).to.contain('its author is not the home').and.to.contain('AUTHOR')
  })

  it('say where a file was altered, with exit code 1', async () => {
    await exported()
    const bytes = readFileSync(file())
    const at = bytes.indexOf('Bidder', 2_000)
    bytes[at] = 0x62
    writeFileSync(file(), bytes)
    const line = bytes.subarray(0, at).toString().split('\n').length
    const { code, stdout } = await cli.line(`verify ${file()}`)
    expect(code).to.equal(1)
    expect(stdout).to.match(/^NOT VALID {2}/)
    expect(stdout).to.contain(`line ${line}, from byte`)
    const json = JSON.parse((await cli.line(`verify ${file()} --json`)).stdout)
    expect(json).to.include({ valid: false, code: 'FILE', line })
  })

  it('call a closed log unproven whose maxima stay shut, with exit code 5', async () => {
    cli.api.commits = commits.slice(0, -1)
    await exported()
    const { code, stdout } = await cli.line(`verify ${file()}`)
    expect(code, stdout).to.equal(5)
    expect(stdout).to.match(/^UNPROVEN {2}Pic#1\n/)
    expect(stdout).to.match(/decision +0 maxima opened, \d kept shut/)
    const ran = await cli.line(`verify ${file()} --json`)
    expect(ran.code).to.equal(5)
    expect(JSON.parse(ran.stdout)).to.include({ valid: false, verdict: 'unproven', decision: 'partly' })
  })

  it('take neither a missing file nor a strange name for an auction', async () => {
    expect((await cli.line('verify ./missing.vendue')).code).to.equal(2)
    expect((await cli.line('verify')).code).to.equal(2)
  })

  it('list receipts, and hold a log against them', async () => {
    await exported()
    const bid = firstBid()
    cli.api.signed = [sign(receiptOf(bid, bid.amount as number))]
    const listed = await cli.line('receipts')
    expect(listed.stdout)
      .to.contain(bid.bidId)
      .and.to.contain('accepted, event 2')
      .and.to.match(/ yes\n/)
    const good = await cli.line(`verify ${file()} --receipts`)
    expect(good.code).to.equal(0)
    expect(good.stdout).to.contain('1 receipt of your bids')
    cli.api.signed.push(sign(receiptOf(bid, 5)))
    const bad = await cli.line(`verify ${file()} --receipts`)
    expect(bad.code).to.equal(1)
    expect(bad.stdout).to.contain('another amount').and.to.contain('line 3, from byte')
  })

  it('export a proof against a home, and judge it', async () => {
    const [opening, one] = commits as [Commit, Commit]
    const { events } = readBody(one.body)
    const parts = {
      auctionId: auction.auctionId,
      firstSeq: 2,
      prevHash: opening.hash,
      events: events.slice(0, 1),
    }
    const proof = proofOf([opening], one, sealCommit(parts, auction.signer))
    expect((await cli.line(`export ${auction.auctionId} --proof`)).code).to.equal(2)
    cli.api.proofs.set(auction.auctionId, proof)
    expect((await cli.line(`export ${auction.auctionId} --proof --out ${file()}`)).code).to.equal(0)
    const { code, stdout } = await cli.line(`verify ${file()}`)
    expect(code).to.equal(0)
    expect(stdout).to.contain('a home of Pic#1 has signed two histories of it').and.to.contain('from event 2 on')
    cli.api.proofs.set(auction.auctionId, proofOf([opening], one, commits[2] as Commit))
    await cli.line(`export ${auction.auctionId} --proof --out ${file()}`)
    const not = await cli.line(`verify ${file()} --json`)
    expect(not.code).to.equal(1)
    expect(JSON.parse(not.stdout)).to.include({ valid: false, kind: 'equivocation' })
  })
})
