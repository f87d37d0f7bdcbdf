import { connect, createServer, type Server, type Socket } from 'node:net'

/** Passes connections on to a port of this machine; cuts them all, or lets them hang, when told to. */
export class CuttingProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** The far ends, by the near ones. */
  readonly #pairs = new Map<Socket, Socket>()
  #held: 'nothing' | 'answers' | 'all' = 'nothing'

  /** That it passes new connections on to. */
  target: number

  private constructor(port: number) {
    this.target = port
    this.#server = createServer((near) => {
      const far = connect(this.target, '127.0.0.1')
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          this.#sockets.delete(socket)
          this.#pairs.delete(near)
          other.destroy()
        })
      }
      this.#pairs.set(near, far)
      this.#pass(near, far)
    })
  }

  /** `at`: the port that it listens on, such as that of one before it; any free one otherwise. */
  static async start(port: number, at = 0): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(port)
    await new Promise<void>((resolve) => proxy.#server.listen(at, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen')
    return address.port
  }

  /** How many connections were cut, of both sides. */
  cut(): number {
    const count = this.#sockets.size
    for (const socket of this.#sockets) socket.resetAndDestroy()
    return count
  }

  /** From now on nothing comes through, or no answers do; nobody hears that a socket is closed either. */
  hold(what: 'answers' | 'all'): void {
    this.#held = what
    for (const [near, far] of this.#pairs) {
      far.unpipe(near).pause()
      if (what === 'all') near.unpipe(far).pause()
    }
  }

  /** What was held goes on. */
  release(): void {
    this.#held = 'nothing'
    for (const [near, far] of this.#pairs) this.#pass(near, far)
  }

  #pass(near: Socket, far: Socket): void {
    if (this.#held !== 'all') near.pipe(far)
    if (this.#held === 'nothing') far.pipe(near)
  }

  async stop(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
