import { Backoff } from './backoff.js'
import type { Emitter } from './emitter.js'
import type { Gateways } from './gateways.js'
import type { EventMessage, ReplyMessage, SentMessage } from './messages.js'
import type { ServerClock } from './server-clock.js'
import type { Session } from './session.js'
import { SignIn } from './sign-in.js'
import type { SocketLike, SocketMaker } from './sockets.js'
import type { TimeSource } from './time-source.js'

/** The state of the connection to the gateways' live events. */
export interface ConnectionState {
  readonly state: 'connecting' | 'online' | 'offline' | 'stopped'
  readonly gateway: string
  /** Offline: when the next try is made, and why it was lost. */
  readonly retryInMs?: number
  readonly reason?: string
}

export interface LiveConnectionDeps {
  readonly clock: ServerClock
  readonly gateways: Gateways
  readonly random: () => number
  readonly session: Session
  readonly sockets: SocketMaker
  readonly time: TimeSource
  readonly states: Emitter<{ connection: ConnectionState }>
}

export interface LiveListener {
  /** Connected, perhaps again: subscriptions have to be sent again. */
  online(gateway: string): void
  message(message: ReplyMessage | EventMessage): void
  /** Requests without an answer will get none. */
  lost(reason: string): void
}

const BACKOFF = { baseMs: 250, maxMs: 10_000 }
/** From the first try to the greeting. */
const OPEN_PATIENCE_MS = 10_000
const PING_INTERVAL_MS = 10_000
/** After this time without a message, the connection counts as dead. */
const SILENCE_MS = 25_000
/** Round trips right after the greeting, to set the clock by. */
const FIRST_PINGS = 4
/** After a connection that lasted this long, the next failure starts at the shortest delay. */
const GOOD_AFTER_MS = 10_000

/** One WebSocket to whichever gateway serves, opened again whenever it is lost. */
export class LiveConnection {
  readonly #deps: LiveConnectionDeps
  readonly #listener: LiveListener
  readonly #backoff: Backoff
  #socket: SocketLike | null = null
  #gateway = ''
  #signIn: SignIn | null = null
  #online = false
  #running = false
  #onlineAtMs = 0
  #heardAtMs = 0
  #failures = 0
  readonly #pings = new Map<number, number>()
  #pingId = 0
  #firstPings = 0
  #timers: { cancel(): void }[] = []

  constructor(deps: LiveConnectionDeps, listener: LiveListener) {
    this.#deps = deps
    this.#listener = listener
    this.#backoff = new Backoff(BACKOFF, deps.random)
  }

  get online(): boolean {
    return this.#online
  }

  /** The gateway knows who this is: bids can be sent. */
  get signedIn(): boolean {
    return this.#online && this.#signIn?.done === true
  }

