import type { VendueNode } from '../../services/node/create-node.js'
import { PeerCallError } from '../../src/ports/mesh/peer-call-error.js'
import type { CallOptions, PeerClient } from '../../src/ports/mesh/peer-client.js'

const DEFAULT_TIMEOUT_MS = 10_000

/**
 * Cuts running nodes of this process off from each other, above their sockets: a call across the cut is not sent, an
 * answer that would come across it is thrown away, and the caller learns of neither before its time-out, as with
 * packets that a network drops. Grapes still hear of each other, which only gives addresses to try.
 */
export class Partition {
  /** Addresses by side; null: all are together. */
  #sides: ReadonlySet<string>[] | null = null

  constructor(nodes: readonly VendueNode[]) {
    for (const node of nodes) this.#switch(node)
  }

  split(...sides: readonly (readonly VendueNode[])[]): void {
    this.#sides = sides.map((side) => new Set(side.map(({ info }) => info.address)))
  }

  heal(): void {
    this.#sides = null
  }

  #isCut(from: string, to: string): boolean {
    return this.#sides?.some((side) => side.has(from) !== side.has(to)) ?? false
  }

  #switch({ services, info }: VendueNode): void {
    const client = services.parts.peerClient
    const methods = [
      'hello',
      'ping',
      'pingVia',
      'goodbye',
      'submit',
      'pushCommits',
      'pullCommits',
      'digest',
      'heads',
      'reportEquivocation',
      'reportRefusal',
    ] as const satisfies (keyof PeerClient)[]
    for (const method of methods) {
      const call = (client[method] as (...args: unknown[]) => Promise<unknown>).bind(client)
      const switched = (address: string, ...args: unknown[]) => {
        const options = args.at(-1) as CallOptions | undefined
        const timeoutMs = options?.timeoutMs ?? DEFAULT_TIMEOUT_MS
        const startedAt = performance.now()
        const lost = () => timedOut(address, timeoutMs - (performance.now() - startedAt))
        if (this.#isCut(info.address, address)) return lost()
        const answer = call(address, ...args)
        return answer.then(
          (value) => (this.#isCut(info.address, address) ? lost() : value),
          (error) => (this.#isCut(info.address, address) ? lost() : Promise.reject(error)),
        )
      }
      Object.defineProperty(client, method, { value: switched })
    }
  }
}

function timedOut(address: string, ms: number): Promise<never> {
  return new Promise((_, reject) => {
    const info = { address, sent: true, answered: false }
    const fail = () => reject(new PeerCallError('TIMEOUT', 'the packets were dropped', info))
    setTimeout(fail, Math.max(0, ms)).unref()
  })
}
