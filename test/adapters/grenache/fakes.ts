import { request as httpsRequest } from 'node:https'
import { connect } from 'node:tls'
import { gunzipSync } from 'node:zlib'
import { RpcServer, type RpcServerLimits } from '../../../src/adapters/grenache/rpc-server.js'
import type { MeshTls } from '../../../src/adapters/grenache/transport/mesh-tls.js'
import type { BudgetName } from '../../../src/application/budgets/sender-budgets.js'
import type { RemoteCommand } from '../../../src/domain/remote-command.js'
import { NO_AUDIT } from '../../../src/ports/audit/audit.js'
import type { MeshService } from '../../../src/ports/members/mesh-service.js'
import type { Challenge, Goodbye, NodeProof, Ping } from '../../../src/ports/mesh/liveness-messages.js'
import type { PeerService } from '../../../src/ports/mesh/peer-service.js'
import type { NodeApi } from '../../../src/ports/node/node-api.js'
import type { NodeInfo } from '../../../src/ports/node/node-info.js'
import type { Logger } from '../../../src/ports/system/logger.js'
import { silentLogger } from '../../support/silent-logger.js'
import { TestAuthority } from '../../support/test-authority.js'
import { testBudgets } from '../../support/test-budgets.js'

export const TOKEN = 'operator-token-of-the-test'

/** The mesh of these tests; the server and, unless a test says otherwise, the caller. */
export const authority = await TestAuthority.create()
export const serverMember = await authority.member()
export const caller = await authority.member()

export const self: NodeInfo = {
  nodeId: caller.nodeId,
  name: 'Ada',
  publicKey: 'A'.repeat(43),
  version: '0.1.0',
  address: '127.0.0.1:4001',
  dhtAddress: null,
  incarnation: 1_700_000_000_000,
}

export const other: NodeInfo = {
  ...self,
  nodeId: serverMember.nodeId,
  name: 'Bob',
  dhtAddress: '127.0.0.1:20001',
}

export const challenge: Challenge = {
  meshId: `mesh_${'0'.repeat(26)}`,
  nonce: 'N'.repeat(32),
  to: '127.0.0.1:4001',
  caller: self,
}

export const ping: Ping = { challenge, rumors: [] }

/** Of the right form; whether it is true is not for the adapter to find out. */
export const proof: NodeProof = {
  nodeId: other.nodeId,
  address: other.address,
  incarnation: other.incarnation,
  signature: 'S'.repeat(86),
}

export const goodbye: Goodbye = {
  nodeId: self.nodeId,
  address: self.address,
  incarnation: 1,
  signature: 'S'.repeat(86),
}

export function bidOf(commandId: string, amount = 100): RemoteCommand {
  const bidder = { id: caller.nodeId, name: 'Ada' }
  return { type: 'PlaceBid', auctionId: 'auc_1', commandId, bidder, kind: 'plain', amount }
}

/** Takes any bid. */
export function fakePeerService(overrides: Partial<PeerService> = {}): PeerService {
  return {
    hello: async () => ({ node: other, proof, peers: [self] }),
    ping: async () => ({ proof, rumors: [] }),
    pingVia: async () => proof,
    goodbye: async () => {},
    submit: async (commands) => ({
      results: commands.map(({ commandId, auctionId }) => ({
        ok: true,
        outcome: { status: 'accepted', commandId, auctionId, seq: 2, at: 1 },
      })),
      receipt: { signedAt: 1, signature: 'signature' },
    }),
    pushCommits: async () => [],
    passHandover: async () => null,
    pullCommits: async () => [],
    pullPicture: async () => null,
    digest: async () => [],
    heads: async () => ({ heads: [], next: null }),
    reportEquivocation: async () => {},
    reportRefusal: async () => {},
    ...overrides,
  }
}

export function fakeMeshService(overrides: Partial<MeshService> = {}): MeshService {
  const refuse = () => Promise.reject(new Error('this was not expected'))
  return { join: refuse, renew: refuse, pushMembers: refuse, pullMembers: refuse, ...overrides }
}

