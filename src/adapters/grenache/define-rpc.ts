import type { z } from 'zod'
import type { NodeApi } from '../../ports/node-api.js'
import type { PeerService } from '../../ports/peer-service.js'
import { invalidInput } from './explain-issue.js'

/** Who may call: every peer, or only who holds the operator's token. Decides which service answers as well. */
export interface Services {
  readonly peer: PeerService
  readonly operator: NodeApi
}
export type Access = keyof Services

/** One remote procedure: the same schemas check what arrives at the server and at the client, and type both. */
export interface Rpc<A extends Access, Request, Result> {
  /** On the wire. */
  readonly name: string
  readonly access: A
  /** Whether a call whose answer was lost may have changed something. */
  readonly effect: 'read' | 'command'
  /** Called all the time: only its failures are logged. */
  readonly routine?: true
  /** Answered also while the node is busy: cheap, and what tells a busy node from a dead one. */
  readonly urgent?: true
  readonly request: z.ZodType<Request>
  readonly result: z.ZodType<Result>
  readonly handler: (service: Services[A]) => (request: Request) => Promise<Result>
}

export function defineRpc<const A extends Access, Request, Result>(
  rpc: Omit<Rpc<A, Request, Result>, 'handler'> & {
    readonly handler: (service: Services[A]) => (request: NoInfer<Request>) => Promise<NoInfer<Result>>
  },
): Rpc<A, Request, Result> {
  return rpc
}

/** An RPC with its service, its types forgotten. */
export interface BoundRpc {
  readonly name: string
  readonly access: Access
  readonly routine: boolean
  readonly urgent: boolean
  /** Checks the request; rejects with INVALID_INPUT where it breaks the schema. */
  call(params: unknown): Promise<unknown>
}

export function bindRpc<A extends Access, Request, Result>(
  rpc: Rpc<A, Request, Result>,
  service: Services[A],
): BoundRpc {
  const handle = rpc.handler(service)
  return {
    name: rpc.name,
    access: rpc.access,
    routine: rpc.routine ?? false,
    urgent: rpc.urgent ?? false,
    async call(params) {
      const request = rpc.request.safeParse(params)
      if (!request.success) throw invalidInput(request.error)
      return await handle(request.data)
    },
  }
}
