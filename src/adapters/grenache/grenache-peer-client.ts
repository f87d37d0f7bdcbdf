import type { Commit } from '../../domain/commit.js'
import type { RemoteCommand } from '../../domain/remote-command.js'
import type { Consent, Refusal, SignedParcel, SubmitAnswer, SubmittedMandate } from '../../ports/mesh/home-messages.js'
import type { Challenge, Goodbye, HelloAnswer, NodeProof, Ping, Pong } from '../../ports/mesh/liveness-messages.js'
import { PeerCallError } from '../../ports/mesh/peer-call-error.js'
import type { CallOptions, PeerClient } from '../../ports/mesh/peer-client.js'
import type {
  DigestPart,
  HeadRange,
  PictureWant,
  PulledPage,
  PulledPicture,
  PullWant,
  StoredHead,
} from '../../ports/mesh/sync-messages.js'
import type { EquivocationProof } from '../../ports/store/equivocation-repository.js'
import type { AuctionHead } from '../../ports/store/event-log.js'
import { digestRpc } from './rpc/digest.js'
import { equivocationRpc } from './rpc/equivocation.js'
import { goodbyeRpc } from './rpc/goodbye.js'
import { headsRpc } from './rpc/heads.js'
import { helloRpc } from './rpc/hello.js'
import { passHandoverRpc } from './rpc/pass-handover.js'
import { pingRpc } from './rpc/ping.js'
import { pingViaRpc } from './rpc/ping-via.js'
import { pullCommitsRpc } from './rpc/pull-commits.js'
import { pullPictureRpc } from './rpc/pull-picture.js'
import { pushCommitsRpc } from './rpc/push-commits.js'
import { refusalRpc } from './rpc/refusal.js'
import { submitRpc } from './rpc/submit.js'
import type { RpcCallOptions, RpcClient } from './rpc-client.js'

const PROBE_TIMEOUT_MS = 2_000
const SUBMIT_TIMEOUT_MS = 5_000
const REFUSAL_TIMEOUT_MS = 2_000
const TRANSFER_TIMEOUT_MS = 10_000

export interface GrenachePeerClientDeps {
  readonly rpcClient: RpcClient
  /** The node that is known to be at an address: what is meant for it is sent to no other. */
  readonly whoIsAt?: (address: string) => string | null
}

export class GrenachePeerClient implements PeerClient {
  readonly #rpc: RpcClient
  readonly #whoIsAt: (address: string) => string | null

  constructor({ rpcClient, whoIsAt = () => null }: GrenachePeerClientDeps) {
    this.#rpc = rpcClient
    this.#whoIsAt = whoIsAt
  }

  async hello(address: string, challenge: Challenge, options?: CallOptions): Promise<HelloAnswer> {
    let peer: string | null = null
    const onPeer = (nodeId: string) => {
      peer = nodeId
    }
    const how = { ...withDefault(PROBE_TIMEOUT_MS, options), onPeer }
    const answer = await this.#rpc.call(address, helloRpc, challenge, how)
    if (peer === null || peer === answer.node.nodeId) return answer
    const message = `${helloRpc.name} at ${address}: it says it is another than its certificate`
    throw new PeerCallError('BAD_ANSWER', message, { address, sent: true, answered: false })
  }

  ping(address: string, { challenge, rumors }: Ping, options?: CallOptions): Promise<Pong> {
    const request = { challenge, rumors: [...rumors] }
    return this.#rpc.call(address, pingRpc, request, withDefault(PROBE_TIMEOUT_MS, options))
  }

  pingVia(address: string, target: string, challenge: Challenge, options?: CallOptions): Promise<NodeProof> {
    const request = { target, challenge }
    return this.#rpc.call(address, pingViaRpc, request, withDefault(PROBE_TIMEOUT_MS, options))
  }

  async goodbye(address: string, goodbye: Goodbye, options?: CallOptions): Promise<void> {
    await this.#rpc.call(address, goodbyeRpc, goodbye, withDefault(PROBE_TIMEOUT_MS, options))
  }

  async submit(
    address: string,
    commands: readonly RemoteCommand[],
    mandates: readonly SubmittedMandate[],
    options?: CallOptions,
  ): Promise<SubmitAnswer> {
    const request = { commands: [...commands], mandates: [...mandates] }
    const answer = await this.#rpc.call(address, submitRpc, request, this.#toPeer(address, SUBMIT_TIMEOUT_MS, options))
    const { results } = answer
    const paired = results.every((result, i) => !result.ok || result.outcome.commandId === commands[i]?.commandId)
    if (results.length === commands.length && paired) return answer
    const message = `${submitRpc.name} at ${address}: the results are not those of the commands`
    throw new PeerCallError('BAD_ANSWER', message, { address, sent: true, answered: false })
  }

  async pushCommits(
    address: string,
    from: string,
    commits: readonly Commit[],
    options?: CallOptions,
  ): Promise<StoredHead[]> {
    const request = { from, commits: [...commits] }
    const defaults = this.#toPeer(address, TRANSFER_TIMEOUT_MS, options)
    return (await this.#rpc.call(address, pushCommitsRpc, request, defaults)).stored
  }

  async passHandover(
    address: string,
    from: string,
    parcel: SignedParcel,
    options?: CallOptions,
  ): Promise<Consent | null> {
    const request = { from, parcel }
    const defaults = this.#toPeer(address, TRANSFER_TIMEOUT_MS, options)
    return (await this.#rpc.call(address, passHandoverRpc, request, defaults)).consent
  }

  async pullCommits(address: string, wants: readonly PullWant[], options?: CallOptions): Promise<PulledPage[]> {
    const request = { wants: [...wants] }
    const answer = await this.#rpc.call(
      address,
      pullCommitsRpc,
      request,
      this.#toPeer(address, TRANSFER_TIMEOUT_MS, options),
    )
    return answer.pages
  }

  async pullPicture(address: string, want: PictureWant, options?: CallOptions): Promise<PulledPicture | null> {
    const how = this.#toPeer(address, TRANSFER_TIMEOUT_MS, options)
    return (await this.#rpc.call(address, pullPictureRpc, want, how)).picture
  }

  async digest(address: string, options?: CallOptions): Promise<DigestPart[]> {
    const { parts } = await this.#rpc.call(address, digestRpc, {}, this.#toPeer(address, TRANSFER_TIMEOUT_MS, options))
    return parts
  }

  heads(
    address: string,
    range: HeadRange,
    options?: CallOptions,
  ): Promise<{ heads: AuctionHead[]; next: string | null }> {
    return this.#rpc.call(address, headsRpc, range, this.#toPeer(address, TRANSFER_TIMEOUT_MS, options))
  }

  async reportEquivocation(address: string, proof: EquivocationProof, options?: CallOptions): Promise<void> {
    await this.#rpc.call(address, equivocationRpc, proof, this.#toPeer(address, TRANSFER_TIMEOUT_MS, options))
  }

  async reportRefusal(address: string, refusal: Refusal, options?: CallOptions): Promise<void> {
    await this.#rpc.call(address, refusalRpc, refusal, this.#toPeer(address, REFUSAL_TIMEOUT_MS, options))
  }

  async stop(): Promise<void> {
    this.#rpc.stop()
  }

  #toPeer(address: string, timeoutMs: number, options?: CallOptions): RpcCallOptions {
    return { ...withDefault(timeoutMs, options), nodeId: this.#whoIsAt(address) ?? undefined }
  }
}

function withDefault(timeoutMs: number, options: CallOptions = {}): RpcCallOptions {
  return { timeoutMs: options.timeoutMs ?? timeoutMs, signal: options.signal, requestIds: options.requestIds }
}
