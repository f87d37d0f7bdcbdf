import type { DatabaseAddress } from '../../src/adapters/system/database-address.js'
import type { ConsumerStatus } from '../../src/ports/store/consumer-status.js'
import type { Logger } from '../../src/ports/system/logger.js'

/** What a node and the thread of one of its services send each other. */

export interface ThreadSetup {
  /** Of the node, whose log the thread reads. */
  readonly dataDir: string
  readonly database: DatabaseAddress
  readonly holder: string
}

export type ToThread =
  | { readonly kind: 'grown'; readonly auctions: ReadonlyMap<string, number> }
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: 'stop' }

export type FromThread =
  | { readonly kind: 'status'; readonly status: ConsumerStatus }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ThreadError }
  | {
      readonly kind: 'log'
      readonly level: Exclude<keyof Logger, 'child'>
      readonly fields: object
      readonly message: string
    }

/** An error that has lost its class on the way. */
export interface ThreadError {
  readonly name: string
  readonly message: string
  /** `code`, and whatever else says what to do. */
  readonly facts: Readonly<Record<string, unknown>>
}

export function threadError(error: unknown): ThreadError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), facts: {} }
  const facts: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(error))
    if (['string', 'number', 'boolean'].includes(typeof value)) facts[key] = value
  return { name: error.name, message: error.message, facts }
}
