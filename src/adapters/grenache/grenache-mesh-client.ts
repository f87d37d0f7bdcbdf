import type { MemberLogEntry } from '../../ports/members/member.js'
import type { JoinAnswer, JoinRequest } from '../../ports/members/mesh-authority.js'
import type { MeshClient } from '../../ports/members/mesh-client.js'
import type { MemberPage } from '../../ports/members/mesh-service.js'
import { PeerCallError } from '../../ports/mesh/peer-call-error.js'
import { isNodeErrorCode, NodeError } from '../../ports/node/node-error.js'
import { joinRpc } from './rpc/join.js'
import { MAX_ENTRIES_PER_PAGE } from './rpc/member-schemas.js'
import { pullMembersRpc } from './rpc/pull-members.js'
import { pushMembersRpc } from './rpc/push-members.js'
import { renewCertificateRpc } from './rpc/renew-certificate.js'
import { RemoteError, RpcClient } from './rpc-client.js'
import { tlsToMesh } from './transport/pinned-tls.js'

const TIMEOUT_MS = 5_000

export class GrenacheMeshClient implements MeshClient {
  readonly #rpc: RpcClient

  constructor({ rpcClient }: { rpcClient: RpcClient }) {
    this.#rpc = rpcClient
  }

  pullMembers(address: string, afterSeq: number): Promise<MemberPage> {
    return this.#rpc.call(address, pullMembersRpc, { afterSeq }, { timeoutMs: TIMEOUT_MS })
  }

  async pushMembers(address: string, entries: readonly MemberLogEntry[]): Promise<void> {
    for (let i = 0; i < entries.length; i += MAX_ENTRIES_PER_PAGE) {
      const page = entries.slice(i, i + MAX_ENTRIES_PER_PAGE)
      await this.#rpc.call(address, pushMembersRpc, { entries: page }, { timeoutMs: TIMEOUT_MS })
    }
  }

  renew(address: string, addresses: readonly string[]): Promise<JoinAnswer> {
    return this.#rpc.call(address, renewCertificateRpc, { addresses: [...addresses] }, { timeoutMs: TIMEOUT_MS })
  }
}

/**
 * Asks one member to join, and for all of the member log, page by page. Nothing is sent to anybody who does not show a
 * certificate of the authority that the token names: CA_MISMATCH. Rejects with `NodeError`.
 */
export async function joinAt(
  address: string,
  mesh: { readonly meshId: string; readonly caFingerprint: string },
  request: JoinRequest,
  /** PEM, of the key in the request. */
  privateKey: string,
): Promise<JoinAnswer> {
  const stranger = new RpcClient({ tls: tlsToMesh(mesh) })
  let member: RpcClient | null = null
  try {
    const answer = await stranger.call(address, joinRpc, request, { timeoutMs: TIMEOUT_MS })
    const { certificate, version } = answer
    const log = [...answer.log]
    member = new RpcClient({ tls: tlsToMesh(mesh, { certificate, privateKey }) })
    while (log.length < version) {
      const page = await new GrenacheMeshClient({ rpcClient: member }).pullMembers(address, log.length)
      if (page.entries.length === 0) break
      log.push(...page.entries)
    }
    return { ...answer, log }
  } catch (error) {
    throw error instanceof PeerCallError ? joinError(address, error) : error
  } finally {
    stranger.stop()
    member?.stop()
  }
}

function joinError(address: string, cause: PeerCallError): NodeError {
  if (cause instanceof RemoteError && isNodeErrorCode(cause.code)) {
    const next = cause.next === undefined ? {} : { next: cause.next }
    return new NodeError(cause.code, cause.message, { ...next, cause })
  }
  if (cause.code === 'NOT_A_MEMBER') {
    const next = 'check that the token is whole, and that nobody stands between you and the mesh'
    return new NodeError('CA_MISMATCH', cause.message, { next, cause })
  }
  const next = 'check that a member of the mesh runs there and that its port is open'
  return new NodeError('NODE_UNREACHABLE', `cannot reach ${address}: ${cause.message}`, { next, cause })
}
