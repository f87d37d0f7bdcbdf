/** What the client needs of a WebSocket: browsers' own will do, and that of `ws`. */
export interface SocketLike {
  send(text: string): void
  close(): void
  /** Closes it without waiting for the other side, if possible. */
  terminate?(): void
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
}

export interface SocketMaker {
  /** Whether `headers` are sent; browsers cannot. */
  readonly sendsHeaders: boolean
  open(url: string, headers: Readonly<Record<string, string>>): SocketLike
}
