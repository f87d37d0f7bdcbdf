/** Rows as the database stores them. Times and amounts are 64-bit numbers; 0 and 1 stand for no and yes. */
export interface SqlTables {
  consumer_generations: GenerationRow
  consumer_cursors: CursorRow
  consumer_misfits: MisfitRow
  stat_auctions: StatAuctionRow
  stat_bids: StatBidRow
  stat_extensions: StatExtensionRow
  stat_endings: StatEndingRow
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
