import { expect } from 'chai'
import type { Commit } from '../../src/domain/commit.js'
import type { Append } from '../../src/ports/store/event-log.js'
import type { RecordedOutcome } from '../../src/ports/store/outcome-repository.js'
import type { SharedAppendResult, SharedLog, SharedPage } from '../../src/ports/store/shared-log.js'
import { ALICE, BOB, CAROL, T0 } from '../support/auction-scenario.js'
import { asReplica, CommitBuilder } from '../support/commit-builder.js'
import { codeOf, EVERYTHING } from './store-harness.js'

export interface SharedLogHarness {
  /** Another node's connection to the same log. */
  readonly connect: (clusterId?: string) => SharedLog
  /** Ends what is connected, and removes the log. */
  dispose(): Promise<void>
}

export interface SharedLogAdapter {
  readonly name: string
  /** A log that is empty at first. */
  make(): Promise<SharedLogHarness>
  /** Rounds of the race. */
  readonly rounds: number
}

const APPENDED: SharedAppendResult = { appended: true }

/** What every shared log promises. */
export function describeSharedLog(adapter: SharedLogAdapter): void {
  describe(`${adapter.name} shared log`, () => {
    let harness: SharedLogHarness
    let log: SharedLog
    let other: SharedLog

    beforeEach(async () => {
      harness = await adapter.make()
      log = harness.connect()
      other = harness.connect()
    })
    afterEach(() => harness.dispose())

    describeAppend(() => ({ log, other, connect: harness.connect, rounds: adapter.rounds }))
    describeBeside(() => ({ log, other }))
    describeCluster(() => ({ log, other }))

    it('serves one cluster: another one is refused, whatever it asks for', async () => {
      const auction = new CommitBuilder()
      await log.open()
      const stranger = harness.connect('another')
      expect(await codeOf(stranger.open())).to.equal('LOG_OF_ANOTHER_CLUSTER')
      expect(await codeOf(stranger.append([auction.open()]))).to.equal('LOG_OF_ANOTHER_CLUSTER')
      expect(await codeOf(stranger.view())).to.equal('LOG_OF_ANOTHER_CLUSTER')
      expect(stranger.status().error?.code).to.equal('LOG_OF_ANOTHER_CLUSTER')
      expect(await log.heads([auction.auctionId])).to.deep.equal(new Map())
    })

    it('refuses calls once closed, and closes twice without complaint', async () => {
      await log.open()
      await log.close()
      await log.close()
      expect(await codeOf(log.view())).to.equal('LOG_UNREACHABLE')
      expect(await codeOf(other.view())).to.equal('RESOLVED')
    })
  })
}

interface Logs {
  /** Two nodes' connections. */
  readonly log: SharedLog
  readonly other: SharedLog
}

