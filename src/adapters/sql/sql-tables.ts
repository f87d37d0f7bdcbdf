/** Rows as the database stores them. Times and amounts are 64-bit numbers; 0 and 1 stand for no and yes. */
export interface SqlTables {
  consumer_generations: GenerationRow
  consumer_cursors: CursorRow
  consumer_misfits: MisfitRow
  stat_auctions: StatAuctionRow
  stat_bids: StatBidRow
  stat_extensions: StatExtensionRow
  stat_endings: StatEndingRow
  notice_bidders: NoticeBidderRow
  notice_settings: NoticeSettingsRow
  notice_targets: NoticeTargetRow
  notice_searches: NoticeSearchRow
  notice_views: NoticeViewRow
  notice_deliveries: NoticeDeliveryRow
}

export interface GenerationRow {
  consumer: string
  generation: number
  state: string
  version: number
  holder: string | null
  epoch: number
  beat: number
}

export interface MisfitRow {
  consumer: string
  generation: number
  auction_id: string
  /** JSON. */
  misfit: string
}

export interface CursorRow {
  consumer: string
  generation: number
  auction_id: string
  seq: number
  hash: string
  signer: string
  signature: string
  /** JSON of the auction's public state. */
  state: string
}

interface StatRow {
  generation: number
  auction_id: string
  seq: number
  at: number
}

export interface StatAuctionRow extends StatRow {
  title: string
  seller_id: string
  seller_name: string
  currency: string
  exponent: number
  start_price: number
  has_reserve: number
  opens_at: number | null
  closes_at: number | null
}

export interface StatBidRow extends StatRow {
  bid_id: string
  bidder_id: string
  bidder_name: string
  kind: string
  amount: number | null
  price: number
  leads: number
}

export interface StatExtensionRow extends StatRow {
  by: string
  closes_at: number
}

export interface StatEndingRow extends StatRow {
  by: string
  sold: number
  reason: string | null
  winner_id: string | null
  winner_name: string | null
  bid_id: string | null
  price: number | null
  reserve: number | null
}

/** Who takes part in an auction that is not over. */
export interface NoticeBidderRow {
  generation: number
  auction_id: string
  party_id: string
  /** Of their first bid. */
  seq: number
  /** Of the last event by which they did not lead; 0: they lead. */
  outbid_seq: number
  /** The `outbid_seq` for which they have heard of an extension. */
  extended_for: number
}

export interface NoticeSettingsRow {
  account_id: string
  language: string
  time_zone: string
  quiet_from: number | null
  quiet_to: number | null
  /** Kinds, with commas between them. */
  off: string
}

export interface NoticeTargetRow {
  id: string
  account_id: string
  channel: string
  /** JSON. */
  target: string
  state: string
  why: string | null
  confirm_hash: string | null
  created_at: number
}

export interface NoticeSearchRow {
  id: string
  account_id: string
  words: string
  key_word: string
}

export interface NoticeViewRow {
  account_id: string
  auction_id: string
  /** Each gateway speaks for its own connections. */
  gateway: string
  until: number
}

export interface NoticeDeliveryRow {
  id: string
  state: string
  account_id: string
  target_id: string
  channel: string
  party_id: string
  auction_id: string
  seq: number
  kind: string
  at: number
  /** While it is being sent: when the lease ends. */
  due_at: number
  attempts: number
  first_tried_at: number | null
  settled_at: number | null
  why: string | null
  search: string | null
}
