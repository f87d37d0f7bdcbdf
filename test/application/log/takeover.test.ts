import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { NotOfThisClusterError } from '../../../src/application/log/cluster-takeover.js'
import { FEWEST } from '../../../src/application/log/signature-rules.js'
import { eventsOf } from '../../../src/application/log/written-body.js'
import { judgeProof, proofOf } from '../../../src/application/proof/equivocation.js'
import { unplaced } from '../../../src/application/proof/read-log.js'
import { type Verification, verifyLog } from '../../../src/application/proof/verify-log.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { AuctionTakenOver } from '../../../src/domain/events.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import type { Signer } from '../../../src/ports/system/signer.js'
import { HOUR, SECOND, T0 } from '../../support/auction-scenario.js'
import { ADA, BEN, ClusterAuction, homeOf, MemoryClusterSigner, newSigner } from '../../support/cluster-auction.js'
import { ManualTime } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'

const verifier = new Ed25519Verifier()

async function* listOf(commits: readonly Commit[]): AsyncGenerator<Commit> {
  yield* commits
}

const verify = (commits: readonly Commit[]): Promise<Verification> => verifyLog(unplaced(listOf(commits)), { verifier })

describe('a takeover', () => {
  const time = new ManualTime(T0 + 2 * HOUR)
  const network = new MemoryNetwork()
  let node: MemoryNode
  let auction: ClusterAuction
  let next: Signer

  beforeEach(async () => {
    node = await new MemoryNode({ name: 'replica', network, time }).start()
    auction = new ClusterAuction({ closesAt: T0 + HOUR })
    auction.bid(ADA, 7_500)
    next = newSigner()
  })

  afterEach(() => node.stop())

  const member = ({ publicKey }: Signer) =>
    network.members.add({ ...homeOf({ publicKey } as Signer), name: publicKey.slice(0, 8) })

  /** Why a replica does not take these commits, be they pushed or pulled; null where it does. */
  const refusal = async (commits: readonly Commit[]): Promise<string | null> => {
    for (const signer of [auction.home, next]) member(signer)
    const { replicator } = node.services.parts
    const pulled = await replicator.ingestPages([commits])
    const pushed = await replicator.ingest(commits)
    const rule = pulled.refused[0]?.reason ?? null
    if (rule !== null) expect(pushed.refused[0]?.reason).to.equal(rule)
    return rule
  }

  /** What verify and a replica say of a log. */
  const judged = async (commits: readonly Commit[]): Promise<readonly [code: string | null, rule: string | null]> => {
    const verdict = await verify(commits)
    return [verdict.valid ? null : verdict.finding.code, await refusal(commits)]
  }

  it('is proven by the log alone, and who wrote when is in it', async () => {
    member(auction.home)
    const first = homeOf(auction.home)
    auction.at(10 * SECOND).takeOver(next)
    auction.bid(BEN, 8_000)
    const third = newSigner()
    member(third)
    auction.at(20 * SECOND).takeOver(third, { why: 'home-left' })
    auction.bid(ADA, 9_000)
    expect(await judged(auction.commits)).to.deep.equal([null, null])
    const verdict = await verify(auction.commits)
    if (!verdict.valid) throw new Error(verdict.finding.rule)
    expect(verdict.summary.homes.map(({ nodeId, since }) => [nodeId, since.seq])).to.deep.equal([
      [first.nodeId, 1],
      [homeOf(next).nodeId, 3],
      [homeOf(third).nodeId, 5],
    ])
  })

  it('holds after the close as well, for maxima that are still shut', async () => {
    auction.max(BEN, 9_000)
    auction.max(ADA, 8_500)
    auction.at(HOUR).end()
    member(auction.home)
    auction.takeOver(next)
    auction.reveal()
    expect(await judged(auction.commits)).to.deep.equal([null, null])
  })

  it('is the cluster’s statement about one auction, one seq, one home before and one after', async () => {
    const [event] = eventsOf(auction.fork().takeOver(next).body) as [AuctionTakenOver]
    const elsewhere = new ClusterAuction({}, { cluster: auction.cluster, home: auction.home })
    elsewhere.bid(ADA, 7_500)
    const later = auction.fork()
    later.bid(BEN, 8_000)
    const third = newSigner()
    member(third)
    const stranger = new ClusterAuction({}, { home: auction.home })
    const signatureOf = (of: ClusterAuction, to = next) =>
      (eventsOf(of.fork().takeOver(to).body)[0] as AuctionTakenOver).clusterSignature
    const others: [string, Partial<AuctionTakenOver>, Signer?][] = [
      ['of another auction', { clusterSignature: signatureOf(elsewhere) }],
      ['of another place', { clusterSignature: signatureOf(later) }],
      ['for another node', { clusterSignature: signatureOf(auction, third) }],
      ['to another node than it names', { to: homeOf(third) }, third],
      ['of another cluster', { clusterSignature: signatureOf(stranger) }],
      ['by the new home itself', { clusterSignature: next.sign('anything') }],
    ]
    for (const [what, change, signer = next] of others) {
      const commit = auction.unkept([{ ...event, ...change }], signer)
      const [code, rule] = await judged([...auction.commits, commit])
      expect(code, what).to.equal('SIGNATURE')
      expect(rule, what).to.match(/^its cluster has not made node_\w+ its home$/)
    }
    expect(await judged([...auction.commits, auction.unkept([event], next)])).to.deep.equal([null, null])
  })

  it('is signed by the new home, and by nobody else', async () => {
    const [event] = eventsOf(auction.fork().takeOver(next).body) as [AuctionTakenOver]
    const author = ['AUTHOR', 'its author is not the home']
    expect(await judged([...auction.commits, auction.unkept([event], auction.home)])).to.deep.equal(author)
    const before = auction.home
    auction.takeOver(next)
    const late = auction.fork()
    late.home = before
    late.bid(BEN, 8_000)
    expect(await judged(late.commits)).to.deep.equal(author)
  })

  it('is refused of an auction that was opened outside of the cluster, and of one that was handed out of it', async () => {
    const outside = new ClusterAuction({}, { cluster: auction.cluster, isOf: false })
    expect(() => outside.takeOver(next)).to.throw(NotOfThisClusterError)
    expect(() => auction.decideTakeOver(next, { cluster: new MemoryClusterSigner() })).to.throw(NotOfThisClusterError)
    const [event] = eventsOf(auction.fork().takeOver(next).body) as [AuctionTakenOver]
    const elsewhere = newSigner()
    member(auction.home)
    auction.handOver(elsewhere, null)
    expect(() => auction.takeOver(next)).to.throw(NotOfThisClusterError)
    const commit = auction.unkept([{ ...event, from: homeOf(elsewhere), at: auction.state.at }], next)
    expect((await judged([...auction.commits, commit]))[0]).to.equal('EVENT')
  })

  it('comes with a handover into a cluster, and goes on from there', async () => {
    const outside = new ClusterAuction({}, { cluster: auction.cluster, isOf: false })
    member(outside.home)
    const inside = newSigner()
    member(inside)
    outside.handOver(inside, auction.cluster.publicKey)
    outside.takeOver(next)
    outside.bid(ADA, 7_500)
    expect(await judged(outside.commits)).to.deep.equal([null, null])
  })

  it('may be by a newer key of the cluster, and then by no older one', async () => {
    const { cluster } = auction
    const old = cluster.rotate()
    cluster.rotate()
    member(auction.home)
    auction.takeOver(next)
    const [event] = eventsOf((auction.commits.at(-1) as Commit).body) as [AuctionTakenOver]
    expect(event.keys).to.have.length(2)
    expect(await judged(auction.commits)).to.deep.equal([null, null])
    // Who kept the first key signs for themselves.
    const thief = newSigner()
    member(thief)
    const stolen = { publicKey: old.publicKey, firstKey: old.publicKey, sign: (text: string) => old.sign(text) }
    const decision = auction.decideTakeOver(thief, { cluster: { ...stolen, rotationsSince: () => [] } })
    if (!decision.accepted) throw new Error('not accepted')
    const [code] = await judged([...auction.commits, auction.unkept(decision.events, thief)])
    expect(code).to.equal('SIGNATURE')
    // Nor do keys count that the cluster has not handed on to.
    const own = new MemoryClusterSigner()
    own.rotate()
    const keys = own.rotationsSince(own.firstKey) ?? []
    const forged = auction.decideTakeOver(thief, {
      cluster: { ...stolen, sign: (text) => own.sign(text), rotationsSince: () => keys },
    })
    if (!forged.accepted) throw new Error('not accepted')
    const [, rule] = await judged([...auction.commits, auction.unkept(forged.events, thief)])
    expect(rule).to.equal('a key of its cluster is not signed by the one before')
  })

  it('close to the end is refused without the extension that it calls for, and where it is not the first event', async () => {
    auction.at(HOUR - SECOND)
    const decision = auction.decideTakeOver(next)
    if (!decision.accepted) throw new Error('not accepted')
    const [taken, extended] = decision.events
    if (taken === undefined || extended === undefined) throw new Error('it comes without its extension')
    const alone = await judged([...auction.commits, auction.unkept([taken], next)])
    expect(alone).to.deep.equal(['EVENT', 'it ends before what it owes by takeover'])
    const early = { type: 'AuctionExtended', by: 'outage', since: taken.at, commandId: null } as const
    const late = auction.unkept([{ ...early, at: taken.at, closesAt: T0 + 2 * HOUR }, taken, extended], next)
    expect((await judged([...auction.commits, late]))[0]).to.equal('EVENT')
    const fork = auction.fork()
    const bid = eventsOf(fork.bid(BEN, 8_000).body)[0]
    if (bid === undefined) throw new Error('there is a bid')
    const second = auction.unkept([bid, taken, extended], auction.home)
    expect((await judged([...auction.commits, second]))[0]).to.be.oneOf(['EVENT', 'AUTHOR', 'SIGNATURE'])
    expect(await judged([...auction.commits, auction.unkept(decision.events, next)])).to.deep.equal([null, null])
  })

  it('needs a member of the mesh for a new home', async () => {
    network.members.addHomeOf(auction.commits[0] as Commit)
    auction.takeOver(newSigner())
    const { replicator } = node.services.parts
    const { refused } = await replicator.ingest(auction.commits)
    expect(refused[0]?.reason).to.match(/was no member of the mesh that may be a home then$/)
  })

  it('makes the auction disputed if the home before went on in its place, and stays as it is at nodes that have it', async () => {
    const deposed = auction.fork()
    for (const signer of [auction.home, next]) member(signer)
    const { replicator } = node.services.parts
    auction.takeOver(next)
    auction.bid(BEN, 8_000)
    deposed.bid(BEN, 9_000)
    deposed.bid(ADA, 9_500)
    const other = await new MemoryNode({ name: 'other', network, time }).start()
    await replicator.ingest(auction.commits)
    await other.services.parts.replicator.ingest(deposed.commits)
    // The newest alone is what a push brings.
    await replicator.ingest(deposed.commits.slice(2))
    await other.services.parts.replicator.ingest(auction.commits.slice(2))
    for (const [held, { store, api }] of [
      [auction, node],
      [deposed, other],
    ] as const) {
      const proof = await store.equivocations.find(auction.auctionId)
      const proven = proof && judgeProof(proof, verifier)
      expect(proven?.proven && proven.by).to.deep.include({ by: 'cluster', seq: 3 })
      const view = await api.show({ auction: auction.auctionId })
      expect(view).to.deep.include({ disputed: true, head: { seq: 4, hash: held.commits.at(-1)?.hash } })
    }
    await other.stop()
  })

  it('is held by its home, which writes nothing more, once somebody proves that another one went on in its place', async () => {
    const deposed = auction.fork()
    const home = await new MemoryNode({ name: 'next', network, time, signer: next }).start()
    member(auction.home)
    auction.takeOver(next)
    await home.services.parts.replicator.takeBack(auction.commits, 'the log')
    const { auctionId, secrets } = auction
    await home.store.handovers.keep(auctionId, { outcomes: [], sealed: [], secrets })
    const bid = { auction: auctionId, kind: 'plain', amount: '90', as: ADA } as const
    const before = await home.api.bid({ ...bid, commandId: 'bid_before001', as: BEN })
    expect(before.outcome).to.deep.include({ status: 'accepted' })
    await home.services.parts.replicator.ingest([deposed.bid(BEN, 9_000)])
    const held = await home.api.bid({ ...bid, commandId: 'bid_after0001' }).catch((error: unknown) => error)
    expect(held).to.include({ code: 'AUCTION_HELD' })
    await home.stop()
  })

  it('is checked in a bulk pull too: without it nothing could be proven against the new home', async () => {
    auction.takeOver(next)
    auction.bid(BEN, 8_000)
    auction.bid(ADA, 9_000)
    const page = auction.commits.map((commit) => ({ commit, events: eventsOf(commit.body) }) as Append)
    const bad = page.map((entry, i) => (i === 2 ? { ...entry, commit: { ...entry.commit, signature: 'AAAA' } } : entry))
    expect((await FEWEST(bad, verifier)).covered).to.have.length(2)
    expect((await FEWEST(page, verifier)).unsigned).to.equal(null)
  })
})

