import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { signParcel } from '../../../src/application/handover/handover-parcel.js'
import { HandoverTaker } from '../../../src/application/handover/handover-taker.js'
import { sealCommit } from '../../../src/application/log/commit.js'
import { signConsent } from '../../../src/application/log/handover-consent.js'
import { checkReceipts } from '../../../src/application/proof/check-receipts.js'
import { judgeProof } from '../../../src/application/proof/equivocation.js'
import { readLog, unplaced } from '../../../src/application/proof/read-log.js'
import { verifyLog } from '../../../src/application/proof/verify-log.js'
import { eventDigest, mandateText } from '../../../src/application/submissions/mandate.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { AuctionEvent } from '../../../src/domain/events.js'
import { NO_SECRETS } from '../../../src/domain/pricing.js'
import type { Consent } from '../../../src/ports/mesh/home-messages.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { LogFullError } from '../../../src/ports/store/event-log.js'
import { openInYen } from '../../support/auction-mesh.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode, startMemoryNodes } from '../../support/memory-node.js'
import { NodeTime } from '../../support/node-time.js'
import { silentLogger } from '../../support/silent-logger.js'

const verifier = new Ed25519Verifier()

describe('a handover', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let nodes: MemoryNode[]
  let auction: string

  beforeEach(async () => {
    time = new ManualTime()
    network = new MemoryNetwork()
    nodes = await startMemoryNodes(network, time, ['old', 'new', 'bidder'])
    auction = await open()
  })

  afterEach(async () => {
    for (const node of nodes) await node.stop()
  })

  const node = (i: number) => nodes[i] as MemoryNode
  const open = async (more: object = {}) => {
    const commandId = `cmd_open${Math.random().toString(36).slice(2, 12).padEnd(10, '0')}`
    return openInYen(node(0), { commandId, reserve: '40', ...more })
  }
  const bid = (from: MemoryNode, commandId: string, amount: string, kind: 'plain' | 'max' = 'plain') =>
    from.api.bid({ auction, commandId, kind, amount })
  const move = async (from = node(0), to = node(1)) => {
    const view = await from.api.handover({ auction, peer: to.info.name })
    await settle()
    return view
  }
  const codeOf = async (promise: Promise<unknown>): Promise<string> => {
    const error = await promise.then(
      () => null,
      (reason: unknown) => reason,
    )
    if (error instanceof NodeError) return error.code
    throw new Error(`expected a NodeError, got ${String(error)}`)
  }
  const verified = async (at: MemoryNode) => {
    const result = await verifyLog(unplaced(readLog(at.api, auction)), { verifier })
    if (!result.valid) throw new Error(result.finding.rule)
    return result.summary
  }

  it('makes another node the home, and every node knows', async () => {
    const view = await move()
    expect(view.state.home.nodeId).to.equal(node(1).info.nodeId)
    for (const { api } of nodes) {
      const seen = await api.show({ auction })
      expect(seen.state.home.nodeId).to.equal(node(1).info.nodeId)
    }
    expect((await bid(node(2), 'bid_00000001', '10')).outcome.status).to.equal('accepted')
    expect((await bid(node(1), 'bid_00000002', '11')).outcome.status).to.equal('accepted')
    await settle()
    expect(
      new Set(await Promise.all(nodes.map(async ({ api }) => (await api.show({ auction })).head.hash))).size,
    ).to.equal(1)
  })

  it('takes maxima, reserve and outcomes along, so that bidding goes on as if nothing had happened', async () => {
    await bid(node(2), 'bid_00000001', '50', 'max')
    expect((await bid(node(1), 'bid_00000002', '9')).outcome.status).to.equal('rejected')
    await settle()
    await move()
    const answered = await bid(node(0), 'bid_00000003', '45').catch((error: NodeError) => error)
    // The seller's own node may not bid; the others meet the maximum that was left with the old home.
    expect(answered).to.have.nested.property('outcome.rejection.code', 'OWN_AUCTION')
    const { outcome } = await bid(node(1), 'bid_00000004', '45')
    expect(outcome).to.deep.include({
      status: 'accepted',
      bid: { leads: false, price: 46, reserveMet: true },
    })
    await node(0).api.close({ auction, commandId: 'cmd_close001' })
    await settle()
    const summary = await verified(node(2))
    expect(summary.decision).to.equal('rerun')
    expect(summary.homes.map(({ nodeId }) => nodeId)).to.deep.equal([node(0), node(1)].map(({ info }) => info.nodeId))
    expect(summary.state).to.have.nested.property('result.winner.name', 'bidder')
  })

  it('remembers the outcomes that the old home gave: a retry bids only once, and is refused for the first reason', async () => {
    const first = await bid(node(2), 'bid_00000001', '20')
    const refused = await bid(node(1), 'bid_00000002', '15')
    const max = await bid(node(2), 'bid_00000003', '30', 'max')
    await settle()
    await move()
    expect((await bid(node(2), 'bid_00000001', '20')).outcome).to.deep.equal(first.outcome)
    expect((await bid(node(1), 'bid_00000002', '15')).outcome).to.deep.equal(refused.outcome)
    expect((await bid(node(2), 'bid_00000003', '30', 'max')).outcome).to.deep.equal(max.outcome)
    expect((await bid(node(1), 'bid_00000001', '99')).outcome).to.have.nested.property(
      'rejection.code',
      'COMMAND_ID_REUSED',
    )
  })

  it('loses no bid that arrives meanwhile', async () => {
    const bids = Array.from({ length: 300 }, (_, i) =>
      bid(node(1 + (i % 2)), `bid_flood${String(i).padStart(4, '0')}`, `${100 + i}`),
    )
    const moved = move()
    const outcomes = (await Promise.all(bids)).map(({ outcome }) => outcome)
    await moved
    await settle()
    const accepted = outcomes.filter(({ status }) => status === 'accepted')
    const { bids: told } = await node(2).api.history({ auction, limit: 1_000 })
    expect(told.map(({ bidId }) => bidId).sort()).to.deep.equal(accepted.map(({ commandId }) => commandId).sort())
    expect((await verified(node(2))).homes).to.have.length(2)
  })

  it('can go back and forth, and each home proves its own part', async () => {
    for (const [i, [from, to]] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ].entries()) {
      await bid(node(((from as number) + 1) % 3 === 0 ? 1 : ((from as number) + 1) % 3), `bid_round00${i}`, `${20 + i}`)
      await settle()
      await move(node(from as number), node(to as number))
    }
    expect((await node(1).api.show({ auction })).state.home.nodeId).to.equal(node(0).info.nodeId)
    const { homes, signaturesChecked } = await verified(node(1))
    expect(homes).to.have.length(4)
    expect(signaturesChecked).to.equal(3)
  })

  it('counts a repeated command once at the new home, even where its answer has been lost there', async () => {
    auction = await open({ closesInMs: 3_600_000 })
    const first = await bid(node(2), 'bid_00000001', '50', 'max')
    await node(0).api.extend({ auction, commandId: 'cmd_extend01', addedMs: 60_000 })
    await settle()
    await move()
    const lost = new Set(['bid_00000001', 'cmd_extend01'])
    const { signer, info, store } = node(1)
    await node(1).stop()
    const { outcomes } = store
    nodes[1] = await new MemoryNode({
      ...{ name: info.name, network, time, signer, address: info.address, startedAt: time.now() + 1 },
      store: {
        ...store,
        outcomes: {
          find: async (ids) => outcomes.find(ids.filter((id) => !lost.has(id))),
          record: async (recorded) => {
            for (const { outcome } of recorded) lost.delete(outcome.commandId)
            await outcomes.record(recorded)
          },
        },
      },
    }).start()
    await time.advance(10_000)
    const { closesAt, bidCount } = (await node(1).api.show({ auction })).state
    expect((await bid(node(2), 'bid_00000001', '50', 'max')).outcome).to.deep.equal(first.outcome)
    await node(0).api.extend({ auction, commandId: 'cmd_extend01', addedMs: 60_000 })
    await settle()
    expect((await node(1).api.show({ auction })).state).to.include({ closesAt, bidCount })
    expect(lost.size).to.equal(0)
  })

  it('moves on at once, although the next home has not heard of the first move yet', async () => {
    const [first, , third] = nodes.map(({ info }) => info.address)
    network.cut(first as string, third as string)
    await node(0).api.handover({ auction, peer: 'new' })
    expect((await node(2).api.show({ auction })).state.home.nodeId).to.equal(node(0).info.nodeId)
    const { state } = await node(1).api.handover({ auction, peer: 'bidder' })
    expect(state.home.nodeId).to.equal(node(2).info.nodeId)
    network.heal()
  })

  it('is not called done before the new home has the event', async () => {
    const { eventLog } = node(1).store
    const append = eventLog.append.bind(eventLog)
    eventLog.append = () => Promise.reject(new LogFullError())
    const code = codeOf(move())
    await settle()
    await time.advance(3_100)
    expect(await code).to.equal('NOT_REPLICATED')
    eventLog.append = append
    await time.advance(2_000)
    await settle()
    for (const { api } of nodes) expect((await api.show({ auction })).state.home.nodeId).to.equal(node(1).info.nodeId)
    expect((await bid(node(2), 'bid_00000001', '10')).outcome.status).to.equal('accepted')
  })

  it('says who the home is, and that a node does not move an auction to itself', async () => {
    const tell = (peer: string, from = node(0)) =>
      from.api.handover({ auction, peer }).catch((error: NodeError) => error.message)
    expect(await tell('old')).to.equal('old is this node itself')
    expect(await tell('new', node(2))).to.equal('its home is old, not this node')
    await move()
    expect((await node(2).api.show({ auction })).homeName).to.equal('new')
    expect((await node(0).api.status()).ownLive).to.equal(0)
    expect((await node(1).api.status()).ownLive).to.equal(1)
    await node(2).stop()
    await settle()
    expect(await tell('bidder', node(1))).to.match(/^bidder cannot be reached: it is left, last seen 2/)
  })

  it('goes to the member of that name alone, and to nobody who only calls itself so', async () => {
    const real = node(1)
    const mallory = new MemoryNode({ name: 'new', network, time })
    network.members.add({ ...mallory.info, name: 'mallory' })
    network.members.add(real.info)
    nodes.push(await mallory.start())
    await settle()
    await real.stop()
    await settle()
    const refused = await node(0)
      .api.handover({ auction, peer: 'new' })
      .catch((reason: unknown) => reason)
    expect(refused).to.be.instanceOf(NodeError).and.include({ code: 'NODE_UNREACHABLE', field: 'peer' })
    expect((refused as NodeError).message).to.match(/^new cannot be reached: it is left/)
    expect((await node(0).api.peers()).map(({ name }) => name).sort()).to.deep.equal(['bidder', 'mallory', 'new'])
    network.members.add({ ...mallory.info, name: 'new' })
    const ambiguous = await node(0)
      .api.handover({ auction, peer: 'new' })
      .catch((reason: unknown) => reason)
    expect(ambiguous).to.include({ code: 'INVALID_INPUT', field: 'peer' })
    expect((ambiguous as NodeError).next)
      .to.contain(real.info.nodeId)
      .and.to.contain(mallory.info.nodeId)
    expect(await codeOf(node(0).api.handover({ auction, peer: 'nobody' }))).to.equal('NODE_UNREACHABLE')
    expect((await node(0).api.show({ auction })).state.home.nodeId).to.equal(node(0).info.nodeId)
    network.members.add({ ...mallory.info, name: 'mallory' })
    const { state } = await node(0).api.handover({ auction, peer: 'mallory' })
    expect(state.home.nodeId).to.equal(mallory.info.nodeId)
  })

  it('closes on time at the new home, whatever becomes of the old one', async () => {
    auction = await open({ reserve: undefined, closesInMs: 60_000 })
    await move()
    await node(0).stop()
    await time.advance(60_001)
    await settle()
    expect((await node(2).api.show({ auction })).state.status).to.equal('closed')
    expect((await bid(node(2), 'bid_00000001', '10')).outcome).to.have.nested.property(
      'rejection.code',
      'AUCTION_CLOSED',
    )
  })

  it('closes at once at a new home whose clock is behind that of the old one, which has seen the end come', async () => {
    const machine = new NodeTime(time)
    let aheadMs = 0
    machine.now = () => time.now() + aheadMs
    const ahead = await new MemoryNode({ name: 'ahead', network, time, machine }).start()
    nodes.push(ahead)
    await settle()
    const { outcome } = await ahead.api.open({
      commandId: 'cmd_opened_ahead',
      title: 'Lot',
      currency: 'JPY',
      start: '10',
      closesInMs: 60_000,
    })
    auction = outcome.auctionId
    await time.advance(55_000)
    aheadMs = 9_000
    await move(ahead, node(1))
    await time.advance(100)
    await settle()
    expect((await node(2).api.show({ auction })).state).to.include({ status: 'closed', by: 'end-time' })
  })

  it('leaves the auction where it was when the other node cannot be reached, is unknown, or has no room', async () => {
    expect(await codeOf(node(0).api.handover({ auction, peer: 'nobody' }))).to.equal('NODE_UNREACHABLE')
    expect(await codeOf(node(2).api.handover({ auction, peer: 'new' }))).to.equal('NOT_HOME')
    await bid(node(2), 'bid_00000001', '10')
    network.fault(node(1).info.address, 'unreachable')
    expect(await codeOf(move())).to.equal('NODE_UNREACHABLE')
    network.fault(node(1).info.address, 'none')
    const { handovers } = node(1).store
    const keep = handovers.keep.bind(handovers)
    handovers.keep = () => Promise.reject(new LogFullError())
    expect(await codeOf(move())).to.not.equal('')
    handovers.keep = keep
    expect((await bid(node(1), 'bid_00000002', '11')).outcome.status).to.equal('accepted')
    expect((await node(2).api.show({ auction })).state.home.nodeId).to.equal(node(0).info.nodeId)
    await move()
    expect((await bid(node(2), 'bid_00000003', '12')).outcome.status).to.equal('accepted')
  })

  it('goes on here when the disk has no room for the event itself', async () => {
    const append = node(0).store.eventLog.append.bind(node(0).store.eventLog)
    node(0).store.eventLog.append = () => Promise.reject(new LogFullError())
    expect(await codeOf(move())).to.equal('DISK_FULL')
    node(0).store.eventLog.append = append
    expect((await bid(node(2), 'bid_00000001', '10')).outcome.status).to.equal('accepted')
  })

  it('is refused for an auction that is over', async () => {
    await node(0).api.close({ auction, commandId: 'cmd_close001' })
    expect(await codeOf(move())).to.equal('NOT_MOVED')
  })

  it('takes no parcel that the home has not signed for this node', async () => {
    const taker = node(1).services.parts.handoverTaker
    const part = { to: node(1).info.nodeId, outcomes: [], sealed: [], secrets: NO_SECRETS, head: null }
    const take = (change: object, signer = node(0).signer) =>
      codeOf(taker.take(node(0).info.nodeId, signParcel(auction, { ...part, ...change }, signer)))
    expect(await take({}, node(2).signer)).to.equal('FORBIDDEN')
    expect(await take({ to: node(2).info.nodeId })).to.equal('FORBIDDEN')
    expect(await take({ sealed: [{ bidId: 'x' }] }, node(2).signer), 'unread').to.equal('FORBIDDEN')
    expect(await take({ sealed: [{ bidId: 'x' }] })).to.equal('INVALID_INPUT')
    expect(await take({ head: { seq: 9, hash: 'a'.repeat(64) } })).to.equal('BUSY')
    const forged = {
      ...signParcel(auction, part, node(0).signer),
      parcel: JSON.stringify({ ...part, secrets: null }),
    }
    expect(await codeOf(taker.take(node(0).info.nodeId, forged))).to.equal('FORBIDDEN')
    await taker.take(node(0).info.nodeId, signParcel(auction, part, node(0).signer))
  })

  it('takes no more parcels of a member than it has a budget for, and those of others', async () => {
    const budget = node(1).services.parts.budgets.of('parcels')
    const taker = node(1).services.parts.handoverTaker
    const part = { to: node(1).info.nodeId, outcomes: [], sealed: [], secrets: null, head: null }
    const parcel = signParcel(auction, part, node(0).signer)
    const { nodeId } = node(0).info
    expect(budget.take(nodeId, budget.terms.limit - parcel.parcel.length)).to.equal(true)
    expect(await taker.take(nodeId, parcel)).to.equal(null)
    expect(await codeOf(taker.take(nodeId, parcel))).to.equal('BUSY')
    expect(budget.status().refused).to.equal(1)
    // Whose parcel it is not: refused for that.
    expect(await codeOf(taker.take(node(2).info.nodeId, { ...parcel, signature: 'A'.repeat(86) }))).to.equal(
      'FORBIDDEN',
    )
  })

  /** What goes with the auction, as its home would send it last. */
  const wholeParcel = async () => {
    const { store } = node(0)
    const { head } = await node(0).api.show({ auction })
    const { outcomes, sealed } = await store.handovers.page(auction, null, 1_000)
    const secrets = await store.secrets.secrets(auction)
    return { to: node(1).info.nodeId, outcomes, sealed, secrets, head }
  }
  const offer = (part: Awaited<ReturnType<typeof wholeParcel>>) =>
    node(1).services.parts.handoverTaker.take(node(0).info.nodeId, signParcel(auction, part, node(0).signer))

  it('is agreed to by the next home only once it has all that the log calls for', async () => {
    type Whole = Awaited<ReturnType<typeof wholeParcel>>
    const secretsOf = ({ secrets }: Whole) => secrets ?? NO_SECRETS
    const lacking: [string, (whole: Whole) => Partial<Whole>, RegExp | null][] = [
      ['nothing', () => ({}), null],
      [
        'an outcome',
        ({ outcomes }) => ({ outcomes: outcomes.filter(({ outcome }) => !outcome.commandId.endsWith('1')) }),
        /the outcome of bid_/,
      ],
      ['a maximum', ({ sealed }) => ({ sealed: sealed.slice(1) }), /the maximum of bid bid_.*, as committed to/],
      [
        'a maximum as it was left',
        ({ sealed }) => ({ sealed: sealed.map((maximum) => ({ ...maximum, amount: 99 })) }),
        /the maximum of bid bid_.*, as committed to/,
      ],
      ['the reserve', (whole) => ({ secrets: { ...secretsOf(whole), reserve: null } }), /the reserve, as committed to/],
      [
        'the leader’s maximum',
        (whole) => ({ secrets: { ...secretsOf(whole), leaderMax: 55 } }),
        /the leader's maximum/,
      ],
      ['the secrets', () => ({ secrets: null }), /the secrets/],
    ]
    for (const [i, [what, change, rule]] of lacking.entries()) {
      auction = await open()
      await bid(node(2), `bid_whole${i}001`, '50', 'max')
      await bid(node(2), `bid_whole${i}002`, '60', 'max')
      await settle()
      const whole = await wholeParcel()
      const answer = await offer({ ...whole, ...change(whole) }).catch((reason: unknown) => reason)
      if (rule === null) expect((answer as Consent).signature, what).to.match(/^[A-Za-z0-9_-]{86}$/)
      else {
        expect(answer, what).to.be.instanceOf(NodeError).and.include({ code: 'INVALID_INPUT' })
        expect((answer as NodeError).message, what).to.match(rule)
      }
    }
  })

  it('makes nobody a home who has not agreed to it, here, at this end of the log', async () => {
    const { info } = node(1)
    const to = { nodeId: info.nodeId, publicKey: info.publicKey }
    const before = await offer(await wholeParcel())
    await bid(node(2), 'bid_00000001', '10')
    await settle()
    const { head, state } = await node(0).api.show({ auction })
    const real = {
      auctionId: auction,
      seq: head.seq + 1,
      prevHash: head.hash,
      from: node(0).info.nodeId,
      to: info.nodeId,
    }
    const cluster = node(2).signer.publicKey
    const consents: [string, Consent][] = [
      ['none', { cluster: null, signature: 'A'.repeat(86) }],
      ['of an earlier end', before as Consent],
      ['of somebody else', signConsent(real, null, node(2).signer)],
      ['for another auction', signConsent({ ...real, auctionId: 'auc_other' }, null, node(1).signer)],
      ['from another home', signConsent({ ...real, from: node(2).info.nodeId }, null, node(1).signer)],
      ['for no cluster, where one is named', { ...signConsent(real, null, node(1).signer), cluster }],
      ['for a cluster, where none is named', { ...signConsent(real, cluster, node(1).signer), cluster: null }],
    ]
    const log = (await node(0).api.log({ auction, fromSeq: 1 })).commits
    const moving = ({ cluster, signature: consent }: Consent) => {
      const event = { type: 'AuctionHandedOver', at: state.at, to, cluster, consent } as const
      const parts = { auctionId: auction, firstSeq: head.seq + 1, prevHash: head.hash, events: [event] }
      return sealCommit(parts, node(0).signer)
    }
    for (const [what, consent] of consents) {
      const commit = moving(consent)
      for (const i of [1, 2]) {
        const { refused } = await node(i).services.parts.replicator.ingest([commit])
        expect(refused[0]?.reason, what).to.equal(`${info.nodeId} has not agreed to be its home`)
      }
      const verdict = await verifyLog(unplaced(listOf([...log, commit])), { verifier })
      expect(verdict, what).to.have.nested.property('finding.code', 'SIGNATURE')
    }
    const agreed = moving(signConsent(real, null, node(1).signer))
    expect((await node(2).services.parts.replicator.ingest([agreed])).stored).to.equal(1)
    expect((await verifyLog(unplaced(listOf([...log, agreed])), { verifier })).valid).to.equal(true)
  })

  it('has a node hold an auction of which it has lost what came along, in those words', async () => {
    auction = await open({ closesInMs: 60_000 })
    await move()
    const lost = node(1)
    await lost.stop()
    const { signer, info } = lost
    const { name, address } = info
    nodes[1] = await new MemoryNode({
      name,
      network,
      time,
      signer,
      address,
      startedAt: time.now() + 1,
    }).start()
    await settle()
    await time.advance(10_000)
    const before = (await node(1).api.show({ auction })).head
    expect((await node(1).api.show({ auction })).state.home.nodeId).to.equal(info.nodeId)
    const asked = codeOf(bid(node(2), 'bid_00000001', '50'))
    await time.advance(5_000)
    expect(await asked).to.equal('AUCTION_HELD')
    expect((await node(1).api.status()).held[0]).to.deep.include({
      auctionId: auction,
      because: 'secrets-lost',
    })
    await time.advance(120_000)
    expect((await node(1).api.show({ auction })).head, 'it writes nothing').to.deep.equal(before)
    expect((await node(0).api.show({ auction })).disputed).to.equal(false)
  })

  it('is not taken by a node whose role lets it read only', async () => {
    const { services, store, info } = node(1)
    const [auctionHouse, syncer] = [services.parts.auctionHouse, services.parts.syncer]
    const budgets = services.parts.budgets
    const deps = {
      ...store,
      auctionHouse,
      budgets,
      clusterSigner: null,
      syncer,
      signer: node(1).signer,
      verifier,
      logger: silentLogger,
    }
    const part = { to: info.nodeId, outcomes: [], sealed: [], secrets: NO_SECRETS, head: null }
    const parcel = signParcel(auction, part, node(0).signer)
    const reader = new HandoverTaker(deps, { nodeId: info.nodeId, isReader: true })
    expect(await codeOf(reader.take(node(0).info.nodeId, parcel))).to.equal('FORBIDDEN')
    await new HandoverTaker(deps, { nodeId: info.nodeId, isReader: false }).take(node(0).info.nodeId, parcel)
  })

  it('ends the authorship of the old home: what it signs afterwards is refused', async () => {
    const before = (await node(0).api.show({ auction })).head
    await move()
    const { head, state } = await node(0).api.show({ auction })
    const event = {
      type: 'AuctionCancelled',
      at: state.at,
      commandId: 'cmd_1',
      reason: 'mine again',
    } as const
    const parts = { auctionId: auction, firstSeq: head.seq + 1, prevHash: head.hash, events: [event] }
    const replicator = node(2).services.parts.replicator
    const { refused } = await replicator.ingest([sealCommit(parts, node(0).signer)])
    expect(refused[0]?.reason).to.contain('author')
    // A second end of the same term, on the other hand, proves that it signed two histories.
    const twice = { ...parts, firstSeq: before.seq + 1, prevHash: before.hash }
    await replicator.ingest([sealCommit(twice, node(0).signer)])
    await settle()
    const proof = await node(1).api.proof({ auction })
    if (proof === null) throw new Error('expected a proof')
    const judged = judgeProof(proof, verifier)
    expect(judged.proven && judged.by.author.nodeId).to.equal(node(0).info.nodeId)
  })

  it('leaves what the seller does in the seller’s words: the new home can make none of it up', async () => {
    auction = await open({ closesInMs: 3_600_000 })
    await move()
    const { head, state } = await node(2).api.show({ auction })
    const at = state.at + 1
    const closesAt = (state.closesAt ?? 0) + 60_000
    const result = { sold: false, reason: 'no-bids' } as const
    const inventions: AuctionEvent[] = [
      { type: 'AuctionCancelled', at, commandId: 'cmd_cancel00', reason: 'not mine to say' },
      { type: 'AuctionExtended', at, commandId: 'cmd_extend00', by: 'seller', since: null, closesAt },
      {
        type: 'AuctionClosed',
        at,
        commandId: 'cmd_close000',
        by: 'seller',
        result,
        reserve: { amount: 40, salt: '0'.repeat(32) },
      },
    ]
    const own = node(1).signer
    for (const event of inventions) {
      const facts = { seller: state.seller, openedBy: state.openedBy, keptByCluster: state.keptByCluster }
      const digests = [eventDigest(auction, event, facts) ?? '']
      const signature = own.sign(mandateText(auction, 1, digests))
      const mandate = { signer: own.publicKey, signedAt: 1, commands: [0], signature }
      for (const mandates of [[], [mandate]]) {
        const parts = { auctionId: auction, firstSeq: head.seq + 1, prevHash: head.hash, events: [event] }
        const commit = sealCommit({ ...parts, mandates }, own)
        const { refused } = await node(2).services.parts.replicator.ingest([commit])
        expect(refused[0]?.reason, event.type).to.contain('has signed this')
      }
    }
    // What the seller does from the old home is taken, and proven with the rest.
    await node(0).api.extend({ auction, commandId: 'cmd_extend00', closesAt })
    await node(0).api.close({ auction, commandId: 'cmd_close000' })
    await settle()
    expect((await verified(node(2))).mandatesChecked).to.equal(2)
  })

  it('lets the new home be proven to equivocate as well, by way of the handover', async () => {
    await move()
    const { head, state } = await node(1).api.show({ auction })
    await bid(node(2), 'bid_00000001', '10')
    await settle()
    const event = {
      type: 'AuctionCancelled',
      at: state.at,
      commandId: 'cmd_1',
      reason: 'other history',
    } as const
    const parts = { auctionId: auction, firstSeq: head.seq + 1, prevHash: head.hash, events: [event] }
    await node(2).services.parts.replicator.ingest([sealCommit(parts, node(1).signer)])
    await settle()
    const proof = await node(0).api.proof({ auction })
    if (proof === null) throw new Error('expected a proof')
    expect(proof.authority).to.have.length(2)
    const judged = judgeProof(proof, verifier)
    expect(judged.proven && judged.by.author.nodeId).to.equal(node(1).info.nodeId)
    const { authority } = proof
    expect(judgeProof({ ...proof, authority: authority.slice(0, 1) }, verifier).proven).to.equal(false)
    expect(judgeProof({ ...proof, authority: authority.slice(1) }, verifier).proven).to.equal(false)
  })

  it('keeps the receipts of both homes good', async () => {
    await bid(node(2), 'bid_00000001', '10')
    await settle()
    await move()
    await bid(node(2), 'bid_00000002', '9')
    await bid(node(1), 'bid_00000003', '12')
    await settle()
    await node(2).services.parts.receiptKeeper.flush()
    const { signed } = await node(2).store.receipts.list({ auctionId: null, after: 0, limit: 100 })
    expect(new Set(signed.map(({ home }) => home.nodeId)).size).to.equal(2)
    const result = await verifyLog(
      unplaced(readLog(node(2).api, auction)),
      { verifier },
      {
        check: (log) => checkReceipts(log, signed, verifier),
      },
    )
    expect(result.valid).to.equal(true)
  })
})

