import { connect, type Socket } from 'node:net'

const CR = 0x0d
/** Entries of the queue that are kept after their reply. */
const MOST_TAKEN = 10_000

/** Of Redis's protocol (RESP2) the replies that are one value; arrays are refused. */
export type Reply = string | number | null

/**
 * A connection to Redis over a Unix socket. Commands of one turn of the event loop leave in one write, which is what
 * the usual clients call automatic pipelining; replies come in the order of the commands.
 */
export class RespClient {
  readonly #socket: Socket
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = []
  #taken = 0
  #outgoing = ''
  #rest = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes) => this.#read(bytes))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('Redis has closed the connection')))
  }

  static connect(path: string): Promise<RespClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path, () => {
        socket.off('error', reject)
        resolve(new RespClient(socket))
      })
      socket.once('error', reject)
    })
  }

  /** Rejects with what Redis says where it refuses the command, and where the connection is lost. */
  command(...words: readonly string[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (this.#outgoing === '') setImmediate(() => this.#flush())
      let text = `*${words.length}\r\n`
      for (const word of words) text += `$${Buffer.byteLength(word)}\r\n${word}\r\n`
      this.#outgoing += text
    })
  }

  end(): void {
    this.#socket.destroy()
  }

  #flush(): void {
    this.#socket.write(this.#outgoing)
    this.#outgoing = ''
  }

  #read(bytes: Buffer): void {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes
    let at = 0
    for (;;) {
      const lineEnd = data.indexOf(CR, at)
      if (lineEnd < 0 || data.length < lineEnd + 2) break
      const kind = String.fromCharCode(data[at] as number)
      const line = data.toString('latin1', at + 1, lineEnd)
      let end = lineEnd + 2
      if (kind === '$' && line !== '-1') end += Number(line) + 2
      if (data.length < end) break
      if (kind === '$') this.#settle(line === '-1' ? null : data.toString('utf8', lineEnd + 2, end - 2))
      else if (kind === ':') this.#settle(Number(line))
      else if (kind === '+') this.#settle(line)
      else this.#settle(new Error(kind === '-' ? line : `a reply of the kind "${kind}" is not read here`))
      at = end
    }
    this.#rest = Buffer.from(data.subarray(at))
  }

  #settle(reply: Reply | Error): void {
    const next = this.#waiting[this.#taken++]
    // Moving the array along for each reply would cost more than the reply.
    if (this.#taken >= MOST_TAKEN) {
      this.#waiting.splice(0, this.#taken)
      this.#taken = 0
    }
    if (reply instanceof Error) next?.reject(reply)
    else next?.resolve(reply)
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0).slice(this.#taken)) reject(error)
    this.#taken = 0
  }
}
