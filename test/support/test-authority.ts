import 'reflect-metadata'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { MeshTls } from '../../src/adapters/grenache/transport/mesh-tls.js'
import { X509CertificateIssuer } from '../../src/adapters/system/certificate-issuer.js'
import { signerOf } from '../../src/adapters/system/node-key.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { meshIdOf } from '../../src/application/members/member-log.js'
import { PeerGate } from '../../src/application/members/peer-gate.js'
import type { CaKeys } from '../../src/ports/members/certificates.js'
import type { MemberRole } from '../../src/ports/members/member.js'

export interface TestMember {
  readonly nodeId: string
  readonly publicKey: string
  readonly certificate: string
  readonly privateKey: string
  readonly tls: MeshTls
}

export interface MakeMemberOptions {
  readonly role?: MemberRole
  /** The key that the certificate is for; the member's own otherwise. */
  readonly notBefore?: number
  readonly notAfter?: number
  /** The id in the certificate. */
  readonly nodeId?: string
  readonly meshId?: string
}

const HOUR_MS = 3_600_000

/** An authority without a store, for tests of what certificates are good for. */
export class TestAuthority {
  readonly meshId: string
  /** Node ids that are out. */
  readonly revoked = new Set<string>()
  readonly ca: CaKeys
  readonly #issuer = new X509CertificateIssuer()

  /** With the keys of a mesh's real authority: the thief of its file. */
  constructor(ca: CaKeys) {
    this.ca = ca
    this.meshId = meshIdOf(ca.publicKey)
  }

  static async create(): Promise<TestAuthority> {
    const now = Date.now()
    const issuer = new X509CertificateIssuer()
    const ca = await issuer.createCa({ meshName: 'test', notBefore: now - HOUR_MS, notAfter: now + HOUR_MS })
    return new TestAuthority(ca)
  }

  async member(options: MakeMemberOptions = {}): Promise<TestMember> {
    const now = Date.now()
    const privateKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const { publicKey } = signerOf(createPrivateKey(privateKey))
    const own = nodeIdOf(publicKey)
    const certificate = await this.#issuer.issue(this.ca, {
      meshId: options.meshId ?? this.meshId,
      nodeId: options.nodeId ?? own,
      publicKey,
      role: options.role ?? 'node',
      notBefore: options.notBefore ?? now - HOUR_MS,
      notAfter: options.notAfter ?? now + HOUR_MS,
    })
    const list = {
      meshId: this.meshId,
      cas: [this.ca],
      member: () => null,
      isRevoked: (id: string) => this.revoked.has(id),
    }
    const gate = new PeerGate({ clock: systemClock, memberList: list })
    const tls = new MeshTls({ gate }, { certificate, privateKey, caCertificate: this.ca.certificate })
    return { nodeId: own, publicKey, certificate, privateKey, tls }
  }
}