function describeAppend(logs: () => Logs & Pick<SharedLogHarness, 'connect'> & { readonly rounds: number }): void {
  it('gives back each commit as it was appended, to every node', async () => {
    const { log, other } = logs()
    const auction = new CommitBuilder({
      title: 'Ünïcødé 🏺 "quoted" \\ 日本語 {a,b} NULL',
      description: '字'.repeat(9_000),
    })
    const entries = [auction.open(), auction.bids(3), auction.bids(1)]
    for (const entry of entries) expect(await log.append([entry])).to.deep.equal([APPENDED])
    const commits = entries.map(({ commit }) => commit)
    expect(await log.read(auction.auctionId, 1, EVERYTHING)).to.deep.equal(commits)
    expect(await other.read(auction.auctionId, 1, EVERYTHING)).to.deep.equal(commits)
    expect(await other.read(auction.auctionId, 3, EVERYTHING)).to.deep.equal(commits.slice(1))
    expect(await other.read(auction.auctionId, 6, EVERYTHING)).to.deep.equal([])
    expect(await other.read('auc_unknown', 1, EVERYTHING)).to.deep.equal([])
    expect(await other.heads(['auc_unknown', auction.auctionId])).to.deep.equal(
      new Map([[auction.auctionId, auction.head]]),
    )
  })

  it('pages by commits and by bytes, always giving at least one', async () => {
    const { log } = logs()
    const auction = new CommitBuilder()
    const entries = [auction.open(), ...Array.from({ length: 5 }, () => auction.bids(1))]
    await log.append(entries)
    const read = async (limit: { commits: number; bytes: number }) =>
      (await log.read(auction.auctionId, 1, limit)).map(({ firstSeq }) => firstSeq)
    const bytes = entries.slice(0, 2).reduce((sum, { commit }) => sum + Buffer.byteLength(commit.body), 0)
    expect(await read({ commits: 2, bytes: 1e6 })).to.deep.equal([1, 2])
    expect(await read({ commits: 9, bytes: 1 })).to.deep.equal([1])
    expect(await read({ commits: 9, bytes })).to.deep.equal([1, 2])
    expect(await read({ commits: 9, bytes: bytes + 1 })).to.deep.equal([1, 2, 3])
  })

  it('takes commits of many auctions at once, and refuses only those that have fallen behind', async () => {
    const { log, other } = logs()
    const auctions = Array.from({ length: 20 }, () => new CommitBuilder())
    const openings = auctions.map((auction) => auction.open())
    expect(await log.append(openings)).to.deep.equal(openings.map(() => APPENDED))
    const stale = auctions.map((auction) => auction.fork(`${auction.tag}_stale`).bids(1))
    const ahead = auctions.slice(0, 5).map((auction) => auction.bids(2))
    await other.append(ahead)
    const unknown = new CommitBuilder()
    unknown.open()
    const results = await log.append([...stale, unknown.bids(1)])
    expect(results).to.deep.equal([
      ...auctions.slice(0, 5).map(({ head }) => ({ appended: false, head })),
      ...auctions.slice(5).map(() => APPENDED),
      { appended: false, head: null },
    ])
    const heads = await other.heads(auctions.map(({ auctionId }) => auctionId))
    const won = [...ahead, ...stale.slice(5)]
    expect(heads).to.deep.equal(new Map(won.map(({ commit }) => [commit.auctionId, headOf(commit)])))
    for (const { commit } of won) {
      const last = (await log.read(commit.auctionId, 1, EVERYTHING)).at(-1)
      expect(last).to.deep.equal(commit)
    }
  })

  it('refuses a commit with the right seq and another hash before it: nobody adds to a fork', async () => {
    const { log, other } = logs()
    const auction = new CommitBuilder()
    await log.append([auction.open()])
    const fork = auction.fork('fork')
    fork.bids(1)
    await other.append([auction.bids(1)])
    expect(await log.append([fork.bids(1)])).to.deep.equal([{ appended: false, head: auction.head }])
    expect(await log.read(auction.auctionId, 3, EVERYTHING)).to.deep.equal([])
  })

  it('carries out appends of one auction in order, without pauses, and together with others', async () => {
    const { log } = logs()
    const auctions = Array.from({ length: 4 }, () => new CommitBuilder())
    const calls = auctions.map((auction) => [auction.open(), ...Array.from({ length: 20 }, () => auction.bids(2))])
    const results = await Promise.all(calls.flatMap((entries) => entries.map((entry) => log.append([entry]))))
    expect(results).to.deep.equal(results.map(() => [APPENDED]))
    for (const [i, { auctionId }] of auctions.entries()) {
      const commits = calls[i]?.map(({ commit }) => commit)
      expect(await log.read(auctionId, 1, EVERYTHING)).to.deep.equal(commits)
    }
  })

  it('stores a chain of one auction as a whole or not at all', async () => {
    const { log, other } = logs()
    const auction = new CommitBuilder()
    const chain = [auction.open(), auction.bids(2), auction.bids(1)]
    expect(await log.append(chain)).to.deep.equal(chain.map(() => APPENDED))
    const stale = auction.fork('stale')
    await other.append([auction.bids(1)])
    const refused = { appended: false, head: auction.head }
    expect(await log.append([stale.bids(1), stale.bids(1)])).to.deep.equal([refused, refused])
    expect(await log.heads([auction.auctionId])).to.deep.equal(new Map([[auction.auctionId, auction.head]]))
  })

  it('takes the first of two entries of one call that want the same place, and refuses the other', async () => {
    const { log } = logs()
    const auction = new CommitBuilder()
    await log.append([auction.open()])
    const rival = auction.fork('rival')
    const entries = [auction.bids(1), rival.bids(1), rival.bids(1)]
    const refused = { appended: false, head: auction.head }
    expect(await log.append(entries)).to.deep.equal([APPENDED, refused, refused])
    expect(await log.append([auction.bids(1)])).to.deep.equal([APPENDED])
  })

  it('takes an append that it has already, and the rest of a chain that it has in part', async () => {
    const { log, other } = logs()
    const auction = new CommitBuilder()
    const chain = [auction.open(), auction.bids(2), auction.bids(1)]
    await log.append(chain.slice(0, 2))
    expect(await log.append(chain.slice(0, 1))).to.deep.equal([APPENDED])
    expect(await other.append(chain)).to.deep.equal(chain.map(() => APPENDED))
    expect(await log.append(chain)).to.deep.equal(chain.map(() => APPENDED))
    expect(await log.read(auction.auctionId, 1, EVERYTHING)).to.deep.equal(chain.map(({ commit }) => commit))
  })

  it('opens nothing twice for one command, and returns its outcome', async () => {
    const { log, other } = logs()
    const first = new CommitBuilder({ tag: 'same', homeNodeId: 'node_one' })
    const again = new CommitBuilder({ tag: 'same', homeNodeId: 'node_two' })
    const unlike = new CommitBuilder()
    const opening = first.open()
    await log.append([opening])
    const results = await other.append([again.open(), unlike.open()])
    expect(again.auctionId).not.to.equal(first.auctionId)
    expect(results).to.deep.equal([{ appended: false, earlier: opening.outcomes?.[0] }, APPENDED])
    expect((await log.heads([again.auctionId, unlike.auctionId])).size).to.equal(1)
  })

  it('lets exactly one of eight racing writers win each round', async function () {
    const { log, connect, rounds } = logs()
    this.timeout(1_800_000)
    const nodes = [log, ...Array.from({ length: 7 }, () => connect())]
    let truth = new CommitBuilder()
    await log.append([truth.open()])
    const won: Commit[] = []
    for (let round = 0; round < rounds; round++) {
      const writers = Array.from({ length: 8 }, (_, i) => truth.fork(`r${round}w${i}`))
      const entries = writers.map((writer) => writer.bids(1))
      const results = await Promise.all(entries.map((entry, i) => nodes[i]?.append([entry])))
      const winners = writers.filter((_, i) => results[i]?.[0]?.appended)
      expect(winners, `round ${round}`).to.have.length(1)
      truth = winners[0] as CommitBuilder
      const winner = entries[writers.indexOf(truth)] as Append
      const lost = { appended: false, head: truth.head }
      expect(results.flat().filter((result) => !result?.appended)).to.deep.equal(Array(7).fill(lost))
      won.push(winner.commit)
    }
    expect(await log.heads([truth.auctionId])).to.deep.equal(new Map([[truth.auctionId, truth.head]]))
    expect(await readAll(log, truth.auctionId, 2)).to.deep.equal(won)
  })
}

