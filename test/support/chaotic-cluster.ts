import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { PostgresSharedLog } from '../../src/adapters/postgres/postgres-shared-log.js'
import { CLUSTER_KEY_FILE, createClusterKey } from '../../src/adapters/system/cluster-key.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import { CuttingProxy } from './cutting-proxy.js'
import { eventually } from './eventually.js'
import { NodeProcess, untilConnected } from './node-process.js'
import { addressOf } from './postgres/postgres-address-of.js'
import { installedPrograms } from './postgres/postgres-programs.js'
import { PASSWORD, PostgresServer } from './postgres/postgres-server.js'
import { makeTempHome } from './temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
const NAMES = ['one', 'two', 'three']
const STANDBY = 'follower'
const WITHIN_MS = 120_000
const EVERYTHING = { commits: 100_000, bytes: Number.MAX_SAFE_INTEGER }

/** What happens to an auction's home, or to the log. */
export const FAULTS = ['kill', 'stop', 'terminate', 'cut', 'failover'] as const
export type Fault = (typeof FAULTS)[number]

export interface Acknowledged {
  readonly commandId: string
  readonly seq: number
}

export interface ChaosRun {
  readonly fault: Fault
  readonly auction: string
  readonly acknowledged: readonly Acknowledged[]
  /**
   * From the fault, or from the promotion of the standby, until a bid was acknowledged that was placed after it: one
   * on its way at that moment may have been answered before.
   */
  readonly gapMs: number
}

/**
 * Three nodes of a cluster, each a process that reaches PostgreSQL through proxies of its own: a primary with a
 * synchronous standby where those can be made, and one server otherwise.
 */
export class ChaoticCluster {
  readonly #home: string
  readonly #remove: () => void
  readonly nodes: NodeProcess[] = []
  /** By node: to each server. */
  readonly #proxies: CuttingProxy[][] = []
  /** The primary first. */
  readonly servers: PostgresServer[] = []
  #commands = 0
  readonly #stopMs: number

  private constructor(stopMs: number) {
    const { home, remove } = makeTempHome()
    this.#home = home
    this.#remove = remove
    this.#stopMs = stopMs
  }

  /** `stopMs`: how long a home that is stopped stands still. */
  static async start({ stopMs }: { stopMs: number }): Promise<ChaoticCluster> {
    const cluster = new ChaoticCluster(stopMs)
    try {
      await cluster.#startServers()
      await cluster.#startNodes()
    } catch (error) {
      await cluster.end()
      throw error
    }
    return cluster
  }

  /** Faults that can be made here. */
  get faults(): readonly Fault[] {
    return FAULTS.filter((fault) => fault !== 'failover' || this.servers.length > 1)
  }

  /** An auction whose bidder never stops, while this happens to its home. */
  async run(fault: Fault, at: number): Promise<ChaosRun> {
    const home = this.#node(at)
    const bidder = this.#node(at + 1)
    const commandId = `cmd_chaos_${String(++this.#commands).padStart(6, '0')}`
    const terms = { title: `Lot ${at}`, currency: 'JPY', start: '1', increment: '1' }
    const { outcome } = await home.api.open({ commandId, ...terms })
    const auction = outcome.auctionId
    await eventually('the bidder knows it', () => bidder.api.show({ auction }).catch(() => null), WITHIN_MS)
    const acknowledged: (Acknowledged & { readonly askedMs: number; readonly atMs: number })[] = []
    let isOver = false
    const bidding = (async () => {
      for (let amount = 10; !isOver; amount++) {
        const bid = await this.#bid(bidder, auction, amount)
        if (bid !== null) acknowledged.push(bid)
      }
    })()
    try {
      await eventually('bids are acknowledged', () => acknowledged.length >= 10, WITHIN_MS)
      const { sinceMs, mend } = await this.#break(fault, home, at)
      const next = await eventually(
        `a bid is acknowledged after ${fault}`,
        () => acknowledged.find(({ askedMs }) => askedMs > sinceMs),
        WITHIN_MS,
      )
      const count = acknowledged.length
      await mend()
      await eventually('bids go on', () => acknowledged.length >= count + 10, WITHIN_MS)
      return { fault, auction, acknowledged, gapMs: next.atMs - sinceMs }
    } finally {
      isOver = true
      await bidding
    }
  }

