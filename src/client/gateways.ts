import { ClientError } from './client-error.js'

const MAX_GATEWAYS = 64

/** The addresses of gateways, one of which is used until it fails. */
export class Gateways {
  readonly #urls: readonly string[]
  #current = 0

  /** `http://host:port`, with or without a path before the API's. Throws `ClientError`. */
  constructor(urls: readonly string[]) {
    this.#urls = [...new Set(urls.map(base))]
    if (this.#urls.length === 0 || this.#urls.length > MAX_GATEWAYS) {
      throw new ClientError('INVALID_INPUT', `1 to ${MAX_GATEWAYS} gateways must be given`)
    }
  }

  get count(): number {
    return this.#urls.length
  }

  get current(): string {
    return this.#urls[this.#current] as string
  }

  /** The gateway failed: another is used from now on, if there is one and no other call has switched already. */
  failed(url: string): void {
    if (url === this.current) this.#current = (this.#current + 1) % this.#urls.length
  }
}

function base(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw new ClientError('INVALID_INPUT', `${JSON.stringify(text)} is no address of a gateway`, { cause })
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ClientError('INVALID_INPUT', `${text}: a gateway's address starts with http:// or https://`)
  }
  return (url.origin + url.pathname).replace(/\/+$/, '')
}
