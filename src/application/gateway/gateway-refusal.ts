import type { Json } from './json-shapes.js'

/** Why a gateway refuses a request by itself. Stable: programs decide by them. */
export type GatewayRefusalCode =
  | 'ACCOUNT_NEEDED'
  | 'INVALID_INPUT'
  | 'NO_STATISTICS'
  | 'OUTCOME_UNKNOWN'
  | 'STOPPING'
  | 'TERMS_INVALID'
  | 'TOO_MANY_SUBSCRIPTIONS'

export interface RefusalInfo {
  /** The input that is wrong. */
  readonly field?: string
  /** What the caller can do. */
  readonly next?: string
  readonly retryAfterSeconds?: number
  /** Further fields that go with the code, such as `command_id`. */
  readonly more?: Readonly<Record<string, Json>>
  readonly cause?: unknown
}

/** A request that the gateway refuses, on whatever surface; each adapter maps the code to its own protocol. */
export class GatewayRefusal extends Error {
  constructor(
    readonly code: GatewayRefusalCode,
    message: string,
    readonly info: RefusalInfo = {},
  ) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.name = 'GatewayRefusal'
  }
}
