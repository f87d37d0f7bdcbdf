/** Why bytes are no picture that may be shown: the rule that they break, and what to do about it. */
export class PictureProblem extends Error {
  constructor(
    readonly rule: string,
    readonly next: string,
  ) {
    super(rule)
    this.name = 'PictureProblem'
  }
}

/** What reading a file of one format gives. */
export interface CleanedFile {
  readonly bytes: Uint8Array
  /** As shown: turned as its orientation says. */
  readonly width: number
  readonly height: number
  /** What was left out, in words. */
  readonly removed: readonly string[]
}

const SAVE_ANEW = 'open it in an image editor and save it anew as JPEG, PNG or WebP'

export function damaged(what: string): PictureProblem {
  return new PictureProblem(`is damaged: ${what}`, SAVE_ANEW)
}

export function cutOff(): PictureProblem {
  return damaged('it is cut off before its end')
}

export function unsupported(what: string): PictureProblem {
  return new PictureProblem(`${what}, which is not supported`, SAVE_ANEW)
}

export function uint16(bytes: Uint8Array, at: number): number {
  if (at + 2 > bytes.length) throw cutOff()
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

export function uint32(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at) * 0x10000 + uint16(bytes, at + 2)
}

export function uint24Little(bytes: Uint8Array, at: number): number {
  if (at + 3 > bytes.length) throw cutOff()
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
}

export function uint32Little(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw cutOff()
  return uint24Little(bytes, at) + (bytes[at + 3] as number) * 0x1000000
}

/** Characters of one byte each. */
export function latin(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}

export function ofLatin(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

export function startsWith(bytes: Uint8Array, text: string): boolean {
  return latin(bytes, 0, text.length) === text
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
