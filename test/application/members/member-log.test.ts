import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openAuthority } from '../../../services/mesh/open-authority.js'
import { X509CertificateIssuer } from '../../../src/adapters/system/certificate-issuer.js'
import { issuerFactsOf, NodeCertificateReader } from '../../../src/adapters/system/certificate-reader.js'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { systemClock } from '../../../src/adapters/system/system-clock.js'
import type { Authority } from '../../../src/application/members/authority.js'
import { MemberList } from '../../../src/application/members/member-list.js'
import {
  applyMemberEntry,
  emptyMemberState,
  MemberLogError,
  type MemberState,
  sealMemberEntry,
} from '../../../src/application/members/member-log.js'
import { PeerGate } from '../../../src/application/members/peer-gate.js'
import type { Member, MemberEvent, MemberLogEntry } from '../../../src/ports/members/member.js'
import { makeTempDir } from '../../support/temp-dir.js'
import { TestAuthority } from '../../support/test-authority.js'

const verifier = new Ed25519Verifier()
const issuer = new X509CertificateIssuer()

describe('the member log', () => {
  let real: TestAuthority
  let founded: MemberState
  let member: Member

  const sealBy = (by: TestAuthority, state: MemberState, event: MemberEvent): MemberLogEntry =>
    sealMemberEntry(state, event, { at: 1, signer: issuer.signer(by.ca) })
  const founding = (by: TestAuthority): MemberEvent => {
    const { publicKey, certificate } = by.ca
    return { type: 'MeshFounded', name: 'test', ca: { publicKey, certificate } }
  }
  const refusal = (state: MemberState, entry: MemberLogEntry): string => {
    try {
      applyMemberEntry(state, entry, verifier)
    } catch (error) {
      if (error instanceof MemberLogError) return error.message
      throw error
    }
    return 'taken'
  }

  beforeEach(async () => {
    real = await TestAuthority.create()
    const empty = emptyMemberState(real.meshId)
    founded = applyMemberEntry(empty, sealBy(real, empty, founding(real)), verifier)
    const { nodeId, publicKey } = await real.member()
    member = { nodeId, publicKey, name: 'ann', role: 'node', addresses: [] }
  })

  it('takes no entry of anybody but an authority that it trusts by then', async () => {
    const other = await TestAuthority.create()
    const adding: MemberEvent = { type: 'MemberAdded', ...member }
    expect(refusal(founded, sealBy(other, founded, adding))).to.include('not signed by an authority')
    const { publicKey, certificate } = other.ca
    const rotating: MemberEvent = { type: 'CaRotated', ca: { publicKey, certificate } }
    expect(refusal(founded, sealBy(other, founded, rotating)), 'itself').to.include(
      'not signed by an authority',
    )
    const rotated = applyMemberEntry(founded, sealBy(real, founded, rotating), verifier)
    const retired = applyMemberEntry(
      ...[rotated, sealBy(other, rotated, { type: 'CaRetired', publicKey: real.ca.publicKey }), verifier],
    )
    expect(refusal(retired, sealBy(other, retired, adding))).to.equal('taken')
    expect(refusal(retired, sealBy(real, retired, adding)), 'one that is retired').to.include('not signed')
  })

  it('is founded by the authority that its id names, once, and goes on without gap, turn or change', async () => {
    const other = await TestAuthority.create()
    const empty = emptyMemberState(real.meshId)
    expect(refusal(empty, sealBy(other, empty, founding(other)))).to.include('not founded by this authority')
    expect(refusal(founded, sealBy(real, founded, founding(real)))).to.include('founded once')
    const added = sealBy(real, founded, { type: 'MemberAdded', ...member })
    const after = applyMemberEntry(founded, added, verifier)
    expect(refusal(after, added), 'twice').to.include('does not follow')
    expect(refusal(empty, added), 'a gap').to.include('does not follow')
    const changed = { ...added, body: added.body.replace('"node"', '"operator"') }
    expect(refusal(founded, changed)).to.include('does not have its hash')
    const elsewhere = emptyMemberState(other.meshId)
    expect(refusal(elsewhere, sealBy(real, founded, founding(real)))).to.include('another mesh')
  })

  it('lets nobody back in who was put out, and keeps an authority', () => {
    const revoking: MemberEvent = { type: 'MemberRevoked', nodeId: member.nodeId }
    const revoked = applyMemberEntry(founded, sealBy(real, founded, revoking), verifier)
    expect(refusal(revoked, sealBy(real, revoked, { type: 'MemberAdded', ...member }))).to.not.equal('taken')
    const retiring: MemberEvent = { type: 'CaRetired', publicKey: real.ca.publicKey }
    expect(refusal(founded, sealBy(real, founded, retiring))).to.include('keeps an authority')
  })
})

