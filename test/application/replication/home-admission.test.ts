import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { signerOf } from '../../../src/adapters/system/node-key.js'
import { sealCommit } from '../../../src/application/log/commit.js'
import { nodeIdOf } from '../../../src/application/log/ids.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { AuctionOpened } from '../../../src/domain/events.js'
import type { MemberRole } from '../../../src/ports/members/member.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import type { Signer } from '../../../src/ports/system/signer.js'
import { termsWith } from '../../support/auction-scenario.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { OTHER_MESH, TEST_MESH } from '../../support/memory-members.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { type MemoryNode, startMemoryNodes } from '../../support/memory-node.js'

describe('an auction that comes from elsewhere', () => {
  let time: ManualTime
  let network: MemoryNetwork
  let nodes: MemoryNode[]

  beforeEach(async () => {
    time = new ManualTime()
    network = new MemoryNetwork()
    nodes = await startMemoryNodes(network, time, ['ann', 'bob'])
  })
  afterEach(async () => {
    for (const node of nodes) await node.stop()
  })

  const node = (i: number) => nodes[i] as MemoryNode
  const newSigner = () => signerOf(generateKeyPairSync('ed25519').privateKey)
  const join = (signer: Signer, role: MemberRole = 'node') => {
    const { publicKey } = signer
    const nodeId = nodeIdOf(publicKey)
    network.members.add({ nodeId, publicKey, name: nodeId.slice(5, 15), role })
    return nodeId
  }
  let opened = 0
  const opening = (by: Signer, overrides: Partial<AuctionOpened> = {}): Commit => {
    const home = { nodeId: nodeIdOf(by.publicKey), publicKey: by.publicKey }
    const event: AuctionOpened = {
      type: 'AuctionOpened',
      at: time.now(),
      commandId: `cmd_opened${++opened}`,
      meshId: TEST_MESH,
      seller: { id: home.nodeId, name: 'Seller' },
      home,
      cluster: null,
      terms: termsWith(),
      ...overrides,
    }
    return sealCommit({ auctionId: null, firstSeq: 1, prevHash: null, events: [event] }, by)
  }
  /** Why the first node refuses it, be it pushed or pulled; null where it takes it. */
  const refusal = async (commit: Commit, from: string | null = null): Promise<string | null> => {
    const replicator = node(0).services.parts.replicator
    const pushed = await replicator.ingest([commit], from)
    const { refused } = pushed.stored > 0 ? pushed : await replicator.ingestPages([[commit]], from)
    const known = (await node(0).store.auctions.find(commit.auctionId)) !== null
    expect(known, 'stored').to.equal(refused.length === 0)
    return refused[0]?.reason ?? null
  }

  it('is taken from any member that may be a home, and from no other key', async () => {
    const [member, gateway, replica, stranger] = [newSigner(), newSigner(), newSigner(), newSigner()]
    join(member)
    join(gateway, 'gateway')
    join(replica, 'replica')
    expect(await refusal(opening(member))).to.equal(null)
    expect(await refusal(opening(gateway))).to.equal(null)
    expect(await refusal(opening(replica))).to.contain('no member of the mesh that may be a home')
    expect(await refusal(opening(stranger))).to.contain('no member of the mesh that may be a home')
    // What it refuses it passes on to nobody.
    await time.advance(10_000)
    await settle()
    expect((await node(1).api.list({})).auctions).to.have.length(2)
  })

  it('is refused where its home was put out before, and goes on where it was put out since', async () => {
    const member = newSigner()
    const nodeId = join(member)
    const early = opening(member)
    await time.advance(1_000)
    const revokedAt = time.now()
    network.members.revoke(nodeId, revokedAt)
    expect(await refusal(opening(member, { at: revokedAt }))).to.contain(nodeId)
    expect(await refusal(early), 'opened while it was a member').to.equal(null)
    const event = {
      type: 'AuctionCancelled',
      at: revokedAt + 1,
      commandId: 'cmd_cancelled',
      reason: '',
    } as const
    const { auctionId, hash: prevHash } = early
    const later = sealCommit({ auctionId, firstSeq: 2, prevHash, events: [event] }, member)
    const { stored } = await node(0).services.parts.replicator.ingest([later])
    expect(stored, 'and ended since').to.equal(1)
  })

  it('is refused where it was opened in another mesh, whose auctions have other ids', async () => {
    const member = newSigner()
    join(member)
    const here = opening(member, { commandId: 'cmd_the_same' })
    const there = opening(member, { commandId: 'cmd_the_same', meshId: OTHER_MESH })
    expect(there.auctionId).to.not.equal(here.auctionId)
    expect(await refusal(there)).to.contain(`of another mesh, ${OTHER_MESH}`)
    expect(await refusal(here)).to.equal(null)
  })

  it('is refused where somebody else than the home opens it in the name of a node', async () => {
    const member = newSigner()
    join(member)
    const { nodeId: id, name } = node(0).info
    expect(await refusal(opening(member, { seller: { id, name } }))).to.contain('nobody opens an auction in its name')
    expect((await node(0).api.list({})).auctions).to.deep.equal([])
    const account = opening(member, { seller: { id: 'usr_sue', name: 'Sue' } })
    expect(await refusal(account), 'an account that the home vouches for').to.equal(null)
  })

  it('is taken from a member that has just come in, once the peer that brought it has been asked for the news', async () => {
    const newcomer = newSigner()
    const commit = opening(newcomer)
    const asked: string[] = []
    const news = node(0).services.parts.memberNews
    news.ask = (nodeId) => {
      asked.push(nodeId)
      join(newcomer)
      return Promise.resolve()
    }
    expect(await refusal(commit, node(1).info.nodeId)).to.equal(null)
    expect(asked).to.deep.equal([node(1).info.nodeId])
  })

  it('is opened by a node in its own name alone', async () => {
    const as = { id: node(1).info.nodeId, name: 'bob' }
    const request = { commandId: 'cmd_open0001', title: 'Lot', currency: 'EUR', start: '10', as }
    const error = await node(0)
      .api.open(request)
      .catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(NodeError)
    expect(error).to.include({ code: 'FORBIDDEN', field: 'as' })
    const { outcome } = await node(0).api.open({ ...request, as: { id: 'usr_sue', name: 'Sue' } })
    const bid = {
      auction: outcome.auctionId,
      commandId: 'bid_00000001',
      kind: 'plain',
      amount: '10',
      as,
    } as const
    const refused = await node(0)
      .api.bid(bid)
      .catch((reason: unknown) => reason)
    expect(refused).to.include({ code: 'FORBIDDEN', field: 'as' })
  })
})
