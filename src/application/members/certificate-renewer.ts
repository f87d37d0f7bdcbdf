import type { CertificateFacts, CertificateReader } from '../../ports/members/certificates.js'
import type { MembershipRepository, MeshMembership } from '../../ports/members/membership-repository.js'
import type { JoinAnswer, MeshAuthority } from '../../ports/members/mesh-authority.js'
import type { MeshClient } from '../../ports/members/mesh-client.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { PeerTable } from '../mesh/peer-table.js'
import { shuffled } from '../turns/shuffled.js'
import { adopt, isDue } from './enrol.js'
import type { MemberList } from './member-list.js'

export interface CertificateRenewerDeps {
  readonly authority: MeshAuthority | null
  readonly clock: Clock
  readonly logger: Logger
  readonly memberList: MemberList
  readonly meshClient: Pick<MeshClient, 'renew'>
  readonly peerTable: Pick<PeerTable, 'reachable'>
  readonly random: Random
  readonly reader: CertificateReader
  readonly repository: MembershipRepository
  readonly timers: Timers
  readonly verifier: SignatureVerifier
}

export interface CertificateRenewerOptions {
  readonly membership: MeshMembership
  readonly facts: CertificateFacts
  /** Where this node serves RPC, as far as that is fixed. */
  readonly addresses: readonly string[]
  /** Shows this certificate from now on. */
  readonly onRenewed: (membership: MeshMembership) => void
}

const CHECK_MS = 1_000
const MAX_RETRY_MS = 60_000

/** Gets this node a new certificate long before the old one ends, or when the mesh has a new authority. */
export class CertificateRenewer {
  readonly #deps: CertificateRenewerDeps
  readonly #options: CertificateRenewerOptions
  #facts: CertificateFacts
  #timer: Timer | null = null
  #notBefore = 0
  #busy = false
  #running = false

  constructor(deps: CertificateRenewerDeps, options: CertificateRenewerOptions) {
    this.#deps = deps
    this.#options = options
    this.#facts = options.facts
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#tick()
  }

  stop(): void {
    this.#running = false
    this.#timer?.cancel()
  }

  #tick(): void {
    if (!this.#running) return
    this.#timer = this.#deps.timers.after(CHECK_MS, () => this.#tick())
    const now = this.#deps.clock.now()
    const ca = this.#deps.memberList.cas.at(-1)?.publicKey ?? ''
    if (this.#busy || now < this.#notBefore || !(isDue(this.#facts, ca, now) || this.#hasMoved())) return
    // Early enough to be tried many times before the end.
    const remainingMs = Math.max(0, this.#facts.notAfter - now)
    this.#notBefore = now + Math.min(MAX_RETRY_MS, remainingMs / 10)
    this.#busy = true
    void this.#renew().finally(() => {
      this.#busy = false
    })
  }

  /** The member list says where others find this node. */
  #hasMoved(): boolean {
    const { addresses, facts } = this.#options
    const known = this.#deps.memberList.member(facts.nodeId)
    return addresses.length > 0 && known !== null && known.addresses.join() !== addresses.join()
  }

  async #renew(): Promise<void> {
    const { logger, reader } = this.#deps
    const { membership, facts } = this.#options
    try {
      const answer = await this.#ask()
      if (!answer || !this.#running) return
      const renewed = adopt(this.#deps, { ...membership, nodeId: facts.nodeId }, answer)
      this.#deps.memberList.add(answer.log)
      this.#facts = reader.read(renewed.certificate) ?? this.#facts
      this.#options.onRenewed(renewed)
      logger.info({ notAfter: new Date(this.#facts.notAfter) }, "this node's certificate is renewed")
    } catch (err) {
      logger.warn({ err }, "this node's certificate could not be renewed; it will be tried again")
    }
  }

  async #ask(): Promise<JoinAnswer | null> {
    const { authority, logger, meshClient, peerTable, random } = this.#deps
    const { addresses, facts } = this.#options
    const known = this.#deps.memberList.member(facts.nodeId)?.addresses ?? []
    const where = addresses.length > 0 ? addresses : known
    if (authority) return authority.renew(facts.nodeId, where)
    for (const { info } of shuffled(peerTable.reachable(), random)) {
      try {
        return await meshClient.renew(info.address, where)
      } catch (err) {
        logger.debug({ err, peer: info.name }, 'a member did not renew the certificate')
      }
    }
    logger.warn({}, 'no member that can be reached renews certificates')
    return null
  }
}
