import { isIPv4 } from 'node:net'
import grenacheGrape, { type DhtNode, type GrapeCallback, type GrapeConf } from 'grenache-grape'
import type { Logger } from '../../../ports/system/logger.js'
import { parseAddress } from '../transport/address.js'

export interface GuardedGrapeConf {
  /** IPv4; both sockets bind to it. */
  readonly address: string
  /** 0 takes any free one. */
  readonly dhtPort: number
  readonly apiPort: number
  /** "host:port" of DHT nodes to start from. */
  readonly bootstrap: readonly string[]
  readonly peerMaxAgeMs: number
}

/** After this a key's lookup is answered with what is known; shorter than a Link waits. */
const LOOKUP_DEADLINE_MS = 4_000
const MAX_KEY_LENGTH = 256
const MAX_API_CONNECTIONS = 256
const API_REQUEST_TIMEOUT_MS = 10_000
const EVERY_ADDRESS = '0.0.0.0'

/**
 * A Grape that what strangers send cannot crash. The original throws out of a callback, and so ends the process, on a
 * UDP packet without a query name and on an announced port above 65535; allocates as much as {"length": 2e9} asks
 * for; leaves a lookup hanging, and with it all later ones of that key, on a malformed reply; and does not handle its
 * HTTP server's errors. Serves announce and lookup, not the DHT's storage.
 */
export class GuardedGrape extends grenacheGrape.Grape {
  readonly #logger: Logger
  readonly #address: string
  readonly #evicted: EvictedRecords

  constructor(logger: Logger, conf: GuardedGrapeConf) {
    const { address, dhtPort, apiPort, bootstrap, peerMaxAgeMs } = conf
    const grapeConf: GrapeConf = {
      // Own announcements are kept under this host, which has to be one that others can dial.
      host: address === EVERY_ADDRESS ? null : address,
      dht_port: { port: dhtPort, address },
      dht_bootstrap: bootstrap,
      dht_peer_maxAge: peerMaxAgeMs,
      api_port: String(apiPort),
    }
    super(grapeConf)
    this.#logger = logger
    this.#address = address
    this.#evicted = new EvictedRecords(2 * peerMaxAgeMs)
  }

  override onRequest(type: string, data: unknown, cb: GrapeCallback): void {
    if (type === 'announce' && isAnnouncement(data)) super.onRequest(type, data, cb)
    else if (type === 'lookup' && isKey(data)) super.onRequest(type, data, cb)
    else if (type === 'announce' || type === 'lookup') {
      cb(new Error(`ERR_GRAPE_${type.toUpperCase()}`))
    } else cb(new Error('ERR_REQ_NOTFOUND'))
  }

  override lookup(key: string, cb: GrapeCallback): void {
    const hash = this.str2hex(key)
    const deadline = setTimeout(() => {
      this.cbq0.trigger(hash, null, this._mem.get(hash, 100))
    }, LOOKUP_DEADLINE_MS)
    deadline.unref()
    super.lookup(key, (error, peers) => {
      clearTimeout(deadline)
      // Other nodes of the DHT keep a record for a while after it was purged here.
      cb(error, Array.isArray(peers) ? peers.filter((peer) => !this.#evicted.has(hash, peer)) : peers)
    })
  }

  /** There is no un-announce: what this node holds is purged, and what others still hand out is held back. */
  evict(key: string, address: string): void {
    const hash = this.str2hex(key)
    this._mem.remove(hash, address)
    const record = compactAddress(address)
    if (record) this.node?._peers.remove(hash, record)
    this.#evicted.add(hash, address)
  }

  admit(key: string, address: string): void {
    this.#evicted.delete(this.str2hex(key), address)
  }

  /** Called between the DHT's start and the API's. */
  override transportHttp(cb: GrapeCallback): void {
    if (this.node) this.#guard(this.node)
    this.conf.host = this.#address
    super.transportHttp(cb)
    const server = this._interface.http
    if (!server) return
    server.maxConnections = MAX_API_CONNECTIONS
    server.requestTimeout = API_REQUEST_TIMEOUT_MS
    server.headersTimeout = API_REQUEST_TIMEOUT_MS
    server.on('error', (error) => {
      if (server.listening) this.#logger.warn({ err: error }, "the Grape's HTTP API reports an error")
      else {
        delete this._interface.http
        cb(error)
      }
    })
  }

  override stop(cb: GrapeCallback): void {
    const server = this._interface.http
    delete this._interface.http
    server?.close()
    server?.closeAllConnections()
    this._mem.destroy()
    super.stop(cb)
  }

  #guard(node: DhtNode): void {
    node.on('error', (err) => this.#logger.warn({ err }, 'the DHT reports an error'))
    node.on('warning', (err) => this.#logger.trace({ err }, 'the DHT reports something odd'))
    // Only live nodes announce.
    node.on('announce', (peer: { host: string; port: number }, hash: Buffer) => {
      this.#evicted.delete(hash.toString('hex'), `${peer.host}:${peer.port}`)
    })
    const { socket } = node._rpc.socket
    const listeners = socket.listeners('message') as ((...args: unknown[]) => void)[]
    socket.removeAllListeners('message')
    socket.on('message', (packet, from) => {
      try {
        for (const listener of listeners) listener.call(socket, packet, from)
      } catch (err) {
        this.#logger.debug({ err, from: `${from.address}:${from.port}` }, 'a malformed DHT packet')
      }
    })
  }
}

const MAX_EVICTED = 1_000

/** Records to hold back, until the last node of the DHT has forgotten them. */
class EvictedRecords {
  readonly #maxAgeMs: number
  /** Until when, `performance.now()`; the oldest first. */
  readonly #until = new Map<string, number>()

  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs
  }

  add(hash: string, address: string): void {
    const record = `${hash} ${address}`
    this.#until.delete(record)
    this.#until.set(record, performance.now() + this.#maxAgeMs)
    const [oldest] = this.#until.keys()
    if (this.#until.size > MAX_EVICTED && oldest !== undefined) this.#until.delete(oldest)
  }

  delete(hash: string, address: string): void {
    this.#until.delete(`${hash} ${address}`)
  }

  has(hash: string, address: string): boolean {
    return (this.#until.get(`${hash} ${address}`) ?? 0) > performance.now()
  }
}

/** Six bytes, as the DHT stores an IPv4 address and its port; null for any other address. */
function compactAddress(address: string): Buffer | null {
  const parsed = parseAddress(address)
  if (!parsed || !isIPv4(parsed.host)) return null
  return Buffer.from([...parsed.host.split('.').map(Number), parsed.port >> 8, parsed.port & 0xff])
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_KEY_LENGTH
}

function isAnnouncement(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2 || !isKey(value[0])) return false
  const port: unknown = value[1]
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535
}
