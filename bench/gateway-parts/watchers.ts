import { connect as connectTcp, type Socket } from 'node:net'
import { serveParent } from './serve-parent.js'

/** What the parent asks for: connections that watch one auction, or none. */
export interface WatcherLoad {
  /** With the query. */
  readonly url: string
  readonly connections: number
}

/**
 * Sent for "report": for each number of a bid's event in the log, when the last of this process's watchers had heard of
 * it or of a later one, in milliseconds of the system's clock; and how many had.
 */
export interface WatcherReport {
  readonly lastHeard: readonly (readonly [seq: number, at: number, watchers: number])[]
  readonly messages: number
}

const AT_ONCE = 50
const PRICE = Buffer.from('{"type":"bid_update"')
const SEQ = Buffer.from('"seq":')
const ZERO = 0x30
const HEADER_END = Buffer.from('\r\n\r\n')

const lastAt: number[] = []
const heardBy: number[] = []
let messages = 0

serveParent(async (asked: WatcherLoad | 'report') => {
  if (asked === 'report') return report()
  await connect(asked)
  return 'connected'
})

function report(): WatcherReport {
  const lastHeard = lastAt.map((at, seq) => [seq, at, heardBy[seq] ?? 0] as const).filter(Boolean)
  return { lastHeard, messages }
}

async function connect({ url, connections }: WatcherLoad): Promise<void> {
  for (let done = 0; done < connections; done += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, connections - done) }, () => watch(new URL(url))))
}

/** Reads frames itself: a full client for each of thousands of watchers would be what is measured. */
function watch({ hostname, port, pathname, search }: URL): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connectTcp(Number(port), hostname)
    const reader = new FrameReader()
    let isOpen = false
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the gateway has closed a connection')))
    socket.on('data', (bytes) => {
      if (isOpen) return reader.read(bytes)
      const end = bytes.indexOf(HEADER_END)
      if (!bytes.toString('latin1', 0, 12).startsWith('HTTP/1.1 101'))
        return reject(new Error(bytes.toString('latin1', 0, 200)))
      isOpen = true
      reader.read(bytes.subarray(end + HEADER_END.length))
      resolve()
    })
    socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
  })
}

class FrameReader {
  #rest: Buffer | null = null
  /** The newest that this watcher has heard of. */
  #seq = 0

  read(bytes: Buffer): void {
    const data = this.#rest ? Buffer.concat([this.#rest, bytes]) : bytes
    const now = performance.timeOrigin + performance.now()
    let at = 0
    for (;;) {
      if (data.length < at + 2) break
      const short = (data[at + 1] as number) & 0x7f
      const header = short < 126 ? 2 : short === 126 ? 4 : 10
      if (data.length < at + header) break
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2))
      const end = at + header + length
      if (data.length < end) break
      this.#message(data, at + header, now)
      at = end
    }
    this.#rest = at < data.length ? data.subarray(at) : null
  }

  #message(data: Buffer, start: number, now: number): void {
    if (data.compare(PRICE, 0, PRICE.length, start, start + PRICE.length) !== 0) return
    messages += 1
    let seq = 0
    for (let i = data.indexOf(SEQ, start) + SEQ.length; ; i++) {
      const digit = (data[i] as number) - ZERO
      if (digit < 0 || digit > 9) break
      seq = seq * 10 + digit
    }
    // A conflated watcher knows with this price that those before it are over.
    for (let own = this.#seq + 1; own <= seq; own++) {
      lastAt[own] = now
      heardBy[own] = (heardBy[own] ?? 0) + 1
    }
    this.#seq = seq
  }
}
