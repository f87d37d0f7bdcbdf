import { constants, X509Certificate } from 'node:crypto'
import { createSecureContext, type DetailedPeerCertificate, type SecureContextOptions, type TLSSocket } from 'node:tls'
import type { Admission, PeerGate } from '../../../application/members/peer-gate.js'
import type { HandshakeCounts } from '../../../ports/node/node-status.js'
import { factsOf, issuerFactsOf } from '../../system/certificate-reader.js'

/** How a client identifies the node that answers it. */
export interface ClientTls {
  /** For new connections. */
  connectOptions(): TlsConnectOptions
  /** The node at the other end, once the handshake is over. */
  identify(socket: TLSSocket): Admission
  /** After this, new connections need new options. */
  onReplaced?(listener: () => void): () => void
}

export interface TlsConnectOptions {
  readonly secureContext: ReturnType<typeof createSecureContext>
  /** The check is not left out but made by us, on each connection: see `identify`. */
  readonly rejectUnauthorized: false
  readonly maxCachedSessions: 0
}

export interface MeshTlsOptions {
  /** PEM, this node's. */
  readonly certificate: string
  /** PKCS#8 PEM, this node's. */
  readonly privateKey: string
  /** PEM of the authority that signed it, and of those before: who joins looks for a fingerprint there. */
  readonly caCertificate: string
}

/** No earlier version hides certificates, and none resumes sessions: who comes back shows its certificate again. */
const PROTOCOL = { minVersion: 'TLSv1.3', secureOptions: constants.SSL_OP_NO_TICKET } as const

/** TLS as a member of the mesh: what this node shows, and whom it lets in. */
export class MeshTls implements ClientTls {
  readonly #gate: PeerGate
  #options: MeshTlsOptions
  readonly #admissions = new WeakMap<TLSSocket, Admission>()
  readonly #sockets = new Map<TLSSocket, string>()
  readonly #listeners = new Set<() => void>()
  readonly #counts = { accepted: 0, dialled: 0, refused: 0, dropped: 0 }

  constructor({ gate }: { gate: PeerGate }, options: MeshTlsOptions) {
    this.#gate = gate
    this.#options = options
  }

  get handshakes(): HandshakeCounts {
    return { ...this.#counts }
  }

  serverOptions(): SecureContextOptions {
    const { certificate, caCertificate, privateKey } = this.#options
    return { ...PROTOCOL, cert: `${certificate.trim()}\n${caCertificate}`, key: privateKey }
  }

  connectOptions(): TlsConnectOptions {
    const secureContext = createSecureContext(this.serverOptions())
    return { secureContext, rejectUnauthorized: false, maxCachedSessions: 0 }
  }

  /** A certificate that was renewed; connections that are open stay so. */
  replace(options: MeshTlsOptions): void {
    this.#options = options
    for (const listener of this.#listeners) listener()
  }

  onReplaced(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Who answers: the certificate is looked at once for each connection, the member list each time. */
  identify(socket: TLSSocket): Admission {
    return this.#identify(socket, 'dialled') ?? NO_CERTIFICATE
  }

  /** Who calls; null for somebody without a certificate. */
  identifyCaller(socket: TLSSocket): Admission | null {
    return this.#identify(socket, 'accepted')
  }

  refused(): void {
    this.#counts.refused += 1
  }

  dropped(): void {
    this.#counts.dropped += 1
  }

  /** Ends every connection from and to that node. */
  cut(nodeId: string): void {
    for (const [socket, there] of this.#sockets) if (there === nodeId) socket.destroy()
  }

  #identify(socket: TLSSocket, way: 'accepted' | 'dialled'): Admission | null {
    const known = this.#admissions.get(socket)
    if (known) return this.#gate.recheck(known)
    const [certificate, ...others] = chainOf(socket)
    if (!certificate) return null
    const issuers = others.flatMap((issuer) => issuerFactsOf(issuer) ?? [])
    const admission = this.#gate.admit(factsOf(certificate), issuers)
    this.#admissions.set(socket, admission)
    this.#counts[admission.ok ? way : 'refused'] += 1
    if (!admission.ok) return admission
    this.#sockets.set(socket, admission.nodeId)
    socket.once('close', () => this.#sockets.delete(socket))
    return admission
  }
}

const MAX_CHAIN = 5

/**
 * The other side's certificate, and those of authorities that came along, each signing the one before. Node's
 * `getPeerX509Certificate` takes the certificate out of the chain it reads from, so that a second look finds another.
 */
export function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let at: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true)
  while (at?.raw && chain.length < MAX_CHAIN) {
    chain.push(new X509Certificate(at.raw))
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate
  }
  return chain
}

const NO_CERTIFICATE: Admission = {
  ok: false,
  code: 'NOT_A_MEMBER',
  message: 'what answers there shows no certificate',
}