describe('two histories around a takeover', () => {
  let auction: ClusterAuction
  let next: Signer
  const rules = (authority: readonly Commit[], a: Commit, b: Commit) => {
    const judged = judgeProof(proofOf(authority, a, b), verifier)
    return judged.proven ? `${judged.by.by} from ${judged.by.seq}` : judged.rule
  }

  beforeEach(() => {
    auction = new ClusterAuction({ closesAt: T0 + HOUR })
    auction.bid(ADA, 7_500)
    next = newSigner()
  })

  it('are proven against the new home by the opening and its takeover, whatever lies between', () => {
    auction.takeOver(newSigner())
    auction.handOver(newSigner(), auction.cluster.publicKey)
    const authority = [auction.commits[0] as Commit, auction.takeOver(next)]
    const fork = auction.fork()
    expect(rules(authority, auction.bid(BEN, 8_000), fork.bid(BEN, 9_000))).to.equal('home from 6')
    expect(rules(authority.slice(0, 1), auction.bid(ADA, 10_000), fork.bid(ADA, 9_500))).to.contain('not signed by')
  })

  it('are proven against the cluster if the home before went on in the place of the takeover', () => {
    const deposed = auction.fork()
    const taken = auction.takeOver(next)
    const opening = [auction.commits[0] as Commit]
    expect(rules(opening, taken, deposed.bid(BEN, 8_000))).to.equal('cluster from 3')
    expect(rules(opening, taken, deposed.bid(ADA, 9_000))).to.equal('cluster from 3')
    expect(rules(opening, taken, auction.bid(BEN, 8_000))).to.contain('not signed by the home')
  })

  it('are proven against the cluster if it makes two nodes the home at one place', () => {
    const opening = [auction.commits[0] as Commit]
    const taken = auction.fork().takeOver(newSigner())
    expect(rules(opening, auction.takeOver(next), taken)).to.equal('cluster from 3')
  })

  it('are proven by a handover and a takeover in one place', () => {
    const opening = [auction.commits[0] as Commit]
    const handed = auction.fork().handOver(newSigner(), null)
    expect(rules(opening, auction.takeOver(next), handed)).to.equal('cluster from 3')
  })

  it('are not proven by a takeover that the cluster does not know', () => {
    const opening = [auction.commits[0] as Commit]
    const forger = auction.fork()
    const of = new ClusterAuction()
    const decision = forger.decideTakeOver(next, {
      cluster: {
        ...of.cluster,
        firstKey: '',
        publicKey: '',
        sign: (text) => of.cluster.sign(text),
        rotationsSince: () => [],
      },
    })
    if (!decision.accepted) throw new Error('not accepted')
    const forged = forger.unkept(decision.events, next)
    expect(rules(opening, auction.bid(BEN, 8_000), forged)).to.match(/^its cluster has not made/)
    const own = forger.unkept(decision.events, auction.home)
    expect(rules(opening, auction.bid(ADA, 9_000), own)).to.contain('not signed by the new home')
  })
})
