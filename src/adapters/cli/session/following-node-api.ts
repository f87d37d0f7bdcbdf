import type { NodeApi } from '../../../ports/node/node-api.js'
import { NodeError } from '../../../ports/node/node-error.js'
import type { Session } from '../parse/command.js'

/**
 * A session's node for a program that outlives it: after a call that did not reach the node, the next one looks for it
 * again, since a restarted node has another port.
 */
export function followingNodeApi(session: Pick<Session, 'api' | 'reconnect'>): NodeApi {
  const call = async (name: keyof NodeApi, request: unknown): Promise<unknown> => {
    const api = await session.api().catch(async (cause: unknown) => {
      await session.reconnect()
      if (cause instanceof NodeError) throw cause
      throw new NodeError('NODE_UNREACHABLE', (cause as Error).message, { cause })
    })
    try {
      return await (api[name] as (request: unknown) => Promise<unknown>).call(api, request)
    } catch (error) {
      if (error instanceof NodeError && error.code === 'NODE_UNREACHABLE') await session.reconnect()
      throw error
    }
  }
  return new Proxy({} as NodeApi, {
    // This object is no promise, so `then` is undefined.
    get: (_, name) => (name === 'then' ? undefined : (request: unknown) => call(name as keyof NodeApi, request)),
  })
}