function describeBeside(logs: () => Logs): void {
  it('keeps beside the log what the next home needs: outcomes, sealed maxima and secrets', async () => {
    const { log, other } = logs()
    const auction = new CommitBuilder({ reserve: 30_000 })
    const stranger = new CommitBuilder()
    const entries = [
      auction.open(),
      auction.commit(auction.bid(BOB, 8_000, 'bid_1'), auction.max(ALICE, 12_000, 'bid_2')),
      auction.commit(auction.max(CAROL, 20_000, 'bid_3'), auction.bid(BOB, 12_500, 'bid_4')),
      auction.bids(400),
    ]
    await log.append(entries)
    await log.append([stranger.open(), stranger.commit(stranger.max(BOB, 9_000, 'bid_other'))])
    const refused = Array.from({ length: 5 }, (_, i) => refusal(auction.auctionId, `bid_lost${i}`))
    expect(await log.record(auction.state.home.nodeId, refused)).to.deep.equal([])
    const { outcomes, sealed, secrets } = await allBeside(other, auction.auctionId)
    expect(outcomes).to.have.deep.members([...entries.flatMap((entry) => entry.outcomes ?? []), ...refused])
    expect(sealed).to.have.deep.members(entries.flatMap(({ secret }) => secret?.sealed ?? []))
    expect(secrets).to.deep.equal({ seq: auction.head.seq, secrets: entries.at(-1)?.secret?.secrets })
    expect(await allBeside(other, 'auc_unknown')).to.deep.equal({ outcomes: [], sealed: [], secrets: null })
  })

  it('forgets maxima that an event reveals, whoever wrote it', async () => {
    const { log, other } = logs()
    const auction = new CommitBuilder()
    await log.append([auction.open()])
    const maxima = [auction.max(ALICE, 12_000, 'bid_1'), auction.max(BOB, 15_000, 'bid_2')]
    await log.append([auction.commit(...maxima, () => auction.close())])
    const { sealed } = await allBeside(other, auction.auctionId)
    expect(sealed.map(({ bidId }) => bidId)).to.have.members(['bid_1', 'bid_2'])
    const home = auction.state.home.nodeId
    const ids = async () => (await log.auctionsOf(home, null, 9)).map(({ auctionId }) => auctionId)
    expect(await ids()).to.deep.equal([auction.auctionId])
    await other.append([asReplica(auction.commit(auction.reveal(...sealed)))])
    const left = await allBeside(log, auction.auctionId)
    expect(left.sealed.map(({ bidId }) => bidId)).to.deep.equal(['bid_2'])
    expect(await ids()).to.deep.equal([])
  })

  it('keeps the secrets as of their seq if a commit comes without', async () => {
    const { log, other } = logs()
    const auction = new CommitBuilder({ reserve: 30_000 })
    const opening = auction.open()
    await log.append([opening])
    const { seq } = auction.head
    await other.append([asReplica(auction.bids(2))])
    const { secrets, outcomes } = await allBeside(log, auction.auctionId)
    expect(secrets).to.deep.equal({ seq, secrets: opening.secret?.secrets })
    expect(outcomes).to.deep.equal(opening.outcomes)
  })

  it('records outcomes for the home alone, the first for each command', async () => {
    const { log, other } = logs()
    const auction = new CommitBuilder()
    const opening = auction.open()
    const home = auction.state.home.nodeId
    await log.append([opening])
    const first = refusal(auction.auctionId, 'bid_1')
    const second = { ...first, fingerprint: 'another' }
    expect(await log.record(home, [first, second])).to.deep.equal([])
    expect(await log.record(home, [second, refusal(auction.auctionId, 'bid_2')])).to.deep.equal([])
    const refused = await other.record('node_other', [refusal(auction.auctionId, 'bid_3'), refusal('auc_no', 'bid_4')])
    expect(refused).to.have.members([auction.auctionId, 'auc_no'])
    const { outcomes } = await allBeside(other, auction.auctionId)
    const kept = [...(opening.outcomes ?? []), first, refusal(auction.auctionId, 'bid_2')]
    expect(outcomes).to.have.deep.members(kept)
  })

  it('records nothing more for the old home once another has taken over, however close they come', async () => {
    const { log, other } = logs()
    const auctions = Array.from({ length: 20 }, () => new CommitBuilder())
    for (const auction of auctions) {
      await log.append([auction.open()])
      const home = auction.state.home.nodeId
      const moved = movedTo('node_new', auction.bids(1))
      const recording = log.record(home, [refusal(auction.auctionId, 'bid_late')])
      const beside = other.append([moved]).then(() => allBeside(other, auction.auctionId))
      const [refused, { outcomes }] = await Promise.all([recording, beside])
      const isThere = outcomes.some(({ outcome }) => outcome.commandId === 'bid_late')
      expect(isThere).to.equal(refused.length === 0)
    }
  })
}

