/** Bytes a slot: the length of the text, then the text. */
const SLOT_BYTES = 256
const LENGTH_BYTES = 4
const MAX_TEXT_BYTES = SLOT_BYTES - LENGTH_BYTES
/** What the length says of a text that does not fit. */
const TOO_LONG = -1
/** Signing takes a tenth of a millisecond: after this the thread that signs has come to harm. */
const PATIENCE_MS = 10_000

/**
 * Memory that the threads share, through which a commit's signature follows its commit: the writer thread begins while
 * the other one still signs, and waits for what is not there yet.
 */
export class SignatureSlots {
  readonly #words: Int32Array
  readonly #bytes: Buffer

  static sized(slots: number): SharedArrayBuffer {
    return new SharedArrayBuffer(slots * SLOT_BYTES)
  }

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory)
    this.#bytes = Buffer.from(memory)
  }

  /** To be called before the other thread learns of the slot. */
  clear(slot: number): void {
    Atomics.store(this.#words, wordOf(slot), 0)
  }

  put(slot: number, signature: string): void {
    const start = slot * SLOT_BYTES + LENGTH_BYTES
    const length = Buffer.byteLength(signature)
    const fits = length <= MAX_TEXT_BYTES
    if (fits) this.#bytes.write(signature, start)
    Atomics.store(this.#words, wordOf(slot), fits ? length : TOO_LONG)
    Atomics.notify(this.#words, wordOf(slot))
  }

  /** Blocks until the signature is there. Throws `RangeError` for one that did not fit. */
  take(slot: number): string {
    const word = wordOf(slot)
    if (Atomics.wait(this.#words, word, 0, PATIENCE_MS) === 'timed-out') throw new Error('a signature did not come')
    const length = Atomics.load(this.#words, word)
    if (length === TOO_LONG) throw new RangeError(`a signature of more than ${MAX_TEXT_BYTES} bytes`)
    const start = slot * SLOT_BYTES + LENGTH_BYTES
    return this.#bytes.toString('utf8', start, start + length)
  }
}

function wordOf(slot: number): number {
  return (slot * SLOT_BYTES) / LENGTH_BYTES
}
