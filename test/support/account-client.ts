import { once } from 'node:events'
import { io, type Socket } from 'socket.io-client'
import { WebSocket } from 'ws'
import { eventually } from './eventually.js'
import type { TestGateway } from './test-gateway.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look at what a server said, whatever it is.
export type Message = any

export const PASSWORD = 'correct horse battery'

/** Somebody with an account at a gateway. */
export interface Member {
  readonly id: string
  readonly name: string
  readonly token: string
  readonly refreshToken: string
  readonly headers: { readonly authorization: string }
}

export async function register(gateway: TestGateway, username: string): Promise<Member> {
  const { status, body } = await gateway.post('/auth/register', { username, password: PASSWORD })
  if (status !== 201) throw new Error(`register was answered with ${status}: ${JSON.stringify(body)}`)
  return memberOf(body)
}

export function memberOf(body: Message): Member {
  const { access_token: token, refresh_token: refreshToken, user } = body
  return {
    id: user.id,
    name: user.username,
    token,
    refreshToken,
    headers: { authorization: `Bearer ${token}` },
  }
}

/** Connections of whatever kind, and what they have heard; all of them are closed together. */
export class LiveClients {
  readonly #close: (() => void)[] = []

  async webSocket(url: string): Promise<WebSocketClient> {
    const socket = new WebSocket(url)
    this.#close.push(() => socket.terminate())
    const client = new WebSocketClient(socket)
    await once(socket, 'open')
    return client
  }

  socketIo(gateway: TestGateway, auth: object, options: object = {}): SocketIoClient {
    const socket = io(`${gateway.url}/auction`, { auth, forceNew: true, reconnection: false, ...options })
    this.#close.push(() => socket.disconnect())
    return new SocketIoClient(socket)
  }

  close(): void {
    for (const close of this.#close.splice(0)) close()
  }
}

export class WebSocketClient {
  readonly heard: Message[] = []

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.heard.push(JSON.parse(data.toString())))
    socket.on('error', () => {})
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message))
  }

  /** The first of this type, or the nth. */
  next(type: string, nth = 0): Promise<Message> {
    return eventually(`a ${type}`, () => this.heard.filter((one) => one.type === type).at(nth), 12_000)
  }
}

export class SocketIoClient {
  readonly heard: { event: string; data: Message }[] = []

  constructor(readonly socket: Socket) {
    socket.onAny((event: string, data: Message) => this.heard.push({ event, data }))
  }

  next(event: string, nth = 0): Promise<Message> {
    return eventually(
      `a ${event}`,
      () =>
        this.heard
          .filter((one) => one.event === event)
          .map(({ data }) => data)
          .at(nth),
      12_000,
    )
  }

  ask(event: string, request: object): Promise<Message> {
    return this.socket.timeout(10_000).emitWithAck(event, request)
  }
}
