import { expect } from 'chai'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { sealCommit } from '../../../src/application/log/commit.js'
import { readLog, unplaced } from '../../../src/application/proof/read-log.js'
import { verifyLog } from '../../../src/application/proof/verify-log.js'
import { checkMandates, signMandates, submittedMandates } from '../../../src/application/submissions/mandate.js'
import type { Commit } from '../../../src/domain/commit.js'
import { MAX_MANDATE_AGE_AT_HOME_MS, MAX_MANDATE_AGE_MS } from '../../../src/domain/limits.js'
import type { RemoteCommand } from '../../../src/domain/remote-command.js'
import type { NodeError } from '../../../src/ports/node/node-error.js'
import { startAuctionMesh } from '../../support/auction-mesh.js'
import { committed } from '../../support/bidding-nodes.js'
import { type ManualTime, settle } from '../../support/manual-time.js'
import type { MemoryNode } from '../../support/memory-node.js'

const verifier = new Ed25519Verifier()

describe('mandates', () => {
  let time: ManualTime
  let nodes: MemoryNode[]
  let auction: string

  beforeEach(async () => {
    ;({ time, nodes, auction } = await startAuctionMesh(['home', 'bidder', 'other']))
  })
  afterEach(async () => {
    for (const one of nodes) await one.stop()
  })

  const node = (i: number) => nodes[i] as MemoryNode
  const bidOf = (from: MemoryNode, amount: number, commandId = 'bid_00000001'): RemoteCommand => ({
    type: 'PlaceBid',
    auctionId: auction,
    commandId,
    kind: 'plain',
    amount,
    bidder: { id: from.info.nodeId, name: from.info.name },
  })
  const submit = (commands: RemoteCommand[], signer: MemoryNode, signed = commands) =>
    node(0)
      .services.parts.peerService.submit(commands, submittedMandates(signMandates(signed, signer.signer, time.now())))
      .then(
        ({ results }) => results.map((result) => (result.ok ? result.outcome.status : result.code)).join(' '),
        (error: unknown) => (error as NodeError).code,
      )

  it('stand in the log with the bids that came with them, of every kind, and verify holds them to be true', async () => {
    await node(1).api.bid({ auction, commandId: 'bid_00000001', kind: 'plain', amount: '10' })
    await node(2).api.bid({ auction, commandId: 'bid_00000002', kind: 'max', amount: '50' })
    await node(2).api.bid({ auction, commandId: 'bid_00000003', kind: 'max', amount: '60' })
    await node(1).api.bid({ auction, commandId: 'bid_00000004', kind: 'plain', amount: '5' })
    await node(0).api.close({ auction, commandId: 'cmd_close001' })
    await settle()
    const result = await verifyLog(unplaced(readLog(node(1).api, auction)), { verifier })
    expect(result.valid && result.summary.mandatesChecked).to.equal(3)
    expect(result.valid && result.summary.decision).to.equal('rerun')
  })

  it('are demanded by the home: in the words of another node, altered, or missing, a command is refused', async () => {
    const bid = bidOf(node(1), 10)
    expect(await submit([bid], node(1), [])).to.equal('FORBIDDEN')
    expect(await submit([bid], node(2))).to.equal('FORBIDDEN')
    expect(await submit([{ ...bid, amount: 11 } as RemoteCommand], node(1), [bid])).to.equal('FORBIDDEN')
    expect(await submit([bid, bidOf(node(1), 12, 'bid_00000002')], node(1), [bid])).to.equal('FORBIDDEN')
    const closing = { type: 'CloseAuction', auctionId: auction, commandId: 'cmd_close001' } as const
    const seller = { id: node(0).info.nodeId, name: 'home' }
    expect(await submit([{ ...closing, by: seller }], node(1))).to.equal('FORBIDDEN')
    expect((await node(0).api.show({ auction })).state.bidCount).to.equal(0)
    expect(await submit([bid], node(1))).to.equal('accepted')
    // The same order again: it bids only once.
    expect(await submit([bid], node(1))).to.equal('accepted')
    expect((await node(0).api.show({ auction })).state.bidCount).to.equal(1)
  })

  it('let a node vouch for accounts, which are no nodes, and nobody for another node', () => {
    const account = { ...bidOf(node(1), 10), bidder: { id: 'usr_1', name: 'Ada' } } as RemoteCommand
    const mandates = submittedMandates(signMandates([account], node(2).signer, 1))
    expect(checkMandates([account], mandates, verifier)).to.have.property('mandates')
    const foreign = bidOf(node(1), 10)
    expect(
      checkMandates([foreign], submittedMandates(signMandates([foreign], node(2).signer, 1)), verifier),
    ).to.have.property('rule')
  })

  it('of a seller who is no node count only from the node that opened the auction, also after it has moved', async () => {
    const seller = { id: 'usr_seller1', name: 'Sue' }
    const { outcome } = await node(0).api.open({
      commandId: 'cmd_open0002',
      title: 'Pic#2',
      currency: 'JPY',
      start: '10',
      increment: '1',
      as: seller,
    })
    auction = outcome.auctionId
    await settle()
    const closing = { type: 'CloseAuction', auctionId: auction, by: seller } as const
    const rejected = await submit([{ ...closing, commandId: 'cmd_close001' }], node(2))
    expect(rejected).to.equal('rejected')
    await node(0).api.handover({ auction, peer: 'other' })
    await settle()
    for (const [signer, expected] of [
      [node(1), 'NOT_SELLER'],
      // The home that the auction has moved to is not the one that knows the account.
      [node(2), 'NOT_SELLER'],
      [node(0), 'accepted'],
    ] as const) {
      const commands: RemoteCommand[] = [{ ...closing, commandId: `cmd_close_${signer.info.name}` }]
      const mandates = submittedMandates(signMandates(commands, signer.signer, time.now()))
      const { results } = await node(2).services.parts.peerService.submit(commands, mandates)
      const [result] = results
      if (!result?.ok) throw new Error('expected an outcome')
      const { outcome: decided } = result
      expect(decided.status === 'rejected' ? decided.rejection.code : decided.status).to.equal(expected)
    }
  })

  it('are worth nothing once they are old, or where they are dated ahead: the home carries them out no more', async () => {
    const bid = bidOf(node(1), 10)
    const kept = submittedMandates(signMandates([bid], node(1).signer, time.now()))
    const carryOut = async (mandates: typeof kept) => {
      const { results, receipt } = await node(0).services.parts.peerService.submit([bid], mandates)
      return { codes: results.map((result) => (result.ok ? result.outcome.status : result.code)), receipt }
    }
    await time.advance(MAX_MANDATE_AGE_AT_HOME_MS + 1)
    expect(await carryOut(kept)).to.deep.equal({ codes: ['MANDATE_OUT_OF_TIME'], receipt: null })
    const ahead = time.now() + MAX_MANDATE_AGE_AT_HOME_MS + 1
    expect((await carryOut(submittedMandates(signMandates([bid], node(1).signer, ahead)))).codes).to.deep.equal([
      'MANDATE_OUT_OF_TIME',
    ])
    expect((await node(0).api.show({ auction })).state.bidCount).to.equal(0)
    // Nothing was decided: signed again, the same command is new.
    expect(await submit([bid], node(1))).to.equal('accepted')
    await settle()
    expect((await node(2).api.show({ auction })).state.bidCount).to.equal(1)
  })

  it('are refused by replicas, and by verify, where the home carried out an old one', async () => {
    const { head, state } = await node(0).api.show({ auction })
    const bid = bidOf(node(1), 10)
    const bidder = { id: node(1).info.nodeId, name: 'bidder' }
    const [opening] = (await node(0).api.log({ auction, fromSeq: 1 })).commits
    if (!opening) throw new Error('there is no opening')
    const told = { bidder, amount: 10, commitment: null, price: 10, leads: true, reserveMet: true }
    for (const [aheadMs, expected] of [
      [MAX_MANDATE_AGE_MS + 1, 'a mandate holds for 10 minutes'],
      [-MAX_MANDATE_AGE_MS - 1, 'a mandate holds for 10 minutes'],
      [MAX_MANDATE_AGE_MS, null],
    ] as const) {
      const event = { type: 'BidPlaced', at: state.at, bidId: 'bid_00000001', ...told } as const
      const mandates = [...signMandates([bid], node(1).signer, state.at - aheadMs).values()].map((mandate) =>
        committed(auction, mandate, [event], state),
      )
      const parts = {
        auctionId: auction,
        firstSeq: head.seq + 1,
        prevHash: head.hash,
        events: [event],
        mandates,
      }
      const commit = sealCommit(parts, node(0).signer)
      const { refused } = await node(2).services.parts.replicator.ingest([commit])
      const verified = await verifyLog(unplaced(listOf(opening, commit)), { verifier })
      if (expected === null) {
        expect(refused).to.deep.equal([])
        expect(verified.valid).to.equal(true)
      } else {
        expect(refused[0]?.reason).to.contain(expected)
        expect(verified).to.have.nested.property('finding.code', 'MANDATE')
        expect(verified).to.have.nested.property('finding.rule').that.contains(expected)
      }
    }
  })

  it('are demanded by replicas: a home cannot make a bid up', async () => {
    const { head, state } = await node(0).api.show({ auction })
    const bid = bidOf(node(1), 10)
    const bidder = { id: node(1).info.nodeId, name: 'bidder' }
    const told = { bidder, amount: 10, commitment: null, price: 10, leads: true, reserveMet: true }
    const event = { type: 'BidPlaced', at: state.at, bidId: 'bid_00000001', ...told } as const
    const parts = { auctionId: auction, firstSeq: head.seq + 1, prevHash: head.hash, events: [event] }
    const ingest = async (mandates: Parameters<typeof sealCommit>[0]['mandates']) => {
      const commit = sealCommit({ ...parts, mandates: mandates ?? [] }, node(0).signer)
      const { refused } = await node(2).services.parts.replicator.ingest([commit])
      return refused[0]?.reason ?? 'stored'
    }
    const orderBy = (signer: MemoryNode, command: RemoteCommand) =>
      [...signMandates([command], signer.signer, state.at).values()].map((mandate) =>
        committed(auction, mandate, [event], state),
      )
    expect(await ingest([])).to.contain('has signed this')
    expect(await ingest(orderBy(node(0), bid))).to.contain('has signed this')
    expect(await ingest(orderBy(node(1), bidOf(node(1), 11)))).to.contain('has signed this')
    const [good] = orderBy(node(1), bid)
    if (!good) throw new Error('expected a mandate')
    expect(await ingest([{ ...good, signedAt: state.at + 1 }])).to.contain('signature')
    expect(await ingest([good])).to.equal('stored')
  })
})

async function* listOf(...commits: Commit[]): AsyncGenerator<Commit, void, undefined> {
  yield* commits
}
