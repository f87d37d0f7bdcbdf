import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { X509CertificateIssuer } from '../../../src/adapters/system/certificate-issuer.js'
import { issuerFactsOf, NodeCertificateReader } from '../../../src/adapters/system/certificate-reader.js'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { systemClock } from '../../../src/adapters/system/system-clock.js'
import { SENDER_BUDGETS } from '../../../src/application/budgets/sender-budgets.js'
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
import { authoritiesOfSuite } from '../../support/suite-authorities.js'
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
    expect(refusal(founded, sealBy(other, founded, adding))).to.include('not signed by')
    const { publicKey, certificate } = other.ca
    const rotating: MemberEvent = { type: 'CaRotated', ca: { publicKey, certificate } }
    expect(refusal(founded, sealBy(other, founded, rotating)), 'itself').to.include('not signed by')
    const rotated = applyMemberEntry(founded, sealBy(real, founded, rotating), verifier)
    const retired = applyMemberEntry(
      ...[rotated, sealBy(other, rotated, { type: 'CaRetired', publicKey: real.ca.publicKey }), verifier],
    )
    expect(refusal(retired, sealBy(other, retired, adding))).to.equal('taken')
    expect(refusal(retired, sealBy(real, retired, adding)), 'one that is retired').to.include('not signed')
  })

  it('takes nothing of an older authority after a rotation, and never retires the newest', async () => {
    const thief = real
    const next = await TestAuthority.create()
    const { publicKey, certificate } = next.ca
    const rotated = applyMemberEntry(
      founded,
      sealBy(real, founded, { type: 'CaRotated', ca: { publicKey, certificate } }),
      verifier,
    )
    const written: MemberEvent[] = [
      { type: 'MemberAdded', ...member },
      { type: 'MemberRevoked', nodeId: member.nodeId },
      { type: 'CaRotated', ca: { publicKey: thief.ca.publicKey, certificate: thief.ca.certificate } },
      { type: 'CaRetired', publicKey },
      { type: 'CaRetired', publicKey: thief.ca.publicKey },
    ]
    for (const event of written)
      expect(refusal(rotated, sealBy(thief, rotated, event)), event.type).to.include('newest authority')
    expect(refusal(rotated, sealBy(next, rotated, { type: 'CaRetired', publicKey }))).to.include('newest')
    expect(refusal(rotated, sealBy(next, rotated, { type: 'MemberAdded', ...member }))).to.equal('taken')
  })

  it('has one member of a name at a time', async () => {
    const added = applyMemberEntry(founded, sealBy(real, founded, { type: 'MemberAdded', ...member }), verifier)
    const { nodeId, publicKey } = await real.member()
    const other: MemberEvent = { type: 'MemberAdded', ...member, nodeId, publicKey }
    expect(refusal(added, sealBy(real, added, other))).to.include('another member is called ann')
    const moved: MemberEvent = { type: 'MemberAdded', ...member, addresses: ['127.0.0.1:7000'] }
    expect(refusal(added, sealBy(real, added, moved)), 'the same member again').to.equal('taken')
    const revoking: MemberEvent = { type: 'MemberRevoked', nodeId: member.nodeId }
    const revoked = applyMemberEntry(added, sealBy(real, added, revoking), verifier)
    expect(refusal(revoked, sealBy(real, revoked, other)), 'once it is free').to.equal('taken')
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

  it('says who was a member that may be a home at what time: until it was put out, or read only', () => {
    let state = founded
    const entries = [sealBy(real, emptyMemberState(real.meshId), founding(real))]
    const add = (at: number, event: MemberEvent) => {
      const entry = sealMemberEntry(state, event, { at, signer: issuer.signer(real.ca) })
      state = applyMemberEntry(state, entry, verifier)
      entries.push(entry)
    }
    const asked = (nodeId: string) => [9, 10, 29, 30, 31].map((at) => listOf(real.meshId, entries).isHomeAt(nodeId, at))
    const { nodeId } = member
    expect(asked(nodeId)).to.deep.equal([false, false, false, false, false])
    add(10, { type: 'MemberAdded', ...member })
    expect(asked(nodeId), 'a member').to.not.include(false)
    add(20, { type: 'MemberAdded', ...member, addresses: ['127.0.0.1:7000'] })
    expect(asked(nodeId), 'that has moved').to.not.include(false)
    const before = { state, entries: [...entries] }
    add(30, { type: 'MemberRevoked', nodeId })
    expect(asked(nodeId), 'put out').to.deep.equal([true, true, true, false, false])
    state = before.state
    entries.splice(0, entries.length, ...before.entries)
    add(30, { type: 'MemberAdded', ...member, role: 'replica' })
    expect(asked(nodeId), 'reads only').to.deep.equal([true, true, true, false, false])
  })

  it('lets nobody back in who was put out, and keeps an authority', () => {
    const revoking: MemberEvent = { type: 'MemberRevoked', nodeId: member.nodeId }
    const revoked = applyMemberEntry(founded, sealBy(real, founded, revoking), verifier)
    expect(refusal(revoked, sealBy(real, revoked, { type: 'MemberAdded', ...member }))).to.not.equal('taken')
    const retiring: MemberEvent = { type: 'CaRetired', publicKey: real.ca.publicKey }
    expect(refusal(founded, sealBy(real, founded, retiring))).to.include('keeps an authority')
  })
})