  /** What is wrong with a run, once all is at rest: nothing, or a line each. */
  async faultsOf({ auction, acknowledged, fault }: ChaosRun): Promise<string[]> {
    const address = addressOf(this.servers, 'postgres')
    const log = new PostgresSharedLog({ address, clusterId: await this.#clusterId() })
    try {
      const heads = await log.heads([auction])
      const commits = await log.read(auction, 1, EVERYTHING)
      const found: string[] = []
      let end = 0
      for (const { firstSeq, lastSeq } of commits) {
        if (firstSeq !== end + 1) found.push(`${fault}: a gap or a fork at seq ${firstSeq}`)
        end = lastSeq
      }
      if (heads.get(auction)?.hash !== commits.at(-1)?.hash) found.push(`${fault}: the head is not the last commit`)
      for (const node of this.nodes) {
        const { name } = node.options
        await eventually(`${name} has all`, async () => (await node.api.show({ auction })).state.seq === end, WITHIN_MS)
        const seqs = new Map<string, number>()
        let beforeSeq: number | undefined
        for (;;) {
          const { bids } = await node.api.history({ auction, limit: 1_000, ...(beforeSeq && { beforeSeq }) })
          for (const { bidId, seq } of bids) {
            if (seqs.has(bidId)) found.push(`${fault}: ${name} has ${bidId} twice`)
            seqs.set(bidId, seq)
          }
          if (bids.length < 1_000) break
          beforeSeq = bids.at(-1)?.seq
        }
        for (const { commandId, seq } of acknowledged)
          if (seqs.get(commandId) !== seq) found.push(`${fault}: ${name} lacks ${commandId} at seq ${seq}`)
      }
      return found
    } finally {
      await log.close()
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end('SIGKILL')))
    await Promise.all(this.#proxies.flat().map((proxy) => proxy.stop()))
    await Promise.all(this.servers.map((server) => server.dispose()))
    this.#remove()
  }

  #node(i: number): NodeProcess {
    return this.nodes[i % this.nodes.length] as NodeProcess
  }

  /** The outcome of one command, asked for again until there is one; null where it was refused. */
  async #bid(node: NodeProcess, auction: string, amount: number) {
    const commandId = `bid_chaos_${String(++this.#commands).padStart(8, '0')}`
    const request = { auction, commandId, kind: 'max', amount: String(amount) } as const
    const askedMs = performance.now()
    const ask = async () => {
      try {
        return (await node.api.bid(request)).outcome
      } catch (error) {
        if (error instanceof NodeError) return null
        throw error
      }
    }
    const outcome = await eventually(`${commandId} is answered`, ask, WITHIN_MS)
    return outcome.status === 'accepted' ? { commandId, seq: outcome.seq, askedMs, atMs: performance.now() } : null
  }

  async #break(fault: Fault, home: NodeProcess, at: number): Promise<{ sinceMs: number; mend: () => Promise<void> }> {
    const sinceMs = performance.now()
    switch (fault) {
      case 'kill':
        await home.end('SIGKILL')
        return {
          sinceMs: performance.now(),
          mend: async () => {
            await home.start()
            await untilConnected(this.nodes)
          },
        }
      case 'stop':
        home.signal('SIGSTOP')
        return {
          sinceMs,
          mend: async () => {
            await wait(Math.max(0, sinceMs + this.#stopMs - performance.now()))
            home.signal('SIGCONT')
            await untilConnected(this.nodes)
          },
        }
      case 'terminate': {
        for (let i = 0; i < 20; i++) {
          await this.servers[0]?.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vendue'",
          )
          await wait(50)
        }
        return { sinceMs: performance.now(), mend: async () => {} }
      }
      case 'cut': {
        const proxies = this.#proxies[at % this.nodes.length] ?? []
        for (const proxy of proxies) proxy.hold('all')
        return {
          sinceMs,
          mend: async () => {
            for (const proxy of proxies) {
              proxy.release()
              proxy.cut()
            }
          },
        }
      }
      case 'failover':
        return { sinceMs: await this.#failOver(), mend: () => this.#addStandby() }
      default: {
        const unknown: never = fault
        throw new RangeError(`unknown fault ${String(unknown)}`)
      }
    }
  }

  /** Resolves with when the standby was promoted. */
  async #failOver(): Promise<number> {
    const [primary, standby] = this.servers as [PostgresServer, PostgresServer]
    await primary.kill()
    standby.configure({ synchronous_standby_names: '' })
    await standby.promote()
    const promotedMs = performance.now()
    this.servers.reverse()
    return promotedMs
  }

  /** In the place of the server that has died. */
  async #addStandby(): Promise<void> {
    const [primary, dead] = this.servers as [PostgresServer, PostgresServer]
    const standby = await primary.standby(STANDBY)
    this.servers[1] = standby
    for (const proxy of this.#proxies.flat()) if (proxy.target === dead.port) proxy.target = standby.port
    await dead.dispose()
    await this.#follow(primary)
  }

  async #follow(primary: PostgresServer): Promise<void> {
    primary.configure({ synchronous_standby_names: STANDBY })
    await primary.reload()
    const state = "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'"
    await eventually('the standby follows', async () => (await primary.query(state)).length === 1, WITHIN_MS)
  }

  async #startServers(): Promise<void> {
    const programs = installedPrograms()
    const primary = await PostgresServer.start(programs === null ? {} : { programs })
    this.servers.push(primary)
    if (programs === null) return
    this.servers.push(await primary.standby(STANDBY))
    await this.#follow(primary)
  }

  async #startNodes(): Promise<void> {
    const dirs = NAMES.map((name) => join(this.#home, 'nodes', name))
    for (const dir of dirs) mkdirSync(dir, { recursive: true, mode: 0o700 })
    const first = dirs[0] as string
    createClusterKey(first)
    for (const dir of dirs.slice(1)) copyFileSync(join(first, CLUSTER_KEY_FILE), join(dir, CLUSTER_KEY_FILE))
    for (const name of NAMES) {
      const proxies = await Promise.all(this.servers.map(({ port }) => CuttingProxy.start(port)))
      this.#proxies.push(proxies)
      const hosts = proxies.map(({ port }) => `127.0.0.1:${port}`).join(',')
      const env = { VENDUE_SHARED_LOG: `postgres://postgres:${encodeURIComponent(PASSWORD)}@${hosts}/postgres` }
      this.nodes.push(await NodeProcess.start({ home: this.#home, name, args: FREE_PORTS, env }))
    }
    await untilConnected(this.nodes)
  }

  async #clusterId(): Promise<string> {
    const [row] = (await this.servers[0]?.query('SELECT cluster_id FROM vendue.log')) ?? []
    return String(row?.cluster_id)
  }
}
