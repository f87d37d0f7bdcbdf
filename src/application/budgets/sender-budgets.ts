/** What one sender may use up of one thing. */
export interface BudgetTerms {
  readonly unit: string
  readonly limit: number
  /** How long until all of it is back; null: what is taken is given back when it ends, or never. */
  readonly refillMs: number | null
  /** The smallest limit that nodes of ours can work with, where that is more than 1. */
  readonly least?: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const MIB = 1_024 * 1_024

/**
 * All that a member, or an account, can make this node keep, hold, compute or wait for, each with what one of them may
 * use. The limits lie far above what a node of ours asks for, so that only floods meet them; an operator can set
 * others. docs/security.md explains each.
 */
export const SENDER_BUDGETS = {
  /** Connections, by the member that opens them: several times what a node of ours does. */
  connections: { unit: 'connections', limit: 128, refillMs: null, least: 16 },
  /**
   * Requests that are being read, carried out or answered, by who calls. A node of ours has 16 connections to a peer.
   */
  requests: { unit: 'requests at once', limit: 48, refillMs: null, least: 16 },
  /** Their bytes, and those of answers that have not been taken yet. */
  'request-bytes': { unit: 'bytes held', limit: 16 * MIB, refillMs: null, least: 8 * MIB },
  /**
   * Time on the thread that serves. Nobody is refused for it: who has used more waits for who has used less, and what
   * is large is read more slowly of who has used up all.
   */
  work: { unit: 'ms of the thread', limit: 8_000, refillMs: 10_000, least: 100 },
  /** Addresses that were not known, by who named them: each is dialled. */
  addresses: { unit: 'new addresses', limit: 200, refillMs: HOUR_MS },
  /** Challenges passed on to other peers. */
  'passed-pings': { unit: 'challenges at once', limit: 8, refillMs: null },
  /** Entries in the member list by which a member changes its name or addresses: each stays for ever. */
  'member-entries': { unit: 'entries', limit: 8, refillMs: 24 * HOUR_MS },
  /** Certificates, by the member that asks: each is signed by the authority. */
  certificates: { unit: 'certificates', limit: 20, refillMs: HOUR_MS },
  /** Proofs against homes that have to be checked. */
  'checked-proofs': { unit: 'proofs', limit: 120, refillMs: MINUTE_MS },
  /** Proofs kept, by who brought them, and by the home that they convict: its first one is enough to know it by. */
  'kept-proofs': { unit: 'bytes kept', limit: 16 * MIB, refillMs: null, least: 4 * MIB },
  /**
   * Refused commands whose outcome is kept, so that asking again gives the same answer; by the node that signed for
   * them.
   */
  refusals: { unit: 'bytes kept', limit: 32 * MIB, refillMs: HOUR_MS },
  /** Commands of other nodes that this home carries out and keeps. */
  commands: { unit: 'bytes kept', limit: 512 * MIB, refillMs: HOUR_MS },
  /** Outcomes and maxima that came for handovers. */
  parcels: { unit: 'bytes kept', limit: 256 * MIB, refillMs: HOUR_MS, least: 8 * MIB },
  /** Logs that a home has written, as copied here. */
  'log-bytes': { unit: 'bytes kept', limit: 4_096 * MIB, refillMs: null, least: 8 * MIB },
  /** Auctions that a home has opened, as copied here. */
  openings: { unit: 'auctions kept', limit: 250_000, refillMs: null },
  /** Pictures that an account adds for its lots. */
  'picture-uploads': { unit: 'bytes kept', limit: 256 * MIB, refillMs: 24 * HOUR_MS },
  /** Pictures of a home's auctions that are copied here before anybody has asked for them. */
  'picture-copies': { unit: 'bytes fetched', limit: 512 * MIB, refillMs: HOUR_MS },
  /** Pictures that a peer fetches from here. */
  'picture-reads': { unit: 'bytes sent', limit: 4_096 * MIB, refillMs: HOUR_MS },
  /** Auctions of which a peer says that it has more. */
  awaited: { unit: 'auctions awaited', limit: 10_000, refillMs: null },
} as const satisfies Record<string, BudgetTerms>

export type BudgetName = keyof typeof SENDER_BUDGETS

/** Limits that an operator has set, in place of those above. */
export type BudgetLimits = Readonly<Partial<Record<BudgetName, number>>>
