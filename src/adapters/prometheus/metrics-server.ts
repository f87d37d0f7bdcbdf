import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { MetricsPage } from '../../ports/system/metrics.js'
import { isLoopback, isLoopbackName } from '../system/ip-address.js'

export interface MetricsServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

const REQUEST_TIMEOUT_MS = 5_000
const MAX_CONNECTIONS = 32

/**
 * Serves GET /metrics and /health for a node without a gateway. On loopback it answers only to loopback's names: a page
 * elsewhere could make its own host name point here, and read the answer.
 */
export class MetricsServer {
  readonly #page: MetricsPage
  readonly #options: MetricsServerOptions
  #server: Server | null = null

  constructor({ page }: { page: MetricsPage }, options: MetricsServerOptions) {
    this.#page = page
    this.#options = options
  }

  /** Where it listens. Rejects with the error of `listen`. */
  async start(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options
    const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      if (isLoopback(host) && !isLoopbackName(request.headers.host)) {
        const rule = 'this serves this machine alone: call it by its address, such as 127.0.0.1\n'
        response.writeHead(403, { 'content-type': 'text/plain' }).end(rule)
        return
      }
      const path = request.url?.split('?')[0]
      if (request.method === 'GET' && path === '/health') {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}\n')
        return
      }
      if (request.method !== 'GET' || path !== '/metrics') {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('there is only GET /metrics\n')
        return
      }
      this.#page.text().then(
        (text) => response.writeHead(200, { 'content-type': this.#page.contentType }).end(text),
        () => response.writeHead(500).end(),
      )
    })
    server.maxConnections = MAX_CONNECTIONS
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
    this.#server = server
    return { host, port: (server.address() as AddressInfo).port }
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (!server) return
    await new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }
}
