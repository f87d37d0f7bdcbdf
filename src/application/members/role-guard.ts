import type { MemberRole } from '../../ports/members/member.js'
import type { PeerService } from '../../ports/mesh/peer-service.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import { NodeError } from '../../ports/node/node-error.js'
import { isHomeRole } from './member-log.js'

/** What a node that only reads and verifies may do. */
const READS: ReadonlySet<string> = new Set<keyof NodeApi>([
  ...(['status', 'peers', 'autoBids', 'list', 'show', 'history'] as const),
  ...(['events', 'moving', 'log', 'picture', 'proof', 'audit', 'receipts', 'stop'] as const),
])

/**
 * The node's own user may do no more than the node's role allows: a replica's user reads, and gets FORBIDDEN for the
 * rest.
 */
export function withinRole(api: NodeApi, role: MemberRole): NodeApi {
  if (isHomeRole(role)) return api
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

/** Nothing gets its home here that this node's peers would not take commits of: they take none from a replica. */
export function servesWithinRole(service: PeerService, role: MemberRole): PeerService {
  if (isHomeRole(role)) return service
  return new Proxy(service, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      if (name !== 'passHandover') return method.bind(target)
      const message = `this node has the role ${role} in its mesh, and cannot be the home of an auction`
      return () => Promise.reject(new NodeError('FORBIDDEN', message))
    },
  })
}