describe('an acknowledgement by replicas', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let nodes: MemoryNode[]

  beforeEach(async () => {
    time = new ManualTime()
    network = new MemoryNetwork()
    nodes = await startMemoryNodes(network, time, ['home', 'one', 'two'])
  })
  afterEach(async () => {
    for (const node of nodes) await node.stop()
  })

  const node = (i: number) => nodes[i] as MemoryNode
  const opening = { title: 'Pic#1', currency: 'JPY', start: '10', increment: '1' }

  it('comes once as many replicas as asked for have stored it', async () => {
    const { outcome } = await node(0).api.open({ commandId: 'cmd_open0001', replicas: 2, ...opening })
    const auction = outcome.auctionId
    for (const { store } of nodes) expect((await store.auctions.find(auction))?.head.seq).to.equal(1)
    const request = { auction, commandId: 'bid_00000001', kind: 'plain', amount: '10', replicas: 2 } as const
    expect((await node(1).api.bid(request)).outcome.status).to.equal('accepted')
    for (const { store } of nodes) expect((await store.auctions.find(auction))?.head.seq).to.equal(2)
  })

  it('is refused before anything is done where there are too few nodes', async () => {
    const failed = await node(0)
      .api.open({ commandId: 'cmd_open0001', replicas: 3, ...opening })
      .catch((error: NodeError) => error.code)
    expect(failed).to.equal('TOO_FEW_REPLICAS')
    expect((await node(0).api.list({})).auctions).to.deep.equal([])
  })

  it('says what is certain where replicas do not answer, and comes with a retry of the same id', async () => {
    const { outcome } = await node(0).api.open({ commandId: 'cmd_open0001', ...opening })
    await settle()
    const { address } = node(2).info
    const request = {
      auction: outcome.auctionId,
      commandId: 'bid_00000001',
      kind: 'plain',
      amount: '10',
      replicas: 2,
    } as const
    network.fault(address, 'unreachable')
    const asked = node(1)
      .api.bid(request)
      .catch((error: NodeError) => error)
    await settle()
    await time.advance(3_100)
    const error = await asked
    expect(error).to.be.instanceOf(NodeError).and.include({ code: 'NOT_REPLICATED' })
    expect((error as NodeError).message).to.contain('1 of 2')
    network.fault(address, 'none')
    const again = node(1).api.bid(request)
    await time.advance(2_000)
    expect((await again).outcome).to.include({ status: 'accepted', seq: 2 })
    expect((await node(0).api.history({ auction: outcome.auctionId })).bids).to.have.length(1)
  })

  it('does not say that nothing was done, asked again when there are too few nodes by then', async () => {
    const { outcome } = await node(0).api.open({ commandId: 'cmd_open0001', ...opening })
    await settle()
    const bid = {
      auction: outcome.auctionId,
      commandId: 'bid_00000001',
      kind: 'plain',
      amount: '10',
    } as const
    network.fault(node(2).info.address, 'unreachable')
    expect((await node(1).api.bid(bid)).outcome.status).to.equal('accepted')
    await node(2).stop()
    await settle()
    const asked = node(1)
      .api.bid({ ...bid, replicas: 2 })
      .catch((error: NodeError) => error.code)
    await settle()
    await time.advance(3_100)
    expect(await asked).to.equal('NOT_REPLICATED')
    const other = await node(1)
      .api.bid({ ...bid, commandId: 'bid_00000002', amount: '11', replicas: 2 })
      .catch((error: NodeError) => error.code)
    expect(other).to.equal('TOO_FEW_REPLICAS')
  })
})

async function* listOf(commits: readonly Commit[]): AsyncGenerator<Commit, void, undefined> {
  yield* commits
}