describe('the authority of a mesh', function () {
  this.timeout(30_000)

  const { path, remove } = makeTempDir()
  const closes: (() => void)[] = []
  after(() => {
    for (const close of closes) close()
    remove()
  })

  async function open(mesh: string): Promise<Authority> {
    const opened = await openAuthority(path, mesh, { found: true })
    if (!opened) throw new Error('it should have been founded')
    closes.push(opened.close)
    return opened.authority
  }

  it('is founded once, by one of several processes that find no mesh there, in a file for its user alone', async () => {
    const module = new URL('../../../services/mesh/open-authority.js', import.meta.url).href
    const script = `
      import { openAuthority } from ${JSON.stringify(module)}
      const opened = await openAuthority(process.argv[1], 'crowd', { found: true })
      process.stdout.write(opened.authority.meshId + ' ' + opened.authority.state().seq)
      opened.close()`
    mkdirSync(path, { recursive: true })
    const found = () =>
      new Promise<string>((resolve, reject) => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', script, path])
        let out = ''
        let err = ''
        child.stdout.on('data', (chunk: Buffer) => {
          out += chunk.toString()
        })
        child.stderr.on('data', (chunk: Buffer) => {
          err += chunk.toString()
        })
        child.on('error', reject)
        child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(err))))
      })
    const meshes = await Promise.all(Array.from({ length: 5 }, found))
    expect(new Set(meshes).size, meshes.join(', ')).to.equal(1)
    expect(meshes[0]).to.match(/^mesh_\S+ 1$/)
    const dir = join(path, 'crowd')
    expect(statSync(dir).mode & 0o777).to.equal(0o700)
    for (const name of ['authority.db', 'authority.db-wal', 'authority.db-shm']) {
      const mode = statSync(join(dir, name), { throwIfNoEntry: false })?.mode
      if (name === 'authority.db' || mode !== undefined) expect((mode ?? 0) & 0o777, name).to.equal(0o600)
    }
  })

  it('lets a node in again that slept through two changes of the authority', async () => {
    const authority = await open('rotating')
    const { meshId } = authority
    const sleeper = await (await TestAuthority.create()).member()
    const { nodeId, publicKey } = sleeper
    const answer = await authority.enrol({ nodeId, publicKey, name: 'sleeper', role: 'node', addresses: [] })
    // It hears of nothing from here on.
    const asleep = listOf(meshId, answer.log)
    const facts = (certificate: string) => {
      const read = new NodeCertificateReader().read(certificate)
      if (!read) throw new Error('no certificate')
      return read
    }
    await authority.rotateCa()
    await authority.rotateCa()
    const other = await (await TestAuthority.create()).member()
    const fresh = await authority.enrol({
      ...{ nodeId: other.nodeId, publicKey: other.publicKey, name: 'fresh', role: 'node', addresses: [] },
    })
    const awake = listOf(meshId, fresh.log)
    const gate = (memberList: MemberList) => new PeerGate({ clock: systemClock, memberList })
    expect(gate(awake).admit(facts(answer.certificate)).ok, 'others take the old certificate').to.equal(true)
    expect(gate(asleep).admit(facts(fresh.certificate)).ok, 'alone, the new one says nothing to it').to.equal(
      false,
    )
    const chain = [...awake.cas].reverse().map(({ certificate }) => certificate)
    const issuers = chain.flatMap((certificate) => issuerFactsOf(new X509Certificate(certificate)) ?? [])
    expect(
      gate(asleep).admit(facts(fresh.certificate), issuers).ok,
      'with those in between it does',
    ).to.equal(true)
    asleep.add(fresh.log)
    expect(asleep.version).to.equal(awake.version)
    const renewed = await authority.renew(nodeId, [])
    expect(gate(awake).admit(facts(renewed.certificate)).ok).to.equal(true)
  })

  it('gives certificates to nobody who is put out, and forgets keys that sign no more', async () => {
    const authority = await open('strict')
    const { nodeId, publicKey } = await (await TestAuthority.create()).member()
    const member: Member = { nodeId, publicKey, name: 'ann', role: 'node', addresses: [] }
    await authority.enrol(member)
    await authority.rotateCa()
    expect(authority.state().cas, 'the old one is needed').to.have.lengthOf(2)
    authority.revoke(nodeId)
    expect(authority.state().cas, 'by nobody any more').to.have.lengthOf(1)
    for (const again of [() => authority.enrol(member), () => authority.renew(nodeId, [])]) {
      const code = await again().then(
        () => 'let in',
        (error: { code: string }) => error.code,
      )
      expect(code).to.equal('MEMBER_REVOKED')
    }
  })
})

function listOf(meshId: string, log: readonly MemberLogEntry[]): MemberList {
  const list = new MemberList({ repository: { log: () => [], append: () => {} }, verifier }, { meshId })
  list.add(log)
  return list
}
