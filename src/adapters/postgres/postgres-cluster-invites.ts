import type { ClusterInvite, ClusterInvites, Redeemed } from '../../ports/store/cluster-invites.js'
import type { PostgresAddress } from './postgres-address.js'
import { PrimaryConnections } from './primary-connections.js'

const ANSWER_MS = 5_000
const STATEMENT_MS = 4_000
/** Expired invites are kept this long, so that a node that comes too late is told why. */
const KEPT_MS = 30 * 86_400_000
const NOW = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint'

/** A cluster's invites, beside its log in PostgreSQL. */
export class PostgresClusterInvites implements ClusterInvites {
  readonly #connections: PrimaryConnections

  constructor({ address, clusterId }: { readonly address: PostgresAddress; readonly clusterId: string }) {
    this.#connections = new PrimaryConnections(address, clusterId)
  }

  async open(): Promise<void> {
    await this.#ask('SELECT 1 AS one', [])
  }

  async save({ secretHash, sealedKey, uses, lifeMs }: ClusterInvite): Promise<void> {
    await this.#ask(`DELETE FROM vendue.invites WHERE expires_at < ${NOW} - $1::bigint`, [KEPT_MS])
    await this.#ask(
      `INSERT INTO vendue.invites (secret_hash, sealed_key, uses, expires_at) VALUES ($1, $2, $3, ${NOW} + $4::bigint)`,
      [secretHash, sealedKey, uses, lifeMs],
    )
  }

  async redeem(secretHash: string, nodeId: string): Promise<Redeemed> {
    const [redeemed] = await this.#ask<{ sealed_key: string }>(
      `UPDATE vendue.invites
      SET used_by = CASE WHEN $2 = ANY (used_by) THEN used_by ELSE array_append(used_by, $2) END
      WHERE secret_hash = $1 AND expires_at > ${NOW} AND ($2 = ANY (used_by) OR cardinality(used_by) < uses)
      RETURNING sealed_key`,
      [secretHash, nodeId],
    )
    if (redeemed) return { sealedKey: redeemed.sealed_key }
    const [found] = await this.#ask<{ expired: boolean }>(
      `SELECT expires_at <= ${NOW} AS expired FROM vendue.invites WHERE secret_hash = $1`,
      [secretHash],
    )
    if (!found) return { refused: 'unknown' }
    return { refused: found.expired ? 'expired' : 'used' }
  }

  close(): Promise<void> {
    return this.#connections.close()
  }

  #ask<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    const deadlineMs = performance.now() + ANSWER_MS
    return this.#connections.use(deadlineMs, (connection) => connection.query<Row>({ text, values }, STATEMENT_MS))
  }
}
