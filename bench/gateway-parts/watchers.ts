import { once } from 'node:events'
import { WebSocket } from 'ws'

/** What the parent asks for: connections that watch one auction, or none. */
export interface WatcherLoad {
  /** With the query. */
  readonly url: string
  readonly connections: number
}

/** Sent for "report": when the last of this process's watchers heard of each seq, milliseconds of the system's clock. */
export interface WatcherReport {
  readonly lastHeard: readonly (readonly [seq: number, at: number, watchers: number])[]
}

const AT_ONCE = 100
const heard = new Map<number, { at: number; watchers: number }>()

process.on('message', (message: WatcherLoad | 'report') => {
  if (message === 'report') {
    const lastHeard = [...heard].map(([seq, { at, watchers }]) => [seq, at, watchers] as const)
    process.send?.({ lastHeard } satisfies WatcherReport)
    return
  }
  connect(message).then(
    () => process.send?.('connected'),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')

async function connect({ url, connections }: WatcherLoad): Promise<void> {
  for (let done = 0; done < connections; done += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, connections - done) }, async () => {
      const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true })
      socket.on('message', note)
      await once(socket, 'open')
    })
    await Promise.all(some)
  }
}

const UPDATE = '{"type":"bid_update"'

function note(data: Buffer | ArrayBuffer | Buffer[]): void {
  const text = data.toString()
  if (!text.startsWith(UPDATE)) return
  const seq = Number(/"seq":(\d+)/.exec(text)?.[1])
  const at = performance.timeOrigin + performance.now()
  const entry = heard.get(seq)
  if (entry) {
    entry.at = at
    entry.watchers += 1
  } else heard.set(seq, { at, watchers: 1 })
}
