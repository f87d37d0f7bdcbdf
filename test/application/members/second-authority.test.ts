import { X509Certificate } from 'node:crypto'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { AUTHORITY_FILE, SqliteAuthorityStore } from '../../../src/adapters/sqlite/sqlite-authority-store.js'
import { X509CertificateIssuer } from '../../../src/adapters/system/certificate-issuer.js'
import { issuerFactsOf, NodeCertificateReader } from '../../../src/adapters/system/certificate-reader.js'
import { Ed25519Verifier } from '../../../src/adapters/system/node-key.js'
import { systemClock } from '../../../src/adapters/system/system-clock.js'
import { MemberLogConflictError } from '../../../src/application/members/member-history.js'
import { MemberList } from '../../../src/application/members/member-list.js'
import { PeerGate } from '../../../src/application/members/peer-gate.js'
import type { CaKeys } from '../../../src/ports/members/certificates.js'
import type { Member, MemberLogEntry, MemberRole } from '../../../src/ports/members/member.js'
import type { NodeError } from '../../../src/ports/node/node-error.js'
import { authoritiesOfSuite } from '../../support/suite-authorities.js'
import { TestAuthority } from '../../support/test-authority.js'

const verifier = new Ed25519Verifier()
const issuer = new X509CertificateIssuer()

describe('an authority that is not the only one to hold its key', () => {
  const { path, open, closes } = authoritiesOfSuite()

  const newMember = async (name: string, role: MemberRole = 'node'): Promise<Member> => {
    const { nodeId, publicKey } = await (await TestAuthority.create()).member()
    return { nodeId, publicKey, name, role, addresses: [] }
  }

  it('has certificates of a replaced key count for members alone, and none of an authority that this key makes', async () => {
    const authority = await open('replaced')
    const { meshId } = authority
    // The old key is needed until it is awake.
    const sleeper = await newMember('sleeper', 'replica')
    await authority.enrol(sleeper)
    const store = SqliteAuthorityStore.open(join(path, 'replaced', AUTHORITY_FILE))
    closes.push(() => store.close())
    const [stolen] = store.transact((records) => records.cas())
    if (!stolen) throw new Error('there is no authority')
    await authority.rotateCa()
    const gate = new PeerGate({ clock: systemClock, memberList: listOf(meshId, authority.entriesAfter(0)) })
    const admit = (certificate: string, issuers: readonly string[] = []) => {
      const chain = issuers.flatMap((issuing) => issuerFactsOf(new X509Certificate(issuing)) ?? [])
      return gate.admit(new NodeCertificateReader().read(certificate), chain).ok
    }
    const term = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 60_000 }
    const issue = (by: CaKeys, { nodeId, publicKey, role }: Member) =>
      issuer.issue(by, { meshId, nodeId, publicKey, role, ...term })
    expect(admit(await issue(stolen, sleeper)), 'the sleeper').to.equal(true)
    expect(admit(await issue(stolen, { ...sleeper, role: 'operator' })), 'as another role').to.equal(false)
    const guest = await newMember('guest')
    expect(admit(await issue(stolen, guest)), 'a stranger').to.equal(false)
    const made = await issuer.createCa({ meshName: 'replaced', ...term, signedBy: stolen })
    const led = await issue(made, guest)
    expect(admit(led, [made.certificate, stolen.certificate]), 'by way of a new authority').to.equal(false)
  })

  it('catches up with what it signed since the backup that it comes from, and takes nothing of a history that is not its own', async () => {
    const authority = await open('lost')
    const [ann, bob, eve] = await Promise.all([newMember('ann'), newMember('bob'), newMember('eve')])
    await authority.enrol(ann)
    const backup = join(path, 'backup.db')
    const file = new Database(join(path, 'lost', AUTHORITY_FILE))
    file.prepare('VACUUM INTO ?').run(backup)
    file.close()
    await authority.enrol(bob)
    const known = authority.entriesAfter(0)
    const restored = (name: string) => {
      mkdirSync(join(path, name))
      copyFileSync(backup, join(path, name, AUTHORITY_FILE))
      return open(name)
    }
    const late = await restored('late')
    expect(late.version).to.equal(known.length - 1)
    late.learn(known)
    late.revoke(ann.nodeId)
    const list = listOf(authority.meshId, known)
    list.add(late.entriesAfter(0))
    expect(list.isRevoked(ann.nodeId), 'what it writes then counts').to.equal(true)
    const early = await restored('early')
    await early.enrol(eve)
    expect(() => early.learn(known)).to.throw(MemberLogConflictError)
    expect(early.state().members.has(bob.nodeId)).to.equal(false)
    expect(early.entriesAfter(0)).to.have.length(known.length)
  })

  it('says that it cannot sign, where the backup does not hold the newest key', async () => {
    const authority = await open('turned')
    const ann = await newMember('ann')
    await authority.enrol(ann)
    const backup = join(path, 'turned.db')
    const file = new Database(join(path, 'turned', AUTHORITY_FILE))
    file.prepare('VACUUM INTO ?').run(backup)
    file.close()
    await authority.rotateCa()
    mkdirSync(join(path, 'turned-back'))
    copyFileSync(backup, join(path, 'turned-back', AUTHORITY_FILE))
    const restored = await open('turned-back')
    restored.learn(authority.entriesAfter(0))
    expect(() => restored.revoke(ann.nodeId)).to.throw("does not have the mesh's newest key")
    expect(restored.version).to.equal(authority.version)
  })

  it('lets nobody in under the name of another member', async () => {
    const authority = await open('named')
    const ann = await newMember('ann')
    const other = await newMember('ann')
    await authority.enrol(ann)
    const refused = await authority.enrol(other).then(
      () => null,
      (error: NodeError) => error,
    )
    expect(refused).to.include({ code: 'NAME_TAKEN', field: 'name' })
    authority.revoke(ann.nodeId)
    await authority.enrol(other)
  })
})

function listOf(meshId: string, log: readonly MemberLogEntry[]): MemberList {
  const list = new MemberList({ repository: { log: () => [], append: () => {} }, verifier }, { meshId })
  list.add(log)
  return list
}
