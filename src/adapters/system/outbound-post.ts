import { lookup as resolve } from 'node:dns'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { printable } from '../../domain/limits.js'
import type { Clock } from '../../ports/system/clock.js'
import { isInNetwork, isPublicAddress, type Network } from './ip-address.js'

/**
 * POSTs to addresses that strangers have named. Nobody may reach the operator's own networks by it, so each address is
 * checked where the connection is made: what a name resolves to for a check before may be another the next moment (DNS
 * rebinding). Redirects are answers like any other, since they lead to addresses that nobody has checked.
 */
export interface OutboundPostOptions {
  /** Networks that may be called though they are not public, also without TLS. */
  readonly allowedNetworks: readonly Network[]
  /** From the look-up to the last byte that is read. */
  readonly timeoutMs: number
  /** Of authorities trusted instead of the well-known ones. */
  readonly ca?: string
  readonly resolve?: typeof resolve
}

export interface OutboundRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string | Buffer
}

export type OutboundAnswer =
  /** `retryAfterMs`: from now, if the answer names it. `text`: the beginning of the body, as one line. */
  | { readonly ok: true; readonly status: number; readonly retryAfterMs: number | null; readonly text: string }
  /** `mayChange`: another attempt can go well. */
  | { readonly ok: false; readonly mayChange: boolean; readonly why: string }

const MAX_ANSWER_BYTES = 4_096
const MAX_HEADER_BYTES = 16_384
const MAX_TEXT_LENGTH = 200
const MAX_RETRY_AFTER_MS = 86_400_000

class RefusedAddress extends Error {}

export class OutboundPost {
  readonly #clock: Pick<Clock, 'now'>
  readonly #options: OutboundPostOptions

  constructor({ clock }: { clock: Pick<Clock, 'now'> }, options: OutboundPostOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** Never rejects. Opens a connection of its own, and closes it. An answer counts from its head on. */
  async send({ url, headers, body }: OutboundRequest, signal: AbortSignal): Promise<OutboundAnswer> {
    const { timeoutMs } = this.#options
    const deadline = AbortSignal.timeout(timeoutMs)
    try {
      const target = this.#checked(url)
      const isTls = target.protocol === 'https:'
      const { ca } = this.#options
      const request = (isTls ? https : http).request(target, {
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        agent: false,
        lookup: this.#lookup(isTls),
        maxHeaderSize: MAX_HEADER_BYTES,
        signal: AbortSignal.any([signal, deadline]),
        ...(ca === undefined ? {} : { ca }),
      })
      const response = new Promise<IncomingMessage>((answered, failed) => {
        request.once('response', answered)
        // Stays: a connection may break again while it is closed.
        request.on('error', failed)
        // An upgrade that nobody asked for ends without a word.
        request.once('close', () => failed(new Error('closed without an answer')))
      })
      request.end(body)
      return await this.#read(await response).finally(() => request.destroy())
    } catch (error) {
      if (error instanceof RefusedAddress) return { ok: false, mayChange: false, why: error.message }
      if (signal.aborted) return { ok: false, mayChange: true, why: 'stopped before there was an answer' }
      if (deadline.aborted) return { ok: false, mayChange: true, why: `no answer within ${timeoutMs} ms` }
      const { code, message } = error as NodeJS.ErrnoException
      return { ok: false, mayChange: true, why: `no connection: ${code ?? printable(message)}` }
    }
  }

  /** A name is looked up, and checked, later; an address is used as it is. */
  #checked(url: string): URL {
    const target = URL.parse(url)
    if (target === null || !['http:', 'https:'].includes(target.protocol))
      throw new RefusedAddress('the URL has to begin with https://')
    const host = target.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && !this.#mayCall(host, target.protocol === 'https:')) throw refusal(target.protocol)
    return target
  }

  #lookup(isTls: boolean): LookupFunction {
    const find = this.#options.resolve ?? resolve
    return (host, options, done) => {
      find(host, { ...options, all: true }, (error, found) => {
        if (error) return done(error, [])
        const usable = found.filter(({ address }) => this.#mayCall(address, isTls))
        const [first] = usable
        if (first === undefined) return done(refusal(isTls ? 'https:' : 'http:'), [])
        return options.all ? done(null, usable) : done(null, first.address, first.family)
      })
    }
  }

  #mayCall(address: string, isTls: boolean): boolean {
    const isAllowed = this.#options.allowedNetworks.some((network) => isInNetwork(address, network))
    return isAllowed || (isTls && isPublicAddress(address))
  }

  async #read(response: IncomingMessage): Promise<OutboundAnswer> {
    const chunks: Buffer[] = []
    let bytes = 0
    try {
      for await (const chunk of response) {
        chunks.push(chunk as Buffer)
        bytes += (chunk as Buffer).length
        if (bytes >= MAX_ANSWER_BYTES) break
      }
    } catch {
      // The head has said what counts.
    }
    return {
      ok: true,
      status: response.statusCode as number,
      retryAfterMs: this.#retryAfterMs(response.headers['retry-after']),
      text: printable(Buffer.concat(chunks).toString('utf8').slice(0, MAX_TEXT_LENGTH)),
    }
  }

  /** Seconds, or a date (RFC 9110, 10.2.3). */
  #retryAfterMs(text: string | undefined): number | null {
    if (text === undefined) return null
    const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - this.#clock.now()
    return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS)
  }
}

function refusal(protocol: string): RefusedAddress {
  const rule = protocol === 'https:' ? 'the address is not public' : 'without TLS only allowed networks may be called'
  return new RefusedAddress(`${rule}: use a public https:// URL, or allow its network`)
}
