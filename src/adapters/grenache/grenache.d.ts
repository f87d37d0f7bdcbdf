/** The parts of Grenache and Grape that this adapter builds on; the packages come without types. */

declare module 'grenache-nodejs-http/lib/TransportRPCServer.js' {
  import type { EventEmitter } from 'node:events'
  import type { Server } from 'node:http'

  export interface RequestMeta {
    /** The caller gzipped the body, and expects the answer gzipped. */
    readonly compress: boolean
  }

  /** Emits 'stream' (request, response, meta) for every HTTP request. */
  export default class TransportRPCServer extends EventEmitter {
    constructor(peer: object, conf: object)
    /** Undefined before `listen`, null after `unlisten`. */
    socket: Server | null | undefined
    getSocket(secure?: unknown): Server
    listen(port: number | { port: number; host: string }): this
    stop(): void
  }
}

declare module 'grenache-nodejs-http/lib/TransportRPCClient.js' {
  export interface GrenacheRequest<Opts> {
    readonly rid: string
    readonly key: string
    readonly payload: unknown
    readonly opts: Opts
  }

  export default class TransportRPCClient<Opts = object> {
    constructor(peer: object, conf: object)
    init(): void
    request(key: string, payload: unknown, opts: Opts, cb: (error: Error | null, answer?: unknown) => void): void
    sendRequest(request: GrenacheRequest<Opts>): void
    format(data: unknown): string
    handleReply(rid: string, error: Error | null, answer?: unknown): void
    isActive(): boolean
    monitor(): void
    stop(): void
    /** Called by `stop`. */
    _stop(): void
    /** Requests without an answer yet, by rid. */
    _reqs: Map<string, unknown>
  }
}

declare module 'grenache-nodejs-http' {
  import type { EventEmitter } from 'node:events'
  import type TransportRPCClient from 'grenache-nodejs-http/lib/TransportRPCClient.js'
  import type TransportRPCServer from 'grenache-nodejs-http/lib/TransportRPCServer.js'

  export class PeerRPCServer<T extends TransportRPCServer = TransportRPCServer> extends EventEmitter {
    constructor(link: object | null, conf: object)
    init(): void
    stop(): void
    getTransportClass(): new (peer: object, conf: never) => T
    transport(dest: string): T
  }

  export class PeerRPCClient<T extends TransportRPCClient = TransportRPCClient> extends EventEmitter {
    constructor(link: object | null, conf: object)
    readonly tpool: { readonly _monitorItv: NodeJS.Timeout }
    init(): void
    stop(): void
    getTransportClass(): new (peer: object, conf: never) => T
    /** From the pool where it has one for this "host:port". */
    transport(dest: string): T
  }
}

declare module 'grenache-nodejs-link' {
  export type LinkCallback = (error: Error | null, answer?: unknown) => void

  export default class Link {
    constructor(conf: {
      grape: string
      requestTimeout?: number
      /** 0 would keep lookups for ever. */
      lruMaxAgeLookup?: number
    })
    start(): this
    stop(): this
    /** Answers the Grape's JSON as it is. */
    request(type: 'announce' | 'lookup', payload: unknown, opts: { retry?: number }, cb: LinkCallback): void
    _post(url: string, data: unknown, opts: object, cb: LinkCallback): Promise<void>
  }
}

declare module 'grenache-grape' {
  import type { Socket } from 'node:dgram'
  import type { EventEmitter } from 'node:events'
  import type { Server } from 'node:http'

  export type GrapeCallback = (error?: (Error & { code?: unknown }) | null, answer?: unknown) => void

  /** A bittorrent-dht node. */
  export interface DhtNode extends EventEmitter {
    readonly nodes: { toArray(): unknown[] }
    /** What was announced here, by info hash in hex; each record the six bytes of an address. */
    readonly _peers: { remove(hash: string, record: Buffer): void }
    readonly _rpc: { readonly socket: { readonly socket: Socket } }
    address(): { address: string; port: number }
    addNode(node: { host: string; port: number }): void
  }

  export interface GrapeConf {
    /** Bind address of the HTTP API, and the address under which own announcements are kept. */
    host: string | null
    /** Handed to dgram's bind, which takes an object as well. */
    dht_port: { port: number; address: string }
    dht_bootstrap: readonly string[]
    dht_peer_maxAge: number
    /** '0' takes any free port; the number 0 is refused. */
    api_port: string
  }

  declare class Grape {
    constructor(conf: GrapeConf)
    conf: GrapeConf
    node?: DhtNode
    readonly cbq0: { trigger(key: string, error: Error | null, answer: unknown): void }
    readonly _mem: {
      get(key: string, limit: number): unknown
      remove(key: string, record: string): void
      destroy(): void
    }
    readonly _interface: { http?: Server }
    start(cb: GrapeCallback): void
    stop(cb: GrapeCallback): void
    str2hex(text: string): string
    onRequest(type: string, data: unknown, cb: GrapeCallback): void
    lookup(key: string, cb: GrapeCallback): void
    transportHttp(cb: GrapeCallback): void
  }

  const grape: { Grape: typeof Grape }
  export default grape
}