function describeCluster(logs: () => Logs): void {
  it('says who has beaten when, by its own clock, and who is home of what needs one', async () => {
    const { log, other } = logs()
    const one = { nodeId: 'node_a', name: 'A', address: '10.0.0.1:7000' }
    const two = { nodeId: 'node_b', name: 'B', address: '' }
    const first = await log.beat(one)
    const beatOfOne = first.nodes[0]?.lastBeatAt ?? 0
    expect(first).to.deep.include({ nodes: [{ ...one, lastBeatAt: beatOfOne }], homes: [] })
    expect(beatOfOne).to.be.within(first.now - 60_000, first.now)
    const auctions = ['node_b', 'node_gone'].map((homeNodeId) => new CommitBuilder({ homeNodeId }))
    await log.append(auctions.map((auction) => auction.open()))
    const second = await other.beat(two)
    const beatOfTwo = second.nodes[1]?.lastBeatAt ?? 0
    expect(second.nodes).to.deep.equal([...first.nodes, { ...two, lastBeatAt: beatOfTwo }])
    expect(beatOfTwo).to.be.within(beatOfOne, second.now)
    expect(second.homes).to.deep.equal(['node_b', 'node_gone'])
    const renamed = { ...one, name: 'A2', address: '10.0.0.9:7000' }
    const third = await log.beat(renamed)
    expect(third.nodes[0]).to.deep.include(renamed)
    expect(third.nodes[0]?.lastBeatAt).to.be.within(beatOfTwo, third.now)
    await other.leave('node_b')
    await other.leave('node_unknown')
    const fourth = await log.view()
    expect(fourth.nodes).to.deep.equal([third.nodes[0], { ...two, lastBeatAt: 0 }])
    expect(fourth.now).to.be.at.least(third.now)
  })

  it('lists what a home still has to do, in pages, and follows an auction that moves', async () => {
    const { log, other } = logs()
    const homeNodeId = 'node_a'
    const auctions = Array.from({ length: 5 }, (_, i) => new CommitBuilder({ homeNodeId, closesAt: T0 + 60_000 + i }))
    const cancelled = new CommitBuilder({ homeNodeId })
    const closed = new CommitBuilder({ homeNodeId })
    const elsewhere = new CommitBuilder({ homeNodeId: 'node_b' })
    await log.append([...auctions, cancelled, closed, elsewhere].map((auction) => auction.open()))
    const { seller } = cancelled.state
    const cancel = { type: 'CancelAuction', commandId: 'cmd_c', now: T0 + 1, by: seller, reason: '' } as const
    await log.append([cancelled.commit(cancel), closed.commit(closed.close())])
    const owned = auctions.map(({ auctionId, head, state }) => {
      return { auctionId, ...head, dueAt: state.closesAt }
    })
    owned.sort((a, b) => (a.auctionId < b.auctionId ? -1 : 1))
    expect(await other.auctionsOf(homeNodeId, null, 99)).to.deep.equal(owned)
    expect(await other.auctionsOf(homeNodeId, null, 2)).to.deep.equal(owned.slice(0, 2))
    expect(await other.auctionsOf(homeNodeId, owned[1]?.auctionId ?? null, 2)).to.deep.equal(owned.slice(2, 4))
    const moved = auctions[0] as CommitBuilder
    await other.append([movedTo('node_b', moved.bids(1))])
    expect((await log.auctionsOf(homeNodeId, null, 99)).map(({ auctionId }) => auctionId)).to.deep.equal(
      owned.map(({ auctionId }) => auctionId).filter((id) => id !== moved.auctionId),
    )
    const theirs = await log.auctionsOf('node_b', null, 99)
    expect(theirs.map(({ auctionId }) => auctionId)).to.have.members([moved.auctionId, elsewhere.auctionId])
  })

  it('reports its status before it is asked for anything', async () => {
    const { log } = logs()
    await log.open()
    expect(log.status().error).to.equal(null)
    expect(log.status().connectedTo).to.be.a('string')
    expect((await log.view()).session).to.equal((await log.view()).session)
  })
}

