import { copyFileSync, cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { HomeMeshAdmin } from '../../services/mesh/mesh-admin.js'
import { createNode, type VendueNode } from '../../services/node/create-node.js'
import { GrenacheMeshClient } from '../../src/adapters/grenache/grenache-mesh-client.js'
import { joinRpc } from '../../src/adapters/grenache/rpc/join.js'
import { MAX_ENTRIES_PER_PAGE } from '../../src/adapters/grenache/rpc/member-schemas.js'
import { RpcClient } from '../../src/adapters/grenache/rpc-client.js'
import { tlsToMesh } from '../../src/adapters/grenache/transport/pinned-tls.js'
import { AUTHORITY_FILE, SqliteAuthorityStore } from '../../src/adapters/sqlite/sqlite-authority-store.js'
import { X509CertificateIssuer } from '../../src/adapters/system/certificate-issuer.js'
import { Ed25519Verifier } from '../../src/adapters/system/node-key.js'
import { SENDER_BUDGETS } from '../../src/application/budgets/sender-budgets.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import {
  applyMemberEntry,
  emptyMemberState,
  readMemberEntry,
  sealMemberEntry,
} from '../../src/application/members/member-log.js'
import { joinText, parseToken } from '../../src/application/members/mesh-token.js'
import type { MemberLogEntry } from '../../src/ports/members/member.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import { rejection } from '../adapters/grenache/fakes.js'
import { insiderOf } from '../support/attacked-mesh.js'
import { eventually } from '../support/eventually.js'
import { silentLogger } from '../support/silent-logger.js'
import { makeTempHome } from '../support/temp-home.js'
import { TestAuthority } from '../support/test-authority.js'
import { testSettings } from '../support/test-settings.js'

const DAY_MS = 86_400_000

