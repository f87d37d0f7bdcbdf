import Link, { type LinkCallback } from 'grenache-nodejs-link'

/** Longer than an embedded Grape takes to look up while nodes it knows are dead. */
const REQUEST_TIMEOUT_MS = 5_000
const MAX_ANSWER_BYTES = 256 * 1024
/** The Link keeps lookups for 10 s of its own; 0 would mean for ever. */
const LOOKUP_CACHE_MS = 1

/** A Link whose requests end with `stop`, and whose answers are limited. */
export class GrapeLink extends Link {
  readonly #stopping = new AbortController()

  constructor(grapeUrl: string) {
    super({ grape: grapeUrl, requestTimeout: REQUEST_TIMEOUT_MS, lruMaxAgeLookup: LOOKUP_CACHE_MS })
  }

  /** The Grape's own answer, which is a text where something went wrong. */
  ask(type: 'announce' | 'lookup', payload: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.request(type, payload, { retry: 1 }, (error, answer) => {
        if (error) reject(error)
        else resolve(answer)
      })
    })
  }

  override _post(url: string, data: unknown, opts: object, cb: LinkCallback): Promise<void> {
    const { signal } = this.#stopping
    return super._post(url, data, { ...opts, signal, size: MAX_ANSWER_BYTES, redirect: 'error' }, cb)
  }

  override stop(): this {
    this.#stopping.abort()
    return super.stop()
  }
}
