import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'

/**
 * What the code that checks logs uses of Node, for browsers. It hashes and compares at once, where WebCrypto would
 * answer later: the code is the very same on both sides, and stays without promises in its inner loops.
 */

type Encoding = 'hex' | 'base64url' | 'latin1' | 'utf8' | 'utf-8' | 'utf16le'

const encoder = new TextEncoder()

/** As much of Node's Buffer as that code uses. */
export class ByteBuffer extends Uint8Array<ArrayBuffer> {
  // biome-ignore lint/suspicious/noExplicitAny: as wide as the one of typed arrays that it stands in for.
  static override from(source: any, second?: any, length?: number): any {
    if (typeof source === 'string') return bytesOf(source, second)
    if (source instanceof ArrayBuffer) return new ByteBuffer(source, second, length)
    return new ByteBuffer(Uint8Array.from(source).buffer)
  }

  static byteLength(text: string): number {
    return encoder.encode(text).length
  }

  static allocUnsafe(size: number): ByteBuffer {
    return new ByteBuffer(new ArrayBuffer(size))
  }

  static concat(parts: readonly Uint8Array[]): ByteBuffer {
    const whole = ByteBuffer.allocUnsafe(parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }

  override toString(encoding: Encoding = 'utf8', start = 0, end = this.length): string {
    const bytes = this.subarray(start, end)
    if (encoding === 'hex') return hexOf(bytes)
    if (encoding === 'utf8' || encoding === 'utf-8') return new TextDecoder().decode(bytes)
    let text = ''
    const width = encoding === 'utf16le' ? 2 : 1
    for (let i = 0; i + width <= bytes.length; i += width)
      text += String.fromCharCode((bytes[i] as number) | (width === 2 ? (bytes[i + 1] as number) << 8 : 0))
    return text
  }

  /** In UTF-16, which is all that is written so. */
  write(text: string, at: number, _encoding: 'utf16le'): number {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      this[at + 2 * i] = unit & 0xff
      this[at + 2 * i + 1] = unit >> 8
    }
    return 2 * text.length
  }

  copy(target: Uint8Array, targetStart = 0, start = 0, end = this.length): number {
    target.set(this.subarray(start, end), targetStart)
    return end - start
  }
}

function bytesOf(text: string, encoding: Encoding = 'utf8'): ByteBuffer {
  if (encoding === 'hex')
    return new ByteBuffer(Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)).buffer)
  if (encoding === 'base64url') {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return new ByteBuffer(Uint8Array.from(binary, (char) => char.charCodeAt(0)).buffer)
  }
  return new ByteBuffer(encoder.encode(text).buffer as ArrayBuffer)
}

function hexOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** `node:crypto`. Only SHA-256 is asked for. */
export function hash(_algorithm: 'sha256', data: string | Uint8Array, _encoding?: 'hex'): string {
  return hexOf(sha256(typeof data === 'string' ? encoder.encode(data) : data))
}

export function createHash(_algorithm: 'sha256') {
  const made = sha256.create()
  const self = {
    update(data: string | Uint8Array) {
      made.update(typeof data === 'string' ? encoder.encode(data) : data)
      return self
    },
    digest: (encoding?: 'hex') => {
      const bytes = made.digest()
      return encoding === 'hex' ? hexOf(bytes) : new ByteBuffer(Uint8Array.from(bytes).buffer)
    },
  }
  return self
}

export function randomInt(below: number): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] as number) % below
}

/** `node:buffer`. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1
  return value
})

/** `node:zlib`. */
export function crc32(data: string | Uint8Array): number {
  const bytes = typeof data === 'string' ? encoder.encode(data) : data
  let crc = 0xffffffff
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

/** As strict as OpenSSL, which nodes check with. */
export function verifyEd25519(text: string, signature: string, publicKey: string): boolean {
  const options = { zip215: false }
  try {
    return ed25519.verify(
      bytesOf(signature, 'base64url'),
      encoder.encode(text),
      bytesOf(publicKey, 'base64url'),
      options,
    )
  } catch {
    return false
  }
}

Object.assign(globalThis, { Buffer: ByteBuffer })
