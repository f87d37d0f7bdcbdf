import type { Discovery, DiscoveryListener, DiscoveryState } from '../../src/ports/mesh/discovery.js'
import { CONNECTION_REFUSED, PeerCallError } from '../../src/ports/mesh/peer-call-error.js'
import type { CallOptions, PeerClient } from '../../src/ports/mesh/peer-client.js'
import type { PeerService } from '../../src/ports/mesh/peer-service.js'
import { MemoryMembers } from './memory-members.js'
import type { NodeTime } from './node-time.js'

type Fault = 'none' | 'unreachable' | 'answer-lost'

interface Served {
  readonly service: PeerService
  readonly time: NodeTime | null
}

/** Longer than any call of membership waits. */
const DEFAULT_TIMEOUT_MS = 5_000

/** Nodes of one process that call each other directly, with faults to mandate. */
export class MemoryNetwork {
  readonly members = new MemoryMembers()
  readonly #services = new Map<string, Served>()
  readonly #faults = new Map<string, Fault>()
  readonly #cuts = new Set<string>()
  readonly calls: { method: string; from: string; address: string; size: number }[] = []
  /** What discovery tells of, where that is not every node there is. */
  announced: readonly string[] | null = null
  #nextPort = 1

  newAddress(): string {
    return `mem:${this.#nextPort++}`
  }

  /** With the node's own time, its calls and answers stand still when it does. */
  serve(address: string, service: PeerService, time: NodeTime | null = null): void {
    this.#services.set(address, { service, time })
  }

  remove(address: string): void {
    this.#services.delete(address)
  }

  /** What happens to calls to this address from now on. */
  fault(address: string, fault: Fault): void {
    this.#faults.set(address, fault)
  }

  /** Nothing gets from one to the other any more, neither calls nor answers; the other way goes on. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from} ${to}`)
  }

  /** All ways are open again. */
  heal(): void {
    this.#cuts.clear()
  }

  addresses(): readonly string[] {
    return this.announced ?? [...this.#services.keys()]
  }

  client(from = 'elsewhere', time: NodeTime | null = null): PeerClient {
    const call = <T>(
      method: string,
      address: string,
      size: number,
      options: CallOptions | undefined,
      run: (service: PeerService) => Promise<T>,
    ): Promise<T> => {
      this.calls.push({ method, from, address, size })
      const answer = this.#call(from, address, run).then(async (value) => {
        await time?.turn()
        return value
      })
      return time ? withTimeout(answer, address, time, options?.timeoutMs ?? DEFAULT_TIMEOUT_MS) : answer
    }
    return {
      hello: (address, challenge, options) => call('hello', address, 1, options, (peer) => peer.hello(challenge)),
      ping: (address, ping, options) => call('ping', address, 1, options, (peer) => peer.ping(ping, from)),
      pingVia: (address, target, challenge, options) =>
        call('pingVia', address, 1, options, (peer) => peer.pingVia(target, challenge, from)),
      goodbye: (address, goodbye, options) => call('goodbye', address, 1, options, (peer) => peer.goodbye(goodbye)),
      submit: (address, commands, mandates, options) =>
        call('submit', address, commands.length, options, (peer) =>
          peer.submit(commands, mandates, options?.requestIds),
        ),
      pushCommits: (address, sender, commits, options) =>
        call('pushCommits', address, commits.length, options, (peer) => peer.pushCommits(sender, commits)),
      passHandover: (address, sender, parcel, options) =>
        call('passHandover', address, 1, options, (peer) => peer.passHandover(sender, parcel)),
      pullCommits: (address, wants, options) =>
        call('pullCommits', address, wants.length, options, (peer) => peer.pullCommits(wants)),
      pullPicture: (address, want, options) =>
        call('pullPicture', address, 1, options, (peer) => peer.pullPicture(want, from)),
      digest: (address, options) => call('digest', address, 1, options, (peer) => peer.digest()),
      heads: (address, range, options) => call('heads', address, 1, options, (peer) => peer.heads(range)),
      reportEquivocation: (address, proof, options) =>
        call('reportEquivocation', address, 1, options, (peer) => peer.reportEquivocation(proof, from)),
      reportRefusal: (address, refusal, options) =>
        call('reportRefusal', address, 1, options, (peer) => peer.reportRefusal(refusal)),
      stop: () => Promise.resolve(),
    }
  }

  async #call<T>(from: string, address: string, run: (service: PeerService) => Promise<T>): Promise<T> {
    await Promise.resolve()
    const fail = (code: string, message: string, sent: boolean) =>
      new PeerCallError(code, message, { address, sent, answered: false })
    if (this.#cuts.has(`${from} ${address}`)) return never()
    const served = this.#services.get(address)
    const fault = this.#faults.get(address) ?? 'none'
    if (fault === 'unreachable') throw fail('HOST_UNREACHABLE', `no way to ${address}`, false)
    if (!served) throw fail(CONNECTION_REFUSED, `nobody at ${address}`, false)
    await served.time?.turn()
    // Through JSON, as on a wire.
    const answer = JSON.parse(JSON.stringify((await run(served.service)) ?? null)) as T
    await served.time?.turn()
    if (fault === 'answer-lost') throw fail('TIMEOUT', 'no answer', true)
    return this.#cuts.has(`${address} ${from}`) ? never() : answer
  }

  /** Tells a node of every address there is, now and at each refresh. */
  discovery(): Discovery {
    return new MemoryDiscovery(this)
  }
}

export class MemoryDiscovery implements Discovery {
  /** What it must not hand out any more. */
  readonly evicted = new Set<string>()
  readonly dhtAddress = null
  readonly grapeUrl = 'memory:'
  readonly state: DiscoveryState = 'connected'
  readonly #network: MemoryNetwork
  #listener: DiscoveryListener | null = null

  constructor(network: MemoryNetwork) {
    this.#network = network
  }

  start(_rpcPort: number, listener: DiscoveryListener): Promise<void> {
    this.#listener = listener
    this.refresh()
    return Promise.resolve()
  }

  refresh(): void {
    this.#listener?.addresses(this.#network.addresses())
  }

  introduce(_dhtAddress: string): void {}

  evict(address: string): void {
    this.evicted.add(address)
  }

  admit(address: string): void {
    this.evicted.delete(address)
  }

  stop(): Promise<void> {
    this.#listener = null
    return Promise.resolve()
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {})
}

function withTimeout<T>(answer: Promise<T>, address: string, time: NodeTime, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = time.after(timeoutMs, () => {
      const info = { address, sent: true, answered: false }
      reject(new PeerCallError('TIMEOUT', `no answer in ${timeoutMs} ms`, info))
    })
    answer.then(resolve, reject).finally(() => timer.cancel())
  })
}
