import type { Duplex } from 'node:stream'

/** What waits to be written to one socket. */
export interface Outlet {
  readonly frames: Buffer[]
  readonly raw: Duplex
}

/** A flush that takes longer lets others have as much time before the next. */
const SHORT_MS = 2
const MAX_PAUSE_MS = 50
const TEXT_FRAME = 0x81
const SMALL = 126
const MEDIUM = 65_536

/** A whole text message as a server sends it: unmasked, so that the same bytes do for every reader. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const header = length < SMALL ? 2 : length < MEDIUM ? 4 : 10
  const frame = Buffer.allocUnsafe(header + length)
  frame[0] = TEXT_FRAME
  if (header === 2) frame[1] = length
  else if (header === 4) {
    frame[1] = SMALL
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = SMALL + 1
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, header)
  return frame
}

/** `textFrame` of ASCII text, each character a byte (latin1): what is written once needs no buffer of its own. */
export function asciiFrame(text: string): string {
  const { length } = text
  if (length < SMALL) return String.fromCharCode(TEXT_FRAME, length) + text
  if (length >= MEDIUM) throw new RangeError(`${length} characters in one frame`)
  return String.fromCharCode(TEXT_FRAME, SMALL, length >> 8, length & 0xff) + text
}

/**
 * Writes events to the sockets that listen: what gathers for a socket while others are written to goes as one write,
 * and readers who wait for the same events share its bytes.
 */
export class SocketWriter {
  #outlets: Outlet[] = []
  #scheduled = false
  #pauseMs = 0
  #last: { readonly frames: readonly Buffer[]; readonly bytes: Buffer } | null = null

  /** Events for all sockets that wait to be written. */
  get waiting(): number {
    return this.#outlets.length
  }

  write(outlet: Outlet, frame: Buffer): void {
    if (outlet.frames.push(frame) > 1) return
    this.#outlets.push(outlet)
    if (this.#scheduled) return
    this.#scheduled = true
    if (this.#pauseMs > 0) setTimeout(() => this.#flush(), this.#pauseMs)
    else setImmediate(() => this.#flush())
  }

  #flush(): void {
    const startedMs = performance.now()
    const outlets = this.#outlets
    this.#outlets = []
    this.#scheduled = false
    for (const outlet of outlets) this.empty(outlet)
    this.#last = null
    const tookMs = performance.now() - startedMs
    this.#pauseMs = tookMs < SHORT_MS ? 0 : Math.min(MAX_PAUSE_MS, tookMs)
  }

  /** At once: before something that must come after it. */
  empty(outlet: Outlet): void {
    if (outlet.frames.length === 0) return
    const bytes = this.#joined(outlet.frames)
    outlet.frames.length = 0
    if (outlet.raw.writable) outlet.raw.write(bytes)
  }

  #joined(frames: readonly Buffer[]): Buffer {
    if (frames.length === 1) return frames[0] as Buffer
    const last = this.#last
    if (last?.frames.length === frames.length && last.frames.every((frame, i) => frame === frames[i])) return last.bytes
    const bytes = Buffer.concat(frames)
    this.#last = { frames: [...frames], bytes }
    return bytes
  }
}
