/** Room `grenache/grape`: the DHT: an embedded Grape, kept from harm, and discovery through it. */

import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import type { AddressInfo } from 'node:net'
import type { Logger } from '../../../ports/system/logger.js'
import { parseAddress } from '../transport/address.js'
import { ListenError, listenError } from '../transport/listen-error.js'
import { GuardedGrape } from './guarded-grape.js'

export interface EmbeddedGrapeDeps {
  readonly logger: Logger
}

export interface EmbeddedGrapeOptions {
  /** Where the DHT's UDP socket and the HTTP API bind; 127.0.0.1 by default. IPv4, like the DHT. */
  readonly host?: string
  /** Under which other machines reach `host`, where that is 0.0.0.0. */
  readonly advertisedHost?: string
  /** 0, the default, takes any free one. */
  readonly dhtPort?: number
  readonly apiPort?: number
  /** A port that is taken: `preferred` takes any other (the default), `exact` is an error. */
  readonly ports?: 'preferred' | 'exact'
  /** "host:port" of DHT nodes to join. They may come up later. */
  readonly bootstrap?: readonly string[]
  /** After how long an announcement is forgotten (two thirds to four thirds of it). */
  readonly peerMaxAgeMs?: number
}

/** What discovery needs of a Grape. */
export interface GrapeAccess {
  readonly url: string
  /** "host:port" where it takes part in the DHT; null where that is not known. */
  readonly dhtAddress: string | null
  /** Adds another DHT node to its table. */
  addNode(dhtAddress: string): void
  /**
   * Forgets that the address ("host:port") was announced under the key, and leaves it out until it is announced anew.
   */
  evict(key: string, address: string): void
  /** Undoes `evict`: what others know of the address may be handed out again. */
  admit(key: string, address: string): void
}

export const DEFAULT_GRAPE_HOST = '127.0.0.1'
const EVERY_ADDRESS = '0.0.0.0'
/** Twice the interval of announcements. */
const PEER_MAX_AGE_MS = 60_000
const START_DEADLINE_MS = 5_000
/** How often bootstrap nodes are tried while fewer nodes are known. */
const HEAL_INTERVAL_MS = 2_000
/** With free ports, a start can only fail by another program taking one in between. */
const MAX_START_ATTEMPTS = 4

interface Running {
  readonly grape: GuardedGrape
  readonly healing: NodeJS.Timeout
  readonly ports: { readonly dht: number; readonly api: number }
}

/** A Grape in this process. Its HTTP API answers announce and lookup. */
export class EmbeddedGrape implements GrapeAccess {
  readonly #logger: Logger
  readonly #options: EmbeddedGrapeOptions
  #starting: Promise<void> | null = null
  #running: Running | null = null
  /** Those of the last start, so that they can still be read after a stop. */
  #ports: Running['ports'] | null = null

  constructor({ logger }: EmbeddedGrapeDeps, options: EmbeddedGrapeOptions = {}) {
    this.#logger = logger
    this.#options = options
  }

