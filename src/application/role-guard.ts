import type { MemberRole } from '../ports/member.js'
import { type NodeApi, NodeError } from '../ports/node-api.js'

/** What a node does that only reads and verifies. */
const READS: ReadonlySet<string> = new Set<keyof NodeApi>([
  ...(['status', 'peers', 'autoBids', 'list', 'show', 'history'] as const),
  ...(['events', 'log', 'proof', 'receipts', 'stop'] as const),
])

/** The node's own user gets no further than the node's role: a replica's reads, and is told so. */
export function withinRole(api: NodeApi, role: MemberRole): NodeApi {
  if (role === 'node' || role === 'gateway') return api
  return new Proxy(api, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      if (READS.has(String(name))) return method.bind(target)
      return () =>
        Promise.reject(
          new NodeError('FORBIDDEN', `this node has the role ${role} in its mesh; this needs the role node`, {
            next: 'join with a token of another role: `vendue mesh invite --role node`',
          }),
        )
    },
  })
}
