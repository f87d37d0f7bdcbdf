import type { z } from 'zod'
import { invalidInput } from '../../../application/log/invalid-input.js'
import type { CallAct } from '../../../application/node/node-acts.js'
import type { MemberRole } from '../../../ports/members/member.js'
import type { MeshService } from '../../../ports/members/mesh-service.js'
import type { PeerService } from '../../../ports/mesh/peer-service.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import { NodeError } from '../../../ports/node/node-error.js'
import type { RequestIds } from './wire.js'

/** Which service answers. */
export interface Services {
  readonly peer: PeerService
  readonly operator: NodeApi
  readonly mesh: MeshService
}
export type Access = keyof Services

/** Who calls: a member, by its certificate; this node's user, by the token; or somebody unknown. */
export type RpcCaller =
  | { readonly kind: 'member'; readonly nodeId: string; readonly role: MemberRole }
  | { readonly kind: 'operator' }
  | { readonly kind: 'nobody' }

export const ROLES = {
  peers: ['node', 'replica', 'gateway'],
  homes: ['node', 'gateway'],
  everyone: ['node', 'replica', 'gateway', 'operator'],
  operators: ['operator'],
} as const satisfies Record<string, readonly MemberRole[]>

/** One remote procedure: the same schemas check what arrives at the server and at the client, and type both. */
export interface Rpc<A extends Access, Request, Result> {
  /** On the wire. */
  readonly name: string
  readonly access: A
  /**
   * Members that may call; `anybody` needs no certificate. The token of a node's operator opens its `operator` RPCs
   * too.
   */
  readonly roles: readonly MemberRole[] | 'anybody'
  /** Whether a call whose answer was lost may have changed something. */
  readonly effect: 'read' | 'command'
  /** Of a command of peers: why it leaves no line in the audit record. */
  readonly unaudited?: string
  /**
   * What it comes to in the audit record; that it was called, otherwise. Of a call that failed the request may be
   * anything.
   */
  readonly acts?: (request: Request, answer: RpcAnswer<Result>) => readonly RpcAct[]
  /** Called all the time: only its failures are logged. */
  readonly routine?: true
  /** How much longer it may take than others of its effect. */
  readonly patienceMs?: number
  /** Answered even while the node is busy: it is cheap, and it distinguishes a busy node from a dead one. */
  readonly urgent?: true
  readonly request: z.ZodType<Request>
  readonly result: z.ZodType<Result>
  /** Throws FORBIDDEN if the request speaks for another than the member that sends it. */
  readonly checkSpeaker?: (request: Request, caller: MemberCaller) => void
  readonly handler: (
    service: Services[A],
  ) => (request: Request, caller: RpcCaller, requestIds: RequestIds | undefined) => Promise<Result>
}

export interface RpcAct extends CallAct {
  readonly act?: string
}

/** How a call ended. */
export type RpcAnswer<Result = unknown> = { readonly result: Result } | { readonly code: string }

export type MemberCaller = Extract<RpcCaller, { kind: 'member' }>

export function defineRpc<const A extends Access, Request, Result>(
  rpc: Omit<Rpc<A, Request, Result>, 'handler' | 'checkSpeaker' | 'acts'> & {
    readonly acts?: (request: NoInfer<Request>, answer: RpcAnswer<NoInfer<Result>>) => readonly RpcAct[]
    readonly checkSpeaker?: (request: NoInfer<Request>, caller: MemberCaller) => void
    readonly handler: (
      service: Services[A],
    ) => (request: NoInfer<Request>, caller: RpcCaller, requestIds: RequestIds | undefined) => Promise<NoInfer<Result>>
  },
): Rpc<A, Request, Result> {
  return rpc
}

/** An RPC with its service, its types forgotten. */
export interface BoundRpc {
  readonly name: string
  readonly effect: 'read' | 'command'
  readonly roles: readonly MemberRole[] | 'anybody'
  /** Whether the operator's token opens it too. */
  readonly byToken: boolean
  readonly routine: boolean
  readonly urgent: boolean
  /** What the audit record gets to hold of a call: nothing of what changes nothing. */
  acts(params: unknown, answer: RpcAnswer): readonly (RpcAct & { readonly act: string })[]
  /** Checks the request; rejects with INVALID_INPUT if it breaks the schema. */
  call(params: unknown, caller: RpcCaller, requestIds?: RequestIds | undefined): Promise<unknown>
}

export function bindRpc<A extends Access, Request, Result>(
  rpc: Rpc<A, Request, Result>,
  service: Services[A],
): BoundRpc {
  const handle = rpc.handler(service)
  return {
    name: rpc.name,
    effect: rpc.effect,
    roles: rpc.roles,
    byToken: rpc.access === 'operator',
    routine: rpc.routine ?? false,
    urgent: rpc.urgent ?? false,
    acts(params, answer) {
      const act = auditedAs(rpc)
      if (act === null) return []
      const acts = rpc.acts?.(params as Request, answer as RpcAnswer<Result>)
      return (acts ?? [{ code: 'code' in answer ? answer.code : 'ok' }]).map((one) => ({ act, ...one }))
    },
    async call(params, caller, requestIds) {
      const request = rpc.request.safeParse(params)
      if (!request.success) throw invalidInput(request.error)
      if (caller.kind === 'member') rpc.checkSpeaker?.(request.data, caller)
      return await handle(request.data, caller, requestIds)
    },
  }
}

/** What it is called in the audit record; null: it leaves no line. */
export function auditedAs<A extends Access, Q, R>({ name, effect, unaudited, acts }: Rpc<A, Q, R>): string | null {
  if ((effect === 'read' && acts === undefined) || unaudited !== undefined) return null
  return name.replace('vendue.', 'peer.')
}

/** Whose budgets a call is charged to. If TLS is switched off, for benchmarks, all callers share them. */
export function senderOf(caller: RpcCaller): string {
  return caller.kind === 'member' ? caller.nodeId : caller.kind
}

/** A member speaks for itself alone. */
export function requireSelf(nodeId: string, caller: MemberCaller, field: string): void {
  if (nodeId === caller.nodeId) return
  const message = `the certificate is of ${caller.nodeId}, which cannot speak for another`
  throw new NodeError('FORBIDDEN', message, { field })
}
