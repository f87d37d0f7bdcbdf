import { PeerCallError } from '../../src/ports/mesh/peer-call-error.js'
import type { PeerClient } from '../../src/ports/mesh/peer-client.js'
import type { PeerService } from '../../src/ports/mesh/peer-service.js'
import { MemoryMembers } from '../support/memory-members.js'
import type { Scheduler } from './scheduler.js'
import type { SeededRandom } from './seeded-random.js'
import type { SimProcess } from './sim-process.js'

/** How messages fare. Chances are those of one message. */
export interface Weather {
  readonly loss: number
  readonly duplication: number
  readonly delayMs: number
  /** The chance of a delay of up to `longMs`, by which others overtake. */
  readonly long: number
  readonly longMs: number
}

export const FAIR_WEATHER: Weather = { loss: 0, duplication: 0, delayMs: 3, long: 0, longMs: 0 }
const CALL_TIMEOUT_MS = 5_000

/** A request or an answer on its way; a tamperer may change its content. */
export interface Passing {
  readonly method: string
  readonly from: string
  readonly to: string
  readonly answer: boolean
  content: unknown
}

type Service = Record<string, (...args: unknown[]) => Promise<unknown>>

interface Host {
  readonly process: SimProcess
  readonly service: Service
}

/**
 * Calls between processes, each a request and an answer that are delayed, lost, doubled and overtaken by chance, and
 * never pass a blocked direction. Machines go by name; processes serve at addresses.
 */
export class SimNetwork {
  readonly members = new MemoryMembers()
  weather: Weather = FAIR_WEATHER
  /** "from>to", by machine. */
  readonly blocked = new Set<string>()
  tamper: (passing: Passing) => void = () => {}
  /** Every answer that leaves a process; doubled: the same request was or will be answered again. */
  onAnswer: (passing: Passing, args: readonly unknown[]) => void = () => {}
  onDoubled: (method: string, args: readonly unknown[]) => void = () => {}
  readonly #scheduler: Scheduler
  readonly #random: SeededRandom
  readonly #hosts = new Map<string, Host>()
  readonly #machines = new Map<string, string>()
  #calls = 0

  constructor(scheduler: Scheduler, random: SeededRandom) {
    this.#scheduler = scheduler
    this.#random = random
  }

  serve(address: string, process: SimProcess, service: PeerService): void {
    this.#machines.set(address, process.name)
    // Every method of the port takes its arguments in the order of the client's, without the address.
    this.#hosts.set(address, { process, service: service as unknown as Service })
  }

  /** The process has ended: whoever calls there is refused. */
  remove(address: string): void {
    this.#hosts.delete(address)
  }

  /** Every address there ever was; some of them lead nowhere now. */
  addresses(): string[] {
    return [...this.#machines.keys()]
  }

  isServed(address: string): boolean {
    return this.#hosts.has(address)
  }

  /** The calls of one process. Methods are those of the service at the other end, whatever they are. */
  client(process: SimProcess): PeerClient {
    const call = (method: string) => {
      if (method === 'stop') return () => Promise.resolve()
      return (address: string, ...args: unknown[]) => this.#call(process, method, address, args)
    }
    return new Proxy({} as PeerClient, { get: (_, method) => call(String(method)) })
  }

  #call(from: SimProcess, method: string, address: string, given: unknown[]): Promise<unknown> {
    const number = ++this.#calls
    const host = this.#hosts.get(address)
    const to = this.#machines.get(address) ?? address
    const count = host?.service[method]?.length ?? given.length
    const args = given.slice(0, count)
    const timeoutMs = (given[count] as { timeoutMs?: number } | undefined)?.timeoutMs ?? CALL_TIMEOUT_MS
    return new Promise((resolve, reject) => {
      const fail = (code: string, info: { sent: boolean; answered: boolean }) =>
        reject(new PeerCallError(code, `${method} at ${address}: ${code}`, { address, ...info }))
      const timeout = from.after(timeoutMs, () => fail('TIMEOUT', { sent: true, answered: false }))
      const back: Back = (label, settle) => {
        this.#send({ from: to, to: from.name, label: `${label} ${method}#${number}`, owner: from }, () => {
          timeout.cancel()
          settle({ resolve, fail })
        })
      }
      const text = JSON.stringify(args)
      const doubled = this.#random.chance(this.weather.duplication)
      if (doubled) this.onDoubled(method, args)
      for (let copy = 0; copy <= (doubled ? 1 : 0); copy++) {
        const label = `${method}#${number}`
        this.#send({ from: from.name, to, label, owner: null }, () => {
          const passing: Passing = { method, from: from.name, to, answer: false, content: JSON.parse(text) }
          this.#deliver(address, passing, back)
        })
      }
    })
  }

  #deliver(address: string, request: Passing, back: Back): void {
    const host = this.#hosts.get(address)
    const sleepMs = (host?.process.wakesAt ?? 0) - this.#scheduler.now
    if (host !== undefined && sleepMs > 0) {
      const again = () => this.#deliver(address, request, back)
      this.#scheduler.after(sleepMs, `${request.method} waits for ${request.to}`, host.process, again)
      return
    }
    const { method } = request
    const handler = host?.service[method]
    if (host === undefined || handler === undefined) {
      back('refuses', ({ fail }) => fail('CONNECTION_REFUSED', { sent: false, answered: false }))
      return
    }
    this.tamper(request)
    const args = request.content as unknown[]
    handler.apply(host.service, args).then(
      (result) => {
        if (!host.process.alive) return
        const content: unknown = JSON.parse(JSON.stringify(result ?? null))
        const answer: Passing = { method, from: request.to, to: request.from, answer: true, content }
        this.onAnswer(answer, args)
        this.tamper(answer)
        back('answers', ({ resolve }) => resolve(answer.content))
      },
      (error: unknown) => {
        if (!host.process.alive) return
        const code = (error as { code?: unknown }).code
        this.#scheduler.note(`${request.to} fails ${method}: ${(error as Error).message}`)
        const told = typeof code === 'string' ? code : 'INTERNAL'
        back('fails', ({ fail }) => fail(told, { sent: true, answered: true }))
      },
    )
  }

  #send(message: { from: string; to: string; label: string; owner: SimProcess | null }, arrive: () => void): void {
    const { from, to, label, owner } = message
    const { loss, delayMs, long, longMs } = this.weather
    const late = this.#random.chance(long) ? this.#random.between(0, longMs) : 0
    const delay = 0.1 + this.#random.exponential(delayMs) + late
    if (this.#random.chance(loss) || this.blocked.has(`${from}>${to}`)) return
    this.#scheduler.after(delay, `${from}>${to} ${label}`, owner, arrive)
  }
}

interface Caller {
  readonly resolve: (result: unknown) => void
  readonly fail: (code: string, info: { sent: boolean; answered: boolean }) => void
}

type Back = (label: string, settle: (caller: Caller) => void) => void
