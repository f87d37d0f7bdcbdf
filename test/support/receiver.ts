import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly headers: Record<string, string>
  readonly path: string
  readonly body: Buffer
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** A program that others POST to; `answer` says what it does, and can be changed at any time. */
export class Receiver {
  readonly received: Received[] = []
  /** Connections, also those without a request. */
  connections = 0
  answer: Answer = (response) => response.writeHead(204).end()
  readonly #server: Server
  readonly #scheme: string
  readonly #host: string

  constructor({
    host = '127.0.0.1',
    tls,
  }: { readonly host?: string; readonly tls?: { key: string; cert: string } } = {}) {
    this.#host = host
    this.#scheme = tls ? 'https' : 'http'
    const listener = async (request: IncomingMessage, response: ServerResponse) => {
      response.on('error', () => {})
      const chunks: Buffer[] = []
      try {
        for await (const chunk of request) chunks.push(chunk as Buffer)
      } catch {
        return
      }
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
      this.received.push({ headers, path: request.url ?? '', body: Buffer.concat(chunks) })
      this.answer(response, request)
    }
    this.#server = tls ? createTlsServer(tls, listener) : createServer(listener)
    this.#server.on('connection', (socket) => {
      this.connections += 1
      socket.on('error', () => {})
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  url(host = this.#host): string {
    return `${this.#scheme}://${host}:${this.port}/hook`
  }

  get last(): Received {
    const last = this.received.at(-1)
    if (!last) throw new Error('nothing was received')
    return last
  }

  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, this.#host, resolve)
    })
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
