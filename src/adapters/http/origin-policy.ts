import type { IncomingHttpHeaders } from 'node:http'
import { isLoopbackName } from '../system/ip-address.js'
import { RequestError } from './problem.js'

export interface OriginPolicyOptions {
  /** Origins of pages elsewhere that may use this gateway: "https://shop.example". "*": any. */
  readonly allowed: readonly string[]
  /** Only loopback names in the Host header: a page elsewhere cannot lead its own host name here. */
  readonly loopbackOnly: boolean
}

/** Which web pages may speak to this gateway. Programs that are no browsers send no Origin. */
export class OriginPolicy {
  readonly #options: OriginPolicyOptions

  constructor(options: OriginPolicyOptions) {
    this.#options = options
  }

  /** For CORS: whether a page of this origin may read answers. */
  isAllowed(origin: string): boolean {
    const { allowed } = this.#options
    return allowed.includes('*') || allowed.includes(origin)
  }

  /** The refusal of a request that a page must not make, or null. */
  refusal({ host, origin }: IncomingHttpHeaders): RequestError | null {
    if (this.#options.loopbackOnly && !isLoopbackName(host)) {
      return new RequestError(403, 'HOST_NOT_ALLOWED', 'this gateway serves this machine alone', {
        next: 'call it by its address, such as 127.0.0.1',
      })
    }
    if (origin === undefined || isOwn(origin, host) || this.isAllowed(origin)) return null
    return new RequestError(403, 'ORIGIN_NOT_ALLOWED', 'pages of this origin may not use this gateway', {
      next: 'who runs the gateway can allow it with --http-origins',
    })
  }
}

function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
}
