import { secretKept } from '../../application/log/read-model.js'
import type { OpenedAuction } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { Secrets } from '../../domain/pricing.js'
import type { SecretRepository } from '../../ports/store/auction-repository.js'
import type { SqliteReader } from './sqlite-reader.js'

const SECRETS = `
  SELECT s.reserve_amount, s.reserve_salt, s.leader_max
  FROM auctions a JOIN auction_secrets s ON s.auction = a.ref WHERE a.auction_id = ?`
const AUCTION = 'SELECT ref, state FROM auctions WHERE auction_id = ?'
const SEALED = `
  SELECT bid_id AS bidId, bidder_id AS bidderId, amount, salt FROM sealed_maxima
  WHERE auction = @ref AND (@winnerId IS NULL OR bidder_id <> @winnerId OR amount <= @price)
  ORDER BY bid_id LIMIT @limit`

interface SecretsRow {
  readonly reserve_amount: number | null
  readonly reserve_salt: string | null
  readonly leader_max: number | null
}

export class SqliteSecretRepository implements SecretRepository {
  readonly #reader: SqliteReader

  constructor({ reader }: { reader: SqliteReader }) {
    this.#reader = reader
  }

  async secrets(auctionId: string): Promise<Secrets | null> {
    const row = await this.#reader.get<SecretsRow>(SECRETS, auctionId)
    if (row === null) return null
    const { reserve_amount: amount, reserve_salt: salt, leader_max: leaderMax } = row
    return { reserve: amount === null || salt === null ? null : { amount, salt }, leaderMax }
  }

  async sealed(auctionId: string, limit: number): Promise<SealedMaximum[]> {
    const auction = await this.#reader.get<{ ref: number; state: string }>(AUCTION, auctionId)
    if (auction === null) return []
    const kept = secretKept(JSON.parse(auction.state) as OpenedAuction)
    const parameters = { ref: auction.ref, winnerId: kept?.winnerId ?? null, price: kept?.price ?? null }
    return this.#reader.all(SEALED, { ...parameters, limit })
  }
}