describe('the members of a mesh', () => {
  const cleanups: (() => unknown)[] = []
  let home: string
  let elsewhere: string
  let admin: HomeMeshAdmin

  beforeEach(() => {
    const [first, second] = [makeTempHome(), makeTempHome()]
    home = first.home
    elsewhere = second.home
    cleanups.push(first.remove, second.remove)
    admin = new HomeMeshAdmin({ home })
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  async function start(
    at: string,
    name: string,
    options: Partial<Parameters<typeof createNode>[1]> = {},
  ): Promise<VendueNode> {
    const node = createNode(testSettings({ home: at, name }), { logger: silentLogger, ...options })
    await node.start()
    cleanups.push(() => node.stop())
    return node
  }

  const token = async (options: { role?: 'node' | 'replica'; uses?: number; lifeMs?: number } = {}) =>
    (await admin.invite('test', { role: 'node', uses: 1, lifeMs: DAY_MS, addresses: [], ...options })).token

  const joinAs = (name: string, text: string) =>
    new HomeMeshAdmin({ home: elsewhere }).join(text, {
      dataDir: testSettings({ home: elsewhere, name }).dataDir,
      name,
      addresses: [],
    })

  /** Backs the authority up; the answer puts it back as it was. */
  const backUp = () => {
    const file = join(home, 'meshes', 'test', 'authority.db')
    const backup = join(home, 'authority.backup')
    const db = new Database(file)
    db.prepare('VACUUM INTO ?').run(backup)
    db.close()
    return () => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
      copyFileSync(backup, file)
    }
  }

  const sees = (node: VendueNode, other: VendueNode) =>
    eventually(`${node.info.name} sees ${other.info.name}`, async () => {
      return (await node.api.peers()).some(({ nodeId, state }) => nodeId === other.info.nodeId && state === 'alive')
    })

  async function startJoined(name: string, via: VendueNode, text: string): Promise<VendueNode> {
    await joinAs(name, text)
    const settings = testSettings({ home: elsewhere, name, bootstrap: [via.info.dhtAddress ?? ''] })
    const node = createNode(settings, { logger: silentLogger })
    await node.start()
    cleanups.push(() => node.stop())
    return node
  }

  it('come in with a token, trade, and are out everywhere within 10 s of being revoked, for good', async () => {
    const founder = await start(home, 'founder')
    const second = await start(home, 'second')
    const guest = await startJoined('guest', founder, await token())
    await Promise.all([sees(founder, guest), sees(second, guest), sees(guest, second)])
    const opened = await guest.api.open({
      commandId: 'cmd_opened01',
      title: 'Lot',
      currency: 'EUR',
      start: '1',
    })
    const { auctionId } = opened.outcome
    await eventually('the auction is known', () => second.api.show({ auction: auctionId }))
    const bid = { auction: auctionId, commandId: 'bid_first0001', kind: 'plain', amount: '2' } as const
    expect((await second.api.bid(bid)).outcome.status).to.equal('accepted')

    const startedAt = performance.now()
    expect((await admin.revoke('test', 'guest')).nodeId).to.equal(guest.info.nodeId)
    for (const node of [founder, second]) {
      await eventually(`${node.info.name} has put it out`, async () => {
        return (await node.api.peers()).every(({ nodeId }) => nodeId !== guest.info.nodeId)
      })
    }
    expect(performance.now() - startedAt).to.be.below(10_000)
    await eventually('it sees nobody any more', async () =>
      (await guest.api.peers()).every(({ state }) => state !== 'alive'),
    )
    await founder.stop()
    const again = await start(home, 'founder')
    await sees(again, second)
    await eventually('the guest has knocked and was refused', () => (again.handshakes?.refused ?? 0) > 0)
    expect((await again.api.peers()).map(({ nodeId }) => nodeId)).to.not.include(guest.info.nodeId)
    expect((await rejection(joinAs('guest', await token()), NodeError)).code).to.equal('MEMBER_REVOKED')
  })

  it('cannot be let in twice with a token for one, nor with one that is old, unknown or of another authority', async () => {
    await start(home, 'founder')
    const once = await token()
    expect(await joinAs('one', once)).to.include({ role: 'node', meshName: 'test' })
    expect(await joinAs('one', once), 'the same node may ask again').to.include({ role: 'node' })
    expect((await rejection(joinAs('two', once), NodeError)).code).to.equal('TOKEN_USED')
    const old = await token({ lifeMs: 1 })
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect((await rejection(joinAs('two', old), NodeError)).code).to.equal('TOKEN_EXPIRED')
    const change = (key: string, value: string) => {
      const json = JSON.parse(Buffer.from(once.slice(8), 'base64url').toString()) as object
      return `vendue1.${Buffer.from(JSON.stringify({ ...json, [key]: value })).toString('base64url')}`
    }
    const unknown = await rejection(joinAs('two', change('s', 'A'.repeat(43))), NodeError)
    expect(unknown.code).to.equal('TOKEN_UNKNOWN')
    const forged = await rejection(joinAs('two', change('c', 'A'.repeat(43))), NodeError)
    expect(forged.code).to.equal('CA_MISMATCH')
    expect((await rejection(joinAs('two', once.slice(0, 40)), NodeError)).code).to.equal('TOKEN_MALFORMED')
  })

  it('are put out by a restored authority too, which catches up with the copies of this machine first', async () => {
    const founder = await start(home, 'founder')
    const guest = await startJoined('guest', founder, await token())
    const restore = backUp()
    // What the backup lacks.
    await startJoined('other', founder, await token())
    await founder.stop()
    restore()
    const early = await admin.revoke('test', 'guest')
    expect(early, 'nobody runs that could tell the others').to.include({
      nodeId: guest.info.nodeId,
      isHeard: false,
    })
    const again = createNode(testSettings({ home, name: 'founder', bootstrap: [guest.info.dhtAddress ?? ''] }), {
      logger: silentLogger,
    })
    await again.start()
    cleanups.push(() => again.stop())
    await eventually('the guest sees nobody any more', async () =>
      (await guest.api.peers()).every(({ state }) => state !== 'alive'),
    )
    expect((await again.api.status()).mesh).to.deep.include({ members: 2, conflict: null })
    expect(await admin.revoke('test', 'other')).to.include({ isHeard: true })
  })

  it('raise an alarm when the authority has gone on from an old backup, and the command fails', async () => {
    const founder = await start(home, 'founder')
    const guest = await startJoined('guest', founder, await token())
    await sees(guest, founder)
    const restore = backUp()
    const other = await startJoined('other', founder, await token())
    await eventually('the guest has heard', async () => (await guest.api.status()).mesh.members === 3)
    await founder.stop()
    restore()
    // Its own copy is as old as the backup: nothing here contradicts it.
    const { dataDir } = testSettings({ home, name: 'founder' })
    rmSync(dataDir, { recursive: true })
    await admin.revoke('test', 'founder')
    const again = createNode(testSettings({ home, name: 'founder', bootstrap: [guest.info.dhtAddress ?? ''] }), {
      logger: silentLogger,
    })
    await again.start()
    cleanups.push(() => again.stop())
    await eventually('both sides raise the alarm', async () => {
      const sides = await Promise.all([guest, again].map(async ({ api }) => (await api.status()).mesh.conflict))
      return sides.every((conflict) => conflict?.seq === 4)
    })
    expect((await guest.api.peers()).map(({ nodeId }) => nodeId)).to.include(other.info.nodeId)
    // A copy of this machine that knows the other history stands in the way of any further command.
    cpSync(testSettings({ home: elsewhere, name: 'guest' }).dataDir, join(home, 'nodes', 'copied'), {
      recursive: true,
    })
    rmSync(join(home, 'nodes', 'copied', 'node.json'), { force: true })
    for (const command of [() => admin.revoke('test', 'guest'), () => admin.rotateCa('test'), () => token()])
      expect((await rejection(command(), NodeError)).code).to.equal('MEMBER_LOG_CONFLICT')
  })

  /** Writes members into the authority's log, as if they had joined. */
  async function fillLog(entries: number): Promise<void> {
    const store = SqliteAuthorityStore.open(join(home, 'meshes', 'test', AUTHORITY_FILE))
    cleanups.push(() => store.close())
    const verifier = new Ed25519Verifier()
    const { publicKey } = await (await TestAuthority.create()).member()
    store.transact((records) => {
      const ca = records.cas().at(-1)
      if (!ca) throw new Error('there is no authority')
      const signer = new X509CertificateIssuer().signer(ca)
      const log = records.entries(1)
      const { meshId } = readMemberEntry(log[0] as MemberLogEntry)
      let state = emptyMemberState(meshId)
      for (const entry of log) state = applyMemberEntry(state, entry, verifier)
      for (let i = 0; i < entries; i++) {
        const member = { nodeId: nodeIdOf(publicKey), publicKey, name: 'many', role: 'node' } as const
        const addresses = Array.from({ length: 8 }, (_, j) => `${'host'.repeat(50)}${i}-${j}.example:7000`)
        const event = { type: 'MemberAdded', ...member, addresses } as const
        const entry = sealMemberEntry(state, event, { at: Date.now(), signer })
        state = applyMemberEntry(state, entry, verifier)
        records.append(state.seq, entry)
      }
    })
  }

  it('come in however long the list of members is, since it comes in pages', async () => {
    const founder = await start(home, 'founder')
    await fillLog(2 * MAX_ENTRIES_PER_PAGE + 10)
    expect((await joinAs('guest', await token())).members).to.equal(3)
    const { signer } = insiderOf(testSettings({ home: elsewhere, name: 'guest' }).dataDir)
    const { secret, meshId, caFingerprint } = parseToken(await token())
    const nodeId = nodeIdOf(signer.publicKey)
    const signature = signer.sign(joinText({ meshId, nodeId, secret }))
    const request = { secret, publicKey: signer.publicKey, name: 'guest', addresses: [], signature }
    const rpcClient = new RpcClient({ tls: tlsToMesh({ meshId, caFingerprint }) })
    cleanups.push(() => rpcClient.stop())
    const answer = await rpcClient.call(founder.info.address, joinRpc, request, { timeoutMs: 5_000 })
    expect(answer.log).to.have.lengthOf(MAX_ENTRIES_PER_PAGE)
    expect(answer.version).to.be.above(2 * MAX_ENTRIES_PER_PAGE)
  })

  it('who move all the time make no more than a few entries, and stay members', async () => {
    const founder = await start(home, 'founder')
    const mallory = await joinAs('mallory', await token())
    const { tls } = insiderOf(testSettings({ home: elsewhere, name: 'mallory' }).dataDir)
    const rpcClient = new RpcClient({ tls })
    cleanups.push(() => rpcClient.stop())
    const client = new GrenacheMeshClient({ rpcClient })
    const versionOf = async () => (await client.pullMembers(founder.info.address, 0)).version
    const before = await versionOf()
    const codes = new Set<string>()
    for (let i = 0; i < 60; i++)
      await client.renew(founder.info.address, [`192.0.2.9:${1_000 + i}`]).then(
        () => codes.add('ok'),
        (error: { code: string }) => codes.add(error.code),
      )
    expect([...codes]).to.have.members(['ok', 'BUSY'])
    // That it joined is an entry as well.
    expect((await versionOf()) - before).to.equal(SENDER_BUDGETS['member-entries'].limit - 1)
    const { budgets } = await founder.api.status()
    for (const name of ['member-entries', 'certificates'] as const) {
      const budget = budgets.find((one) => one.name === name)
      expect(budget?.fullest?.sender, name).to.equal(mallory.nodeId)
      expect(budget?.refused, name).to.be.above(0)
    }
    const guest = await startJoined('guest', founder, await token())
    await sees(founder, guest)
  })

  it('start in the mesh alone that their auctions are of', async () => {
    const node = await start(home, 'mover')
    await node.api.open({ commandId: 'cmd_opened01', title: 'Lot', currency: 'EUR', start: '1' })
    await node.stop()
    const elsewhere = { ...testSettings({ home, name: 'mover' }), mesh: 'another', meshNamed: true }
    const moved = createNode(elsewhere, { logger: silentLogger })
    const error = await rejection(moved.start(), NodeError)
    expect(error.code).to.equal('OTHER_MESH')
    expect(error.message).to.match(/are of the mesh mesh_.*and "another" is mesh_/)
    await start(home, 'mover')
  })

  it('may only read where they are replicas', async () => {
    const founder = await start(home, 'founder')
    const replica = await startJoined('replica', founder, await token({ role: 'replica' }))
    await sees(replica, founder)
    const opening = { commandId: 'cmd_opened01', title: 'Lot', currency: 'EUR', start: '1' }
    const refused = await rejection(replica.api.open(opening), NodeError)
    expect(refused).to.include({ code: 'FORBIDDEN' })
    expect(refused.message).to.include('role replica').and.to.include('role node')
    const { outcome } = await founder.api.open(opening)
    const { auctionId } = outcome
    await eventually('it holds the copy', () => replica.api.show({ auction: auctionId }))
    const moved = founder.api.handover({ auction: auctionId, peer: 'replica' })
    expect((await rejection(moved, NodeError)).code).to.equal('FORBIDDEN')
    expect((await founder.api.show({ auction: auctionId })).state.home.nodeId).to.equal(founder.info.nodeId)
  })

  it('renew their certificates before they end, and a new authority takes over, with no call dropped', async () => {
    // Renewed after a third of that: the rest is for machines that are slow.
    const founder = await start(home, 'founder', { certificateMs: 15_000 })
    const second = await start(home, 'second', { certificateMs: 15_000 })
    await sees(second, founder)
    const certificateOf = (name: string) => insiderOf(testSettings({ home, name }).dataDir).certificate
    const certificates = new Set([certificateOf('second')])
    const { outcome } = await founder.api.open({
      commandId: 'cmd_opened01',
      title: 'Lot',
      currency: 'EUR',
      start: '1',
    })
    await eventually('the auction is known', () => second.api.show({ auction: outcome.auctionId }))
    const LEAST_CALLS = 120
    let calls = 0
    // The first, one of the new authority, and one more in time.
    for (; calls < LEAST_CALLS || certificates.size < 3; calls++) {
      if (calls === 20) await admin.rotateCa('test')
      if (calls % 10 === 0) certificates.add(certificateOf('second'))
      const commandId = `bid_renew${String(calls).padStart(5, '0')}`
      const { outcome: answer } = await second.api.buyNow({ auction: outcome.auctionId, commandId })
      expect(answer).to.include({ status: 'rejected' })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    // For each certificate some connections of each kind, and not a handshake for each call.
    const { accepted, refused } = founder.handshakes ?? { accepted: 0, refused: -1 }
    expect(accepted).to.be.within(2, calls / 3)
    expect(refused).to.equal(0)
  })
})