/** Fails a test that calls a method it has not given. */
export function fakeNodeApi(overrides: Partial<NodeApi> = {}): NodeApi {
  return new Proxy(overrides as NodeApi, {
    get(target, method) {
      return target[method as keyof NodeApi] ?? (() => Promise.reject(new Error(`${String(method)} was not expected`)))
    },
  })
}

export function fakeServices() {
  return {
    peerService: fakePeerService(),
    nodeApi: fakeNodeApi(),
    meshService: fakeMeshService(),
    tls: serverMember.tls,
  }
}

export interface TestServer {
  readonly server: RpcServer
  readonly port: number
  readonly address: string
}

export async function startServer(
  options: {
    peer?: Partial<PeerService>
    node?: Partial<NodeApi>
    mesh?: Partial<MeshService>
    tls?: MeshTls
    limits?: Partial<RpcServerLimits>
    logger?: Logger
    budgets?: Partial<Record<BudgetName, number>>
  } = {},
): Promise<TestServer> {
  const server = new RpcServer(
    {
      peerService: fakePeerService(options.peer),
      nodeApi: fakeNodeApi(options.node),
      meshService: fakeMeshService(options.mesh),
      tls: options.tls ?? serverMember.tls,
      logger: options.logger ?? silentLogger,
      audit: NO_AUDIT,
      budgets: testBudgets(options.budgets),
    },
    { host: '127.0.0.1', port: 0, operatorToken: TOKEN, limits: { drainMs: 200, ...options.limits } },
  )
  const { port } = await server.start()
  return { server, port, address: `127.0.0.1:${port}` }
}

/** Sends bytes as they are through TLS, as a member, and gives back what came until the other side closed. */
export function talk(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ...caller.tls.connectOptions() })
    const received: Buffer[] = []
    socket.setTimeout(10_000, () => socket.destroy(new Error('the server kept silent for 10 s')))
    socket.on('data', (chunk) => received.push(chunk))
    socket.on('error', (error: Error & { code?: string }) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    socket.on('close', () => resolve(Buffer.concat(received).toString()))
    for (const part of parts) socket.write(part)
  })
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** A POST by a client that knows nothing of ours, with the certificate of a member; `null` for none at all. */
export function post(
  port: number,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  {
    method = 'POST',
    as = caller.tls,
    gunzip = false,
  }: { method?: string; as?: Pick<MeshTls, 'connectOptions'> | null; gunzip?: boolean } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const tls = as ? as.connectOptions() : { rejectUnauthorized: false }
    const request = httpsRequest({
      host: '127.0.0.1',
      port,
      method,
      path: '/',
      agent: false,
      ...tls,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    })
    request.on('error', reject)
    request.on('response', (response) => {
      const received: Buffer[] = []
      response.on('data', (chunk: Buffer) => received.push(chunk))
      response.on('end', () => {
        const bytes = Buffer.concat(received)
        const text = (gunzip ? gunzipSync(bytes) : bytes).toString()
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) })
      })
      response.on('error', reject)
    })
    request.end(body)
  })
}

/** What the server answers to one RPC, without the envelope. */
export async function callRaw(
  port: number,
  rpc: string,
  payload: unknown,
  as: Pick<MeshTls, 'connectOptions'> | null = caller.tls,
): Promise<unknown> {
  const { body } = await post(port, JSON.stringify(['rid-1', rpc, payload]), {}, { as })
  const [rid, error, answer] = body as [unknown, unknown, unknown]
  if (rid !== 'rid-1' || error !== null) throw new Error(`not a Grenache answer: ${JSON.stringify(body)}`)
  return answer
}

/** The error of an answer, however it came. */
export function errorOf(answer: unknown): { code: string; message: string; field?: string; next?: string } {
  const payload = (Array.isArray(answer) ? answer[2] : answer) as { ok?: unknown; error?: unknown }
  if (payload?.ok !== false) throw new Error(`not an error: ${JSON.stringify(answer)}`)
  return payload.error as { code: string; message: string; field?: string; next?: string }
}

/** The error that a promise rejects with. */
export async function rejection<E extends Error>(
  promise: Promise<unknown>,
  type: abstract new (...args: never[]) => E,
): Promise<E> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (!('error' in outcome)) throw new Error(`resolved with ${JSON.stringify(outcome.value)}`)
  if (outcome.error instanceof type) return outcome.error
  throw outcome.error
}
