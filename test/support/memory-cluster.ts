import type { SharedLog } from '../../src/ports/store/shared-log.js'
import { MemoryClusterSigner } from './cluster-auction.js'
import { ManualTime, settle } from './manual-time.js'
import { MemorySharedLog, type SharedLogOptions } from './memory/memory-shared-log.js'
import { MemoryNetwork } from './memory-network.js'
import { MemoryNode, type MemoryNodeOptions } from './memory-node.js'

/** Nodes in memory that share a log. */
export class MemoryCluster {
  readonly time = new ManualTime()
  readonly network = new MemoryNetwork()
  readonly log = new MemorySharedLog()
  readonly signer = new MemoryClusterSigner()
  readonly nodes: MemoryNode[] = []

  /** As a node reaches the log; `before` and `after` come between. */
  connect(options: SharedLogOptions = {}): SharedLog {
    return this.log.connect({ now: () => this.time.now(), ...options })
  }

  /** A node of the cluster; one that comes back brings its store and key. */
  async start(
    name: string,
    { shared, ...more }: Partial<MemoryNodeOptions> & { readonly shared?: SharedLogOptions } = {},
  ): Promise<MemoryNode> {
    const { network, time } = this
    const cluster = { sharedLog: this.connect(shared), signer: this.signer }
    const node = await new MemoryNode({ name, network, time, cluster, ...more }).start()
    this.nodes.push(node)
    await settle()
    return node
  }

  /** What comes of it while time goes on. */
  async soon<T>(answer: Promise<T>): Promise<T> {
    let isOver = false
    const over = () => {
      isOver = true
    }
    answer.then(over, over)
    for (let waitedMs = 0; !isOver && waitedMs < 30_000; waitedMs += 100) await this.time.advance(100)
    return answer
  }

  /** Those that run. */
  async stop(): Promise<void> {
    for (const node of this.nodes.splice(0)) await node.stop()
  }
}