  /** Idempotent. */
  start(): void {
    if (this.#running) return
    this.#running = true
    void this.#open()
  }

  /** Idempotent; it can be started again. */
  stop(): void {
    if (!this.#running) return
    this.#running = false
    this.#drop('stopped')
    this.#notify('stopped')
  }

  /** False: there is no connection, and nothing was sent. */
  send(message: SentMessage): boolean {
    if (!this.#online || !this.#socket) return false
    this.#socket.send(JSON.stringify(message))
    return true
  }

  async #open(): Promise<void> {
    const { clock, gateways, session, sockets, time } = this.#deps
    if (gateways.current !== this.#gateway) clock.reset()
    const gateway = gateways.current
    this.#gateway = gateway
    this.#notify('connecting')
    const startedMs = time.monotonicMs()
    try {
      const { headers, query } = await session.presented(sockets.sendsHeaders)
      if (!this.#running || this.#socket) return
      const shown = sockets.sendsHeaders ? await session.credential() : null
      if (!this.#running || this.#socket) return
      const search = new URLSearchParams(query).toString()
      const url = `${gateway.replace(/^http/, 'ws')}/ws${search === '' ? '' : `?${search}`}`
      const socket = sockets.open(url, headers)
      this.#socket = socket
      this.#signIn = new SignIn({ session, socket }, shown)
      const patience = time.after(OPEN_PATIENCE_MS, () => this.#lose(socket, 'no greeting came in time'))
      this.#timers.push(patience)
      socket.onerror = () => this.#lose(socket, 'the connection failed')
      socket.onclose = ((event: { code?: number; reason?: string }) =>
        this.#lose(socket, event.reason || `closed (${event.code ?? 'no code'})`)) as never
      socket.onmessage = ((event: { data: unknown }) => {
        if (socket === this.#socket) this.#receive(socket, String(event.data), { startedMs, patience })
      }) as never
    } catch (error) {
      this.#again(error instanceof Error ? error.message : String(error))
    }
  }

  #receive(
    socket: SocketLike,
    text: string,
    { startedMs, patience }: { startedMs: number; patience: { cancel(): void } },
  ): void {
    const { clock, time } = this.#deps
    this.#heardAtMs = time.monotonicMs()
    let message: ReplyMessage | EventMessage
    try {
      message = JSON.parse(text)
    } catch {
      this.#lose(socket, 'the gateway sent what is no JSON')
      return
    }
    const signIn = this.#signIn as SignIn
    if (message.type === 'welcome' && !this.#online) {
      // The upgrade is a round trip too, if a long one: the first ping is better.
      clock.note(startedMs, Date.parse(message.server_time), this.#heardAtMs)
      // Before anything else, so that all requests are made as this caller.
      const asked = signIn.welcome(message)
      if (asked) void asked.then(() => this.#goOnline(socket, patience))
      else this.#goOnline(socket, patience)
    } else if (signIn.message(message)) {
      return
    } else if (message.type === 'pong') {
      this.#pong(socket, message)
    } else if (this.#online) {
      this.#listener.message(message)
      if (message.type === 'goodbye') this.#lose(socket, message.reason)
    }
  }

  #goOnline(socket: SocketLike, patience: { cancel(): void }): void {
    if (socket !== this.#socket || this.#online) return
    patience.cancel()
    this.#online = true
    this.#onlineAtMs = this.#deps.time.monotonicMs()
    this.#failures = 0
    this.#firstPings = FIRST_PINGS
    this.#notify('online')
    this.#beat(socket)
    this.#listener.online(this.#gateway)
  }

  #pong(socket: SocketLike, { id, server_time }: Extract<ReplyMessage, { type: 'pong' }>): void {
    const sentMs = this.#pings.get(Number(id))
    if (sentMs === undefined) return
    this.#pings.clear()
    this.#deps.clock.note(sentMs, Date.parse(server_time), this.#heardAtMs)
    this.#firstPings -= 1
    if (this.#firstPings > 0) this.#ping(socket)
  }

  #ping(socket: SocketLike): void {
    if (socket !== this.#socket) return
    this.#pingId += 1
    this.#pings.set(this.#pingId, this.#deps.time.monotonicMs())
    this.send({ type: 'ping', id: this.#pingId })
  }

  #beat(socket: SocketLike): void {
    if (socket !== this.#socket) return
    const { time } = this.#deps
    if (time.monotonicMs() - this.#heardAtMs >= SILENCE_MS) {
      this.#lose(socket, `nothing was heard for ${SILENCE_MS / 1_000} s`)
      return
    }
    this.#ping(socket)
    // Tokens are renewed while the old one is still good: the connection is never nobody's. What fails is tried again.
    void this.#signIn?.renew()
    this.#timers = [time.after(PING_INTERVAL_MS, () => this.#beat(socket))]
  }

  #lose(socket: SocketLike, reason: string): void {
    if (socket !== this.#socket) return
    const { gateways, session, time } = this.#deps
    const wasOnline = this.#online
    if (wasOnline && time.monotonicMs() - this.#onlineAtMs >= GOOD_AFTER_MS) this.#backoff.reset()
    gateways.failed(this.#gateway)
    this.#drop(reason)
    // An upgrade that is refused looks like any other failure; an expired token is one reason.
    const renewed = wasOnline ? Promise.resolve(false) : session.renew().catch(() => false)
    void renewed.then(() => this.#again(reason))
  }

  /** Each other gateway is tried at once; then with growing delays. */
  #again(reason: string): void {
    if (!this.#running || this.#socket) return
    const { gateways, time } = this.#deps
    this.#failures += 1
    const retryInMs = this.#failures < gateways.count ? 0 : this.#backoff.nextMs()
    this.#notify('offline', { retryInMs, reason })
    this.#timers = [time.after(retryInMs, () => void this.#open())]
  }

  #drop(reason: string): void {
    const socket = this.#socket
    const wasOnline = this.#online
    this.#socket = null
    this.#signIn?.end()
    this.#online = false
    this.#pings.clear()
    for (const timer of this.#timers.splice(0)) timer.cancel()
    if (socket) {
      socket.onopen = null
      socket.onmessage = null
      socket.onclose = null
      socket.onerror = () => {}
      if (socket.terminate && reason !== 'stopped') socket.terminate()
      else socket.close()
    }
    if (wasOnline) this.#listener.lost(reason)
  }

  #notify(state: ConnectionState['state'], more: { retryInMs?: number; reason?: string } = {}): void {
    this.#deps.states.emit('connection', { state, gateway: this.#gateway, ...more })
  }
}
