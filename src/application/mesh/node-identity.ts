import { MAX_INCARNATION_AHEAD_MS } from '../../domain/limits.js'
import type { Challenge, Goodbye, NodeProof, Rumor } from '../../ports/mesh/liveness-messages.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { NodeInfo } from '../../ports/node/node-info.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Random } from '../../ports/system/random.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import { nodeIdOf } from '../log/ids.js'

export interface NodeIdentityDeps {
  readonly clock: Clock
  readonly random: Random
  readonly signer: Signer
  readonly verifier: SignatureVerifier
}

export interface NodeIdentityOptions {
  readonly meshId: string
  /** This node as it was started; its address is known once it listens. */
  readonly info: () => NodeInfo
}

const NONCE_BYTES = 24
/** How many of our own answers are remembered, to notice a dial to ourselves: more than there are dials at once. */
const MAX_OWN_NONCES = 256
/** Slower than time passes, so that accusers cannot raise an incarnation above that of the next start. */
const MIN_REFUTE_INTERVAL_MS = 200
const WILDCARD_HOSTS = ['0.0.0.0', '[::]']

type AliveRumor = Extract<Rumor, { state: 'alive' }>

/**
 * Signs what this node says about itself, and checks what others say about themselves. Every signed text names the
 * mesh and the incarnation, so none is valid in another mesh or another life of the node.
 */
export class NodeIdentity {
  readonly #deps: NodeIdentityDeps
  readonly #options: NodeIdentityOptions
  readonly #ownNonces = new Set<string>()
  #raisedBy = 0
  #raisedAt = Number.NEGATIVE_INFINITY

  constructor(deps: NodeIdentityDeps, options: NodeIdentityOptions) {
    this.#deps = deps
    this.#options = options
  }

  get info(): NodeInfo {
    const info = this.#options.info()
    return { ...info, incarnation: info.incarnation + this.#raisedBy }
  }

  /** A fresh challenge for whoever is dialled at `to`. */
  challenge(to: string): Challenge {
    const nonce = Buffer.from(this.#deps.random.bytes(NONCE_BYTES)).toString('base64url')
    return { meshId: this.#options.meshId, nonce, to, caller: this.info }
  }

  /** Throws FORBIDDEN for a caller of another mesh. */
  requireSameMesh(challenge: Challenge): void {
    const { meshId } = this.#options
    if (challenge.meshId === meshId) return
    throw new NodeError('FORBIDDEN', `this node belongs to the mesh ${meshId}`, {
      field: 'meshId',
      next: 'join that mesh with a token of its authority (`vendue mesh invite` there) to take part in it',
    })
  }

  /** Throws FORBIDDEN for a caller of another mesh. */
  prove(challenge: Challenge): NodeProof {
    this.requireSameMesh(challenge)
    const { nodeId, address: own, incarnation } = this.info
    if (challenge.caller.nodeId === nodeId) this.#remember(challenge.nonce)
    const address = reachedAt(own, challenge.to)
    const signature = this.#deps.signer.sign(proofText(challenge, { nodeId, address, incarnation }))
    return { nodeId, address, incarnation, signature }
  }

  /** Whether it was this very process that answered the challenge. */
  isOwnAnswer({ nonce }: Challenge): boolean {
    return this.#ownNonces.has(nonce)
  }

  /** Whether the holder of this key answered this very challenge, wherever it is. */
  proves(challenge: Challenge, proof: NodeProof, publicKey: string): boolean {
    return (
      nodeIdOf(publicKey) === proof.nodeId &&
      this.#isPossible(proof) &&
      this.#deps.verifier.verify(proofText(challenge, proof), proof.signature, publicKey)
    )
  }

  goodbye(): Goodbye {
    const { nodeId, address, incarnation } = this.info
    const text = goodbyeText(this.#options.meshId, { nodeId, address, incarnation })
    return { nodeId, address, incarnation, signature: this.#deps.signer.sign(text) }
  }

  isGoodbyeOf(publicKey: string, goodbye: Goodbye): boolean {
    const text = goodbyeText(this.#options.meshId, goodbye)
    return this.#isPossible(goodbye) && this.#deps.verifier.verify(text, goodbye.signature, publicKey)
  }

  /** This node's word that it lives. */
  alive(): AliveRumor {
    const { nodeId, address, incarnation } = this.info
    const signature = this.#deps.signer.sign(aliveText(this.#options.meshId, { nodeId, address, incarnation }))
    return { state: 'alive', nodeId, address, incarnation, signature }
  }

  isAliveWordOf(publicKey: string, rumor: AliveRumor): boolean {
    const text = aliveText(this.#options.meshId, rumor)
    return this.#isPossible(rumor) && this.#deps.verifier.verify(text, rumor.signature, publicKey)
  }

  /** A start that lies days ahead is refused, whoever signs it. */
  #isPossible({ incarnation }: Pick<NodeProof, 'incarnation'>): boolean {
    return incarnation - this.#deps.clock.now() <= MAX_INCARNATION_AHEAD_MS
  }

  /** Answers the suspicion against this incarnation by a higher one; false where there is nothing to refute. */
  refute(accused: number): boolean {
    const now = this.#deps.clock.monotonicMs()
    if (accused !== this.info.incarnation || now - this.#raisedAt < MIN_REFUTE_INTERVAL_MS) return false
    this.#raisedBy += 1
    this.#raisedAt = now
    return true
  }

  #remember(nonce: string): void {
    this.#ownNonces.add(nonce)
    const [oldest] = this.#ownNonces
    if (this.#ownNonces.size > MAX_OWN_NONCES && oldest !== undefined) this.#ownNonces.delete(oldest)
  }
}

type Claim = Pick<NodeProof, 'nodeId' | 'address' | 'incarnation'>

function proofText({ meshId, nonce, caller }: Challenge, { nodeId, address, incarnation }: Claim): string {
  return ['vendue-proof-v1', meshId, nonce, nodeId, address, incarnation, caller.nodeId].join('\n')
}

function goodbyeText(meshId: string, { nodeId, address, incarnation }: Claim): string {
  return ['vendue-goodbye-v1', meshId, nodeId, address, incarnation].join('\n')
}

function aliveText(meshId: string, { nodeId, address, incarnation }: Claim): string {
  return ['vendue-alive-v1', meshId, nodeId, address, incarnation].join('\n')
}

/** Whether a node that was found at `known` may claim to be at `claimed`. */
export function isAt(claimed: string, known: string): boolean {
  return reachedAt(claimed, known) === known
}

/** A node that listens on every address knows only its port: it takes the host at which it was reached. */
function reachedAt(own: string, dialled: string): string {
  const [host, port] = split(own)
  const [, dialledPort] = split(dialled)
  return WILDCARD_HOSTS.includes(host) && port === dialledPort ? dialled : own
}

function split(address: string): [host: string, port: string] {
  const colon = address.lastIndexOf(':')
  return [address.slice(0, colon), address.slice(colon + 1)]
}
