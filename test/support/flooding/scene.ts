import type { NodeInfo } from '../../../src/ports/node/node-info.js'

/** What a flooder knows of the mesh that it is a member of. */
export interface Scene {
  /** Its own data directory: its key and its certificate. */
  readonly dataDir: string
  readonly meshId: string
  /** The node that it floods. */
  readonly target: NodeInfo
  /** Another member. */
  readonly bystander: string
  /** At the target: one with a long opening, one that is over, and one at which nothing it bids is enough. */
  readonly auctions: { readonly long: string; readonly over: string; readonly dear: string }
}

/** What the parent asks of a flooder's process: one request, or requests until it says stop. */
export type Errand =
  | { readonly do: 'once'; readonly flood: string }
  | { readonly do: 'flood'; readonly flood: string; readonly atOnce: number }
  | { readonly do: 'stop' }

/** How many answers of each code there were; a connection that was cut has none. */
export type Answers = Readonly<Record<string, number>>