function headOf({ lastSeq: seq, hash }: Commit) {
  return { seq, hash }
}

/** The same commit with another home after it: the log asks for no more. */
function movedTo(nodeId: string, entry: Append): Append {
  return { ...entry, state: { ...entry.state, home: { ...entry.state.home, nodeId } } }
}

function refusal(auctionId: string, commandId: string): RecordedOutcome {
  return {
    outcome: { status: 'rejected', commandId, auctionId, at: T0, rejection: { code: 'OWN_AUCTION' } },
    fingerprint: `refused ${commandId}`,
  }
}

async function readAll(log: SharedLog, auctionId: string, fromSeq: number): Promise<Commit[]> {
  const all: Commit[] = []
  for (;;) {
    const page = await log.read(auctionId, (all.at(-1)?.lastSeq ?? fromSeq - 1) + 1, EVERYTHING)
    if (page.length === 0) return all
    all.push(...page)
  }
}

/** All pages in one. */
async function allBeside(log: SharedLog, auctionId: string): Promise<Omit<SharedPage, 'next'>> {
  const pages: SharedPage[] = []
  do pages.push(await log.beside(auctionId, pages.at(-1)?.next ?? null))
  while (pages.at(-1)?.next !== null)
  const outcomes = pages.flatMap((page) => page.outcomes)
  return { outcomes, sealed: pages.flatMap(({ sealed }) => sealed), secrets: pages.at(-1)?.secrets ?? null }
}
