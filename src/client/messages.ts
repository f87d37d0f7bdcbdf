import type { z } from 'zod'
import type { auctionSchema, bidSchema, winnerSchema } from '../adapters/http/resources.js'
import type { ClientMessage, clientMessage, ReplyMessage } from '../application/gateway/messages.js'
import type { EventMessage, EventOf, EventType } from '../application/gateway/public-events.js'

/**
 * The gateway's own types, by name. Types alone: nothing of the gateway, nor zod, is in a program that uses the client.
 * Amounts are decimal text beside their `currency`, times RFC 3339 in UTC, names as they stand in the JSON.
 */
export type { ClientMessage, EventMessage, EventOf, EventType, ReplyMessage }
/** What may be left out of what a client sends. */
export type SentMessage = z.input<typeof clientMessage>
export type Auction = z.output<typeof auctionSchema>
export type Bid = z.output<typeof bidSchema>
export type Winner = z.output<typeof winnerSchema>

/** Terms of a new auction. Exactly one of `closes_at` and `closes_in_seconds`, or neither: closed by hand. */
export interface OpenTerms {
  readonly title: string
  readonly start_price: string
  readonly currency?: string
  readonly description?: string
  readonly reserve?: string
  /** A flat step ("0.50") or bands ("0:5,100:10"). */
  readonly increment?: string
  readonly buy_now?: string
  readonly opens_at?: string
  readonly closes_at?: string
  readonly closes_in_seconds?: number
  readonly soft_close?: {
    readonly window_ms: number
    readonly extension_ms: number
    readonly hard_stop_at?: string | null
  }
  /** `pseudonyms`: gateways show accounts by names made for this auction alone. */
  readonly bidder_names?: 'public' | 'pseudonyms'
  /** True unless said otherwise: an end that falls within a time in which nobody could bid is moved. */
  readonly gives_time_back?: boolean
  /** Hashes of what was added with `addPicture`, the first one first. */
  readonly pictures?: readonly { readonly hash: string; readonly alt?: string }[]
}

/** A picture that the gateway's node keeps; it is named by its hash. */
export interface AddedPicture {
  readonly hash: string
  readonly bytes: number
  readonly type: string
  readonly width: number
  readonly height: number
  /** What was in the file and is no part of the image. */
  readonly removed: readonly string[]
}

export interface ListFilter {
  readonly status?: readonly ('scheduled' | 'open' | 'ended' | 'closed' | 'cancelled')[]
  /** Part of the title. */
  readonly q?: string
  readonly seller?: string
  readonly bidder?: string
  readonly sort?: 'newest' | 'ending'
  /** `next` of the page before. */
  readonly cursor?: string
  readonly limit?: number
}

export interface AuctionPage {
  readonly auctions: readonly Auction[]
  readonly next: string | null
}

export interface MyBid extends Auction {
  /**
   * The most that the caller may be charged for the lot that they lead; null if they do not lead, the gateway does
   * not know, or it has no accounts.
   */
  readonly your_maximum: string | null
}

export interface MyBidPage extends AuctionPage {
  readonly auctions: readonly MyBid[]
}

export interface BidPage {
  /** Newest first. */
  readonly bids: readonly Bid[]
  /** `beforeSeq` of the next page; null: no more. */
  readonly next: number | null
}

/** What a home has signed for one of the caller's commands. */
export interface Receipt {
  readonly auction_id: string
  readonly command_id: string
  readonly type: string
  readonly status: 'accepted' | 'rejected'
  /** Seq of the event that it made; null for one that was refused. */
  readonly seq: number | null
  /** Why it was refused. */
  readonly code: string | null
  readonly at: string
  readonly home: { readonly node_id: string; readonly public_key: string }
  readonly signed_at: string
  /** Null if the home signed it together with commands of others. */
  readonly signature: string | null
  readonly batch: number | null
}

export interface ReceiptPage {
  readonly receipts: readonly Receipt[]
  /** `after` of the next page; null: no more. */
  readonly next: number | null
}