describe('a copy of the member log', () => {
  const sealed = async () => {
    const authority = await TestAuthority.create()
    const signer = issuer.signer(authority.ca)
    const { publicKey, certificate } = authority.ca
    const seal = (state: MemberState, event: MemberEvent, by = signer) => {
      const entry = sealMemberEntry(state, event, { at: 1, signer: by })
      return { entry, state: applyMemberEntry(state, entry, { verify: () => true }) }
    }
    const empty = emptyMemberState(authority.meshId)
    const founding = seal(empty, { type: 'MeshFounded', name: 'test', ca: { publicKey, certificate } })
    const [ann, bob] = await Promise.all(
      ['ann', 'bob'].map(async (name): Promise<Member> => {
        const { nodeId, publicKey: key } = await authority.member()
        return { nodeId, publicKey: key, name, role: 'node', addresses: [] }
      }),
    )
    const one = seal(founding.state, { type: 'MemberAdded', ...(ann as Member) })
    const other = seal(founding.state, { type: 'MemberAdded', ...(bob as Member) })
    const list = listOf(authority.meshId, [founding.entry, one.entry])
    return { authority, seal, one, other, list, ann: ann as Member, bob: bob as Member }
  }
  const conflictOf = (list: MemberList, entries: readonly MemberLogEntry[]): string => {
    try {
      list.add(entries)
      return 'none'
    } catch (error) {
      return (error as { code: string }).code
    }
  }

  it('calls another entry of the authority in the place of a known one a contradiction, and keeps its own', async () => {
    const { list, other, one } = await sealed()
    expect(list.conflict).to.equal(null)
    expect(conflictOf(list, [other.entry])).to.equal('MEMBER_LOG_CONFLICT')
    expect(list.conflict).to.deep.include({ seq: 2, known: one.entry.hash, other: other.entry.hash })
    expect(list.members().map(({ name }) => name)).to.deep.equal(['ann'])
    expect(conflictOf(list, [one.entry]), 'its own once more').to.equal('none')
  })

  it('calls an entry that follows upon another history a contradiction as well', async () => {
    const { list, other, seal, ann } = await sealed()
    const later = seal(other.state, { type: 'MemberRevoked', nodeId: ann.nodeId })
    expect(conflictOf(list, [later.entry])).to.equal('MEMBER_LOG_CONFLICT')
    expect(list.conflict).to.have.property('seq', 3)
    expect(list.member(ann.nodeId), 'nothing of it counts').to.not.equal(null)
  })

  it('takes an entry that the authority has not signed for a lie, not for a contradiction', async () => {
    const { list, seal, bob } = await sealed()
    const stranger = issuer.signer((await TestAuthority.create()).ca)
    const state = listStateOf(list)
    const forged = seal(state, { type: 'MemberAdded', ...bob }, stranger)
    const inPlace = { ...forged.entry, body: forged.entry.body.replace('"seq":3', '"seq":2') }
    for (const entry of [forged.entry, inPlace]) expect(conflictOf(list, [entry])).to.equal('MEMBER_LOG_INVALID')
    expect(list.conflict).to.equal(null)
  })
})

describe('the authority of a mesh', () => {
  const { path, open } = authoritiesOfSuite()

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
      nodeId: other.nodeId,
      publicKey: other.publicKey,
      name: 'fresh',
      role: 'node',
      addresses: [],
    })
    const awake = listOf(meshId, fresh.log)
    const gate = (memberList: MemberList) => new PeerGate({ clock: systemClock, memberList })
    expect(gate(awake).admit(facts(answer.certificate)).ok, 'others take the old certificate').to.equal(true)
    expect(gate(asleep).admit(facts(fresh.certificate)).ok, 'alone, the new one says nothing to it').to.equal(false)
    const chain = [...awake.cas].reverse().map(({ certificate }) => certificate)
    const issuers = chain.flatMap((certificate) => issuerFactsOf(new X509Certificate(certificate)) ?? [])
    expect(gate(asleep).admit(facts(fresh.certificate), issuers).ok, 'with those in between it does').to.equal(true)
    asleep.add(fresh.log)
    expect(asleep.version).to.equal(awake.version)
    const renewed = await authority.renew(nodeId, [])
    expect(gate(awake).admit(facts(renewed.certificate)).ok).to.equal(true)
  })

  it('lets a member change its addresses a few times a day, and renews its certificate all the same', async () => {
    const authority = await open('moving')
    const { nodeId, publicKey } = await (await TestAuthority.create()).member()
    await authority.enrol({ nodeId, publicKey, name: 'ann', role: 'node', addresses: [] })
    const before = authority.state().seq
    for (let i = 0; i < 50; i++) {
      const { certificate } = await authority.renew(nodeId, [`192.0.2.1:${7_000 + i}`])
      expect(certificate).to.include('BEGIN CERTIFICATE')
    }
    const hurried = Array.from({ length: 20 }, (_, i) => authority.renew(nodeId, [`192.0.2.2:${7_000 + i}`]))
    await Promise.all(hurried.map((renewal) => renewal.catch(() => null)))
    expect(authority.state().seq - before).to.be.at.most(SENDER_BUDGETS['member-entries'].limit)
    const [address] = authority.state().members.get(nodeId)?.addresses ?? []
    expect(address).to.match(/^192\.0\.2\.1:70/)
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

/** Where the list stands, for entries that are to follow. */
function listStateOf(list: MemberList): MemberState {
  return list
    .entriesAfter(0, list.version)
    .reduce((state, entry) => applyMemberEntry(state, entry, verifier), emptyMemberState(list.meshId))
}

function listOf(meshId: string, log: readonly MemberLogEntry[]): MemberList {
  const list = new MemberList({ repository: { log: () => [], append: () => {} }, verifier }, { meshId })
  list.add(log)
  return list
}