  /** Rejects with `ListenError`. Waits for no other node. Idempotent. */
  start(): Promise<void> {
    this.#starting ??= this.#start().catch((error) => {
      this.#starting = null
      throw error
    })
    return this.#starting
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined)
    const running = this.#running
    this.#starting = null
    this.#running = null
    if (!running) return
    clearInterval(running.healing)
    await stopGrape(running.grape)
  }

  get url(): string {
    return `http://${this.#localHost}:${this.#boundPorts.api}`
  }

  get dhtAddress(): string {
    return `${this.#options.advertisedHost ?? this.#localHost}:${this.#boundPorts.dht}`
  }

  get #localHost(): string {
    const { host = DEFAULT_GRAPE_HOST } = this.#options
    return host === EVERY_ADDRESS ? DEFAULT_GRAPE_HOST : host
  }

  get #boundPorts(): Running['ports'] {
    if (!this.#ports) throw new Error('the Grape has not been started')
    return this.#ports
  }

  addNode(dhtAddress: string): void {
    const address = parseAddress(dhtAddress)
    if (!address || !this.#running || dhtAddress === this.dhtAddress) return
    this.#running.grape.node?.addNode(address)
  }

  evict(key: string, address: string): void {
    this.#running?.grape.evict(key, address)
  }

  admit(key: string, address: string): void {
    this.#running?.grape.admit(key, address)
  }

  async #start(): Promise<void> {
    const { host = DEFAULT_GRAPE_HOST, ports = 'preferred', bootstrap = [] } = this.#options
    let { dhtPort = 0, apiPort = 0 } = this.#options
    const address = await resolveIPv4(host)
    for (let attempt = 1; !this.#running; attempt++) {
      try {
        this.#running = await this.#attempt(host, address, dhtPort, apiPort)
      } catch (error) {
        const taken = error instanceof ListenError && error.code === 'PORT_IN_USE'
        if (!taken || ports === 'exact' || attempt === MAX_START_ATTEMPTS) throw error
        if (error instanceof ApiListenError) apiPort = 0
        else dhtPort = 0
      }
    }
    this.#ports = this.#running.ports
    this.#logger.debug({ url: this.url, dht: this.dhtAddress, bootstrap }, 'the embedded Grape is up')
  }

  async #attempt(host: string, address: string, dhtPort: number, apiPort: number): Promise<Running> {
    const { bootstrap = [], peerMaxAgeMs = PEER_MAX_AGE_MS } = this.#options
    const fail = (cause: unknown) => listenError('run the DHT (UDP)', host, dhtPort, cause)
    // The DHT does not report most failures to bind, and keeps timers after the others: check the ports first.
    await probeUdp(address, dhtPort).catch((cause) => {
      throw fail(cause)
    })
    const grape = new GuardedGrape(this.#logger, { address, dhtPort, apiPort, bootstrap, peerMaxAgeMs })
    try {
      await startGrape(grape)
    } catch (cause) {
      await stopGrape(grape)
      const ofApi = (cause as { syscall?: unknown }).syscall === 'listen'
      throw ofApi ? new ApiListenError(host, apiPort, cause) : fail(cause)
    }
    const dht = grape.node?.address()
    const api = grape._interface.http?.address() as AddressInfo | null | undefined
    if (!dht || !api) throw new Error('the Grape came up without its ports')
    const healing = setInterval(() => this.#heal(), HEAL_INTERVAL_MS)
    healing.unref()
    return { grape, healing, ports: { dht: dht.port, api: api.port } }
  }

  /** A node whose bootstrap nodes were all down when it started would otherwise stay alone for minutes. */
  #heal(): void {
    const { bootstrap = [] } = this.#options
    const known = this.#running?.grape.node?.nodes.toArray().length ?? 0
    if (known < bootstrap.length) for (const address of bootstrap) this.addNode(address)
  }
}

class ApiListenError extends ListenError {
  constructor(host: string, port: number, cause: unknown) {
    const { code, message } = listenError("serve the Grape's HTTP API", host, port, cause)
    super(code, message, host, port, { cause })
  }
}

async function resolveIPv4(host: string): Promise<string> {
  try {
    return (await lookup(host, { family: 4 })).address
  } catch (cause) {
    throw listenError('run a Grape', host, 0, cause)
  }
}

function probeUdp(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve()))
  })
}

function startGrape(grape: GuardedGrape): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(
      () => reject(new Error(`the Grape was not up in ${START_DEADLINE_MS} ms`)),
      START_DEADLINE_MS,
    )
    grape.start((error) => {
      clearTimeout(deadline)
      if (error) reject(error)
      else resolve()
    })
  })
}

function stopGrape(grape: GuardedGrape): Promise<void> {
  return new Promise((resolve) => {
    grape.stop(() => resolve())
  })
}