export interface Me {
  readonly id: string
  readonly name: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly auth: 'open' | 'accounts'
}

/** What a client has to know of a gateway. */
export interface GatewayInfo {
  readonly auth: 'open' | 'accounts'
  readonly version: string
  readonly server_time: string
  readonly default_currency: string
  /** Others with the same bidders. */
  readonly gateways: readonly string[]
  /** Which version of the web page it serves; null: none. */
  readonly page: string | null
}

/** A node of the mesh, as the gateway's own node sees it. */
export interface Peer {
  readonly node_id: string
  readonly name: string
  readonly address: string
  readonly version: string
  readonly state: 'alive' | 'suspect' | 'dead' | 'left'
  readonly last_seen_at: string | null
  readonly round_trip_ms: number | null
  readonly started_at: string
}

/** The gateway's own node, as far as the client's types go. */
export interface NodeReport {
  readonly node_id: string
  readonly name: string
  readonly sync: {
    readonly state: 'syncing' | 'synced' | 'incomplete' | 'alone'
    readonly done: number
    readonly total: number
  }
  readonly held: readonly { readonly auction_id: string; readonly why: string }[]
  /** Null if it belongs to no cluster. */
  readonly cluster: {
    readonly log: {
      readonly connected_to: string | null
      readonly outage: { readonly since: string; readonly code: string; readonly why: string } | null
    }
    readonly nodes: readonly {
      readonly node_id: string
      readonly name: string
      readonly state: 'alive' | 'dead' | 'left'
      readonly beat_age_ms: number | null
    }[]
    readonly taken_over: number
    /** Newest first. */
    readonly takeovers: readonly {
      readonly auction_id: string
      readonly at: string
      readonly from: { readonly node_id: string; readonly name: string | null }
    }[]
    readonly disputed: readonly string[]
    readonly healed_commits: number
  } | null
  /** Newest first. */
  readonly peer_changes: readonly {
    readonly at: string
    readonly node_id: string
    readonly name: string
    readonly address: string
    readonly state: Peer['state']
    readonly why: 'proven' | 'answered' | 'refuted' | 'no-answer' | 'silent' | 'goodbye' | 'revoked'
  }[]
}

/** Up to which limit the gateway's own node bids in an auction, step by step, for its user. */
export interface AutoBid {
  readonly auction_id: string
  readonly limit: string
  readonly currency: string
  /** `refused`: its home would refuse every further bid. */
  readonly state: 'active' | 'outbid' | 'won' | 'lost' | 'stopped' | 'paused' | 'refused'
}

/** Who watches an auction at the gateway that the client is connected to. */
export interface Presence {
  readonly watchers: number
  /** Up to 20, as far as they may be shown. */
  readonly names: readonly string[]
}

/** The auction's home does not answer, and another node takes over: bids wait, and are not placed yet. */
export interface Moving {
  /** False: they are answered again. */
  readonly moving: boolean
  readonly since: string | null
}

/** A rule said no; nothing was done. `code` is stable. */
export interface Rejected {
  readonly status: 'rejected'
  readonly command_id: string
  readonly code: string
  readonly reason: string
  readonly next: string | null
  /** The least that would do, where that is why. */
  readonly minimum: string | null
  readonly price: string | null
  readonly currency: string | null
}

export interface AcceptedBid {
  readonly status: 'accepted'
  readonly command_id: string
  readonly auction_id: string
  readonly seq: number
  readonly at: string
  readonly leads: boolean
  /** After the bid. */
  readonly price: string
  readonly reserve_met: boolean
  readonly currency: string
}

export interface AcceptedCommand {
  readonly status: 'accepted'
  readonly command_id: string
  readonly auction_id: string
  readonly seq: number
  readonly at: string
  /** As it stands after the command. */
  readonly auction: Auction
}

export type BidOutcome = AcceptedBid | Rejected
export type CommandOutcome = AcceptedCommand | Rejected
