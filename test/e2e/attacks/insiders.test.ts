import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadNodeKey } from '../../../src/adapters/system/node-key.js'
import { signParcel } from '../../../src/application/handover/handover-parcel.js'
import { type CommitParts, sealCommit } from '../../../src/application/log/commit.js'
import { nodeIdOf } from '../../../src/application/log/ids.js'
import { exportLines } from '../../../src/application/proof/read-log.js'
import { commandDigest, signMandates, submittedMandates } from '../../../src/application/submissions/mandate.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { AuctionEvent } from '../../../src/domain/events.js'
import type { RemoteCommand } from '../../../src/domain/remote-command.js'
import type { Signer } from '../../../src/ports/system/signer.js'
import { callRaw } from '../../adapters/grenache/fakes.js'
import { AttackedMesh, type Insider, infoOf, openAuction, portOf, say } from '../../support/attacked-mesh.js'
import { committed } from '../../support/bidding-nodes.js'
import { eventually } from '../../support/eventually.js'
import { OTHER_MESH } from '../../support/memory-members.js'
import { vendue } from '../../support/node-process.js'
import { sealUnchecked } from '../../support/unreadable-commit.js'

type Bid = Extract<RemoteCommand, { type: 'PlaceBid'; kind: 'plain' }>

describe('members who cheat real nodes', () => {
  let mesh: AttackedMesh
  let mallory: Insider
  let victim: { id: string; name: string; signer: Signer }
  let meshId: string
  before(async () => {
    mesh = await AttackedMesh.start(['anna', 'ben'])
    mallory = await mesh.join('mallory')
    meshId = (await mesh.node(0).api.status()).mesh.meshId
    // What ben signs is made here with ben's own key, as if it had been overheard.
    const ben = await infoOf(mesh.node(1))
    victim = { id: ben.nodeId, name: ben.name, signer: loadNodeKey(mesh.node(1).dataDir) }
  })
  after(() => mesh.stop())

  let ids = 0
  const newId = (kind: string) => `${kind}_attack${String(++ids).padStart(6, '0')}`
  const bidOf = (auctionId: string, bidder: { id: string; name: string }, amount = 1_000): Bid => ({
    type: 'PlaceBid',
    auctionId,
    commandId: newId('bid'),
    kind: 'plain',
    amount,
    bidder: { id: bidder.id, name: bidder.name },
  })
  const mandatesOf = (commands: RemoteCommand[], signer: Signer) =>
    submittedMandates(signMandates(commands, signer, Date.now()))

  /** What anna, the home, answers: the error's code, or what became of each command. */
  async function submit(commands: RemoteCommand[], mandates: unknown, as: Insider): Promise<string> {
    const port = await portOf(mesh.node(0))
    const answer = (await callRaw(port, 'vendue.submit', { params: { commands, mandates } }, as.tls)) as {
      ok: boolean
      error?: { code: string }
      result?: { results: { outcome?: { status: string; rejection?: { code: string } }; code?: string }[] }
    }
    if (!answer.ok) return answer.error?.code ?? ''
    const results = answer.result?.results ?? []
    return results.map(({ outcome, code }) => outcome?.rejection?.code ?? outcome?.status ?? code ?? '').join(' ')
  }

  describe('as a bidder', () => {
    it('cannot bid as another: not with a mandate of his own, nor with one of theirs, overheard', async () => {
      const auction = await openAuction(mesh.node(0))
      const bid = bidOf(auction, victim)
      expect(await submit([bid], mandatesOf([bid], mallory.signer), mallory)).to.equal('FORBIDDEN')
      expect(await submit([bid], mandatesOf([bid], victim.signer), mallory)).to.equal('FORBIDDEN')
      expect(await submit([bid], [], mallory)).to.equal('FORBIDDEN')
      expect((await mesh.node(0).api.show({ auction })).state.bidCount).to.equal(0)
    })

    it('gets the first answer for a bid sent again, and nothing for its mandate under another bid', async () => {
      const [auction, other] = [await openAuction(mesh.node(0)), await openAuction(mesh.node(0))]
      const bid = bidOf(auction, { id: mallory.nodeId, name: 'mallory' })
      const mandates = mandatesOf([bid], mallory.signer)
      for (let i = 0; i < 3; i++) expect(await submit([bid], mandates, mallory)).to.equal('accepted')
      expect((await mesh.node(0).api.show({ auction })).state.bidCount).to.equal(1)
      const elsewhere = { ...bid, auctionId: other }
      const moved = mandates.map((mandate) => ({ ...mandate, auctionId: other }))
      expect(await submit([elsewhere], moved, mallory)).to.equal('FORBIDDEN')
      expect(await submit([{ ...bid, amount: 5_000 }], mandates, mallory)).to.equal('FORBIDDEN')
      const account = { ...bidOf(auction, { id: 'acc_carla', name: 'Carla' }, 2_000) }
      const vouched = mandatesOf([account], victim.signer)
      const replays = await Promise.all([1, 2].map(() => submit([account], vouched, mallory)))
      expect(replays, "a gateway's bid, overheard, counts once").to.deep.equal(['accepted', 'accepted'])
      expect((await mesh.node(0).api.show({ auction })).state.bidCount).to.equal(2)
    })

    it('cannot take the id of a bid that stands', async () => {
      const auction = await openAuction(mesh.node(0))
      await eventually('ben knows it', () => mesh.node(1).api.show({ auction }))
      const { outcome } = await mesh.node(1).api.bid({
        auction,
        commandId: newId('bid'),
        kind: 'plain',
        amount: '11',
      })
      const bid = {
        ...bidOf(auction, { id: mallory.nodeId, name: 'mallory' }, 9_900),
        commandId: outcome.commandId,
      }
      expect(await submit([bid], mandatesOf([bid], mallory.signer), mallory)).to.equal('COMMAND_ID_REUSED')
      expect((await mesh.node(0).api.show({ auction })).state.leader?.id).to.equal(victim.id)
    })

    it("cannot close another's auction, be the seller a node or an account of another gateway", async () => {
      const auction = await openAuction(mesh.node(0))
      const anna = await infoOf(mesh.node(0))
      const byAnna = { type: 'CloseAuction', auctionId: auction, commandId: newId('cmd') } as const
      const asAnna: RemoteCommand = { ...byAnna, by: { id: anna.nodeId, name: 'anna' } }
      expect(await submit([asAnna], mandatesOf([asAnna], mallory.signer), mallory)).to.equal('FORBIDDEN')
      const asSelf: RemoteCommand = { ...byAnna, by: { id: mallory.nodeId, name: 'mallory' } }
      expect(await submit([asSelf], mandatesOf([asSelf], mallory.signer), mallory)).to.equal('NOT_SELLER')
      expect((await mesh.node(0).api.show({ auction })).state.status).to.equal('open')

      const sue = { id: 'usr_sue', name: 'Sue' }
      const hers = await openAuction(mesh.node(0), { as: sue })
      const closing = { type: 'CloseAuction', auctionId: hers, by: sue } as const
      const forged = { ...closing, commandId: newId('cmd') }
      expect(await submit([forged], mandatesOf([forged], mallory.signer), mallory)).to.equal('NOT_SELLER')
      const closed = await mesh.node(0).api.close({ auction: hers, commandId: newId('cmd'), as: sue })
      expect(closed.outcome.status).to.equal('accepted')
    })
  })

  describe('as a home', () => {
    const terms = {
      title: 'Bait',
      description: '',
      currency: { code: 'EUR', exponent: 2 },
      startPrice: 1_000,
      increments: [{ from: 0, step: 100 }],
      reserveCommitment: null,
      buyNow: null,
      opensAt: null,
      closesAt: null,
      softClose: null,
      bidderNames: 'public',
      givesTimeBack: true,
      pictures: [],
    }
    const facts = () => ({
      seller: { id: mallory.nodeId, name: 'mallory' },
      openedBy: mallory.nodeId,
      keptByCluster: false,
    })
    const seal = (parts: CommitParts) => sealCommit(parts, mallory.signer)
    const open = (overrides: object = {}): Commit =>
      seal({
        auctionId: null,
        firstSeq: 1,
        prevHash: null,
        events: [
          {
            type: 'AuctionOpened',
            at: Date.now(),
            commandId: newId('cmd'),
            meshId,
            terms,
            seller: { id: mallory.nodeId, name: 'mallory' },
            home: { nodeId: mallory.nodeId, publicKey: mallory.signer.publicKey },
            cluster: null,
            ...overrides,
          } as AuctionEvent,
        ],
      })
    const placed = (bid: Bid): AuctionEvent => ({
      type: 'BidPlaced',
      at: Date.now() + 1,
      bidId: bid.commandId,
      bidder: bid.bidder,
      amount: bid.amount,
      commitment: null,
      price: bid.amount,
      leads: true,
      reserveMet: true,
    })
    const second = ({ auctionId, hash: prevHash }: Commit, parts: Pick<CommitParts, 'events' | 'mandates'>) =>
      seal({ auctionId, firstSeq: 2, prevHash, ...parts })
    const push = (i: number, ...commits: Commit[]) =>
      say(mesh.node(i), 'vendue.push-commits', { from: mallory.nodeId, commits }, mallory.tls)
    const seqAt = async (i: number, auction: string) => (await mesh.node(i).api.show({ auction })).head.seq

    it('finds no believer for a bid that nobody made: replicas refuse it, and verify says MANDATE', async () => {
      const opening = open()
      const { auctionId } = opening
      expect(await push(0, opening)).to.equal('ok')
      expect(await seqAt(0, auctionId)).to.equal(1)
      const bid = bidOf(auctionId, victim)
      const dearer: Bid = { ...bid, amount: 2_000 }
      const elsewhere = bidOf(open().auctionId, victim)
      const told = (event: AuctionEvent, commands: RemoteCommand[], signer: Signer, at = commands) => {
        const mandate = [...signMandates(commands, signer, Date.now()).values()][0]
        if (!mandate) throw new Error('there is no mandate')
        const mandates = [committed(auctionId, { ...mandate, digests: at.map(commandDigest) }, [event], facts())]
        return { events: [event], mandates }
      }
      const moved = { ...elsewhere, auctionId }
      const inventions: [string, Pick<CommitParts, 'events' | 'mandates'>][] = [
        ['with no mandate', { events: [placed(bid)] }],
        ["with the home's own mandate", told(placed(bid), [bid], mallory.signer)],
        ['dearer than it was mandated', told(placed(dearer), [bid], victim.signer)],
        ['dearer, the mandate made to fit', told(placed(dearer), [bid], victim.signer, [dearer])],
        ['mandated at another auction', told(placed(moved), [elsewhere], victim.signer, [moved])],
      ]
      for (const [what, parts] of inventions) {
        const { refused } = (await mesh.node(0).api.status()).sync
        const commit = second(opening, parts)
        await push(0, commit)
        expect(await seqAt(0, auctionId), what).to.equal(1)
        expect((await mesh.node(0).api.status()).sync.refused, what).to.be.above(refused)
        const file = join(mesh.elsewhere, 'invented.vendue')
        let text = ''
        for await (const line of exportLines(listOf(opening, commit))) text += line
        writeFileSync(file, text)
        const run = await vendue(mesh.home, ['verify', file])
        expect(run.code, what).to.equal(1)
        expect(run.stdout + run.stderr, what).to.include('(MANDATE)')
      }
      const true_ = second(opening, told(placed(bid), [bid], victim.signer))
      await push(0, true_)
      expect(await seqAt(0, auctionId), 'a bid that was made is taken').to.equal(2)
    })

    it('opens no auction in the name of another node, with a key that is no member, or from another mesh', async () => {
      const { publicKey } = generateKeyPairSync('ed25519')
      const key = publicKey.export({ format: 'jwk' }).x ?? ''
      const openings: [string, object][] = [
        ['in the name of ben', { seller: { id: victim.id, name: victim.name } }],
        ['with a key of nobody', { home: { nodeId: nodeIdOf(key), publicKey: key } }],
        ['of another mesh', { meshId: OTHER_MESH }],
      ]
      for (const [what, overrides] of openings) {
        const opening = open(overrides)
        await push(1, opening)
        const error = await mesh
          .node(1)
          .api.show({ auction: opening.auctionId })
          .catch((reason: unknown) => reason)
        expect(error, what).to.include({ code: 'AUCTION_NOT_FOUND' })
      }
    })

    it('stands first in no list, and hides nothing, by dating what it opens ahead', async () => {
      const opened = await openAuction(mesh.node(1))
      for (const at of [Date.now() + 3_600_000, 253_402_300_799_999, 8.64e15, 9e15]) {
        const opening = JSON.parse(open().body)
        opening.events[0].at = at
        const commit = sealUnchecked(opening, mallory.signer)
        await push(1, commit)
        const error = await mesh
          .node(1)
          .api.show({ auction: commit.auctionId })
          .catch((reason: unknown) => reason)
        expect(error, String(at)).to.include({ code: 'AUCTION_NOT_FOUND' })
      }
      const { stdout, code } = await vendue(mesh.home, ['list', '--all', '--name', 'ben'])
      expect(code).to.equal(0)
      expect(stdout).to.contain(opened.slice(0, 8))
    })

    it('is found out when it gives two nodes two histories: everybody gets the proof', async () => {
      const opening = open()
      const { auctionId } = opening
      const [first, other] = [1_000, 1_100].map((amount) => {
        const bid = bidOf(auctionId, { id: mallory.nodeId, name: 'mallory' }, amount)
        return bid
      }) as [Bid, Bid]
      const accounts = [first, other].map((bid) => ({ ...bid, bidder: { id: 'acc_shill', name: 'Shill' } }))
      const [left, right] = accounts.map((bid) => {
        const events = [placed(bid)]
        const mandates = [...signMandates([bid], mallory.signer, Date.now()).values()]
        return second(opening, {
          events,
          mandates: mandates.map((mandate) => committed(auctionId, mandate, events, facts())),
        })
      }) as [Commit, Commit]
      expect(await push(0, opening, left)).to.equal('ok')
      expect(await push(1, opening, right)).to.equal('ok')
      for (const node of mesh.nodes)
        await eventually(
          `${node.options.name} knows`,
          async () => (await node.api.show({ auction: auctionId })).disputed,
        )
      expect(await mesh.node(1).api.proof({ auction: auctionId })).to.include({ auctionId })
      const file = join(mesh.elsewhere, 'proof.vendue')
      const args = ['export', auctionId, '--proof', '--out', file, '--name', 'ben']
      expect((await vendue(mesh.home, args)).code).to.equal(0)
      expect((await vendue(mesh.home, ['verify', file])).stdout).to.include('two histories')
    })

    it("cannot write on in another's auction, nor take it over by a parcel of its own making", async () => {
      const auction = await openAuction(mesh.node(0))
      await eventually('ben knows it', () => mesh.node(1).api.show({ auction }))
      const { head } = await mesh.node(1).api.show({ auction })
      const at = { auctionId: auction, firstSeq: 2, prevHash: head.hash }
      const to = { nodeId: mallory.nodeId, publicKey: mallory.signer.publicKey }
      for (const event of [
        { type: 'AuctionHandedOver', at: Date.now(), to, cluster: null, consent: 'A'.repeat(86) },
        { type: 'AuctionCancelled', at: Date.now(), commandId: 'cmd_mine', reason: 'mine now' },
      ] as AuctionEvent[])
        await push(1, seal({ ...at, events: [event] }))
      expect(await seqAt(1, auction)).to.equal(1)
      const part = { to: victim.id, outcomes: [], sealed: [], secrets: null, head: null }
      const parcel = signParcel(auction, part, mallory.signer)
      const params = { from: mallory.nodeId, parcel }
      expect(await say(mesh.node(1), 'vendue.pass-handover', params, mallory.tls)).to.equal('FORBIDDEN')
    })

    it('does not keep a node busy with auctions that it says it has, and nobody can ask it for', async () => {
      const parcel = signParcel(
        'auc_made_up',
        { to: victim.id, outcomes: [], sealed: [], secrets: null, head: null },
        mallory.signer,
      )
      const startedAt = performance.now()
      const params = { from: mallory.nodeId, parcel }
      expect(await say(mesh.node(1), 'vendue.pass-handover', params, mallory.tls)).to.equal('BUSY')
      expect(performance.now() - startedAt, 'ms').to.be.below(1_000)
      const opening = open()
      const bid = bidOf(opening.auctionId, { id: mallory.nodeId, name: 'mallory' })
      const after = seal({
        auctionId: opening.auctionId,
        firstSeq: 7,
        prevHash: opening.hash,
        events: [placed(bid)],
      })
      expect(await push(1, after)).to.equal('ok')
      await eventually('nothing is taken to be missing', async () => {
        return (await mesh.node(1).api.status()).sync.state === 'synced'
      })
    })
  })

  describe('as one who names addresses', () => {
    it('has a node dial them seldom, and send whoever is there no more than the beginning of a handshake', async () => {
      const first: Buffer[] = []
      const stranger = createServer((socket) => {
        socket.on('error', () => {})
        socket.once('data', (bytes: Buffer) => {
          first.push(bytes)
          socket.destroy()
        })
      })
      await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
      mesh.later(() => stranger.close())
      const { port } = stranger.address() as AddressInfo
      const [anna, self] = [await infoOf(mesh.node(0)), await infoOf(mesh.node(1))]
      const { publicKey } = mallory.signer
      const caller = {
        ...self,
        nodeId: mallory.nodeId,
        publicKey,
        name: 'mallory',
        address: `127.0.0.1:${port}`,
      }
      const challenge = { meshId, nonce: 'N'.repeat(32), to: anna.address, caller }
      const startedAt = performance.now()
      await eventually('it is dialled again', async () => {
        expect(await say(mesh.node(0), 'vendue.hello', challenge, mallory.tls)).to.equal('ok')
        return first.length >= 3
      })
      // An address is dialled every 500 ms at most, however often somebody names it.
      expect(first.length).to.be.at.most((performance.now() - startedAt) / 500 + 2)
      for (const bytes of first) {
        expect([...bytes.subarray(0, 2)], 'a TLS record of a handshake').to.deep.equal([22, 3])
        expect(bytes.length, 'and no other').to.equal(5 + bytes.readUInt16BE(3))
        expect(bytes[5], 'a ClientHello').to.equal(1)
        for (const secret of [anna.nodeId, anna.name, meshId, 'vendue'])
          expect(bytes.includes(secret), secret).to.equal(false)
      }
    })
  })

  describe('in a role that may not', () => {
    it('push commits, submit or hand over as a replica; give mandates as anything but an operator', async () => {
      const replica = await mesh.join('reader', { role: 'replica' })
      const gateway = await mesh.join('gate', { role: 'gateway' })
      const operator = await mesh.join('boss', { role: 'operator' })
      const roles = { replica, gateway, operator, node: mallory }
      const refused: [string, (keyof typeof roles)[]][] = [
        ['vendue.push-commits', ['replica', 'operator']],
        ['vendue.pass-handover', ['replica', 'operator']],
        ['vendue.submit', ['replica', 'operator']],
        ['vendue.ping', ['operator']],
        ['vendue.node.status', ['replica', 'gateway', 'node']],
        ['vendue.node.stop', ['replica', 'gateway', 'node']],
        ['vendue.node.open', ['replica', 'gateway', 'node']],
      ]
      for (const [rpc, who] of refused)
        for (const role of who)
          expect(await say(mesh.node(0), rpc, null, roles[role].tls), `${role} ${rpc}`).to.equal('FORBIDDEN')
      expect(await say(mesh.node(0), 'vendue.node.status', {}, operator.tls)).to.equal('ok')
    })

    it('speak for others in what they may call', async () => {
      const { tls } = mallory
      const word = {
        nodeId: victim.id,
        address: '127.0.0.1:1',
        incarnation: Date.now(),
        signature: 'A'.repeat(86),
      }
      expect(await say(mesh.node(0), 'vendue.goodbye', word, tls)).to.equal('FORBIDDEN')
      const opening = { from: victim.id, commits: [] }
      expect(await say(mesh.node(0), 'vendue.push-commits', opening, tls)).to.be.oneOf(['FORBIDDEN', 'INVALID_INPUT'])
      const rumor = { ...word, state: 'left' }
      const [anna, self] = [await infoOf(mesh.node(0)), await infoOf(mesh.node(1))]
      const caller = { ...self, nodeId: mallory.nodeId, publicKey: mallory.signer.publicKey, name: 'mallory' }
      const challenge = { meshId, nonce: 'N'.repeat(32), to: anna.address, caller }
      await say(mesh.node(0), 'vendue.ping', { challenge, rumors: [rumor] }, tls)
      const peers = await mesh.node(0).api.peers()
      expect(peers.find(({ nodeId }) => nodeId === victim.id)?.state).to.equal('alive')
    })
  })
})

async function* listOf(...commits: Commit[]): AsyncGenerator<Commit, void, undefined> {
  yield* commits
}
