/** Room `postgres`: the log that the nodes of a cluster share, in PostgreSQL. */

import type { Commit, Head } from '../../domain/commit.js'
import type { Append } from '../../ports/store/event-log.js'
import type { Outcome, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import {
  type BeatingNode,
  type ClusterNode,
  type ClusterView,
  type OwnedAuction,
  type SharedAppendResult,
  type SharedLog,
  SharedLogError,
  type SharedLogStatus,
  type SharedPage,
} from '../../ports/store/shared-log.js'
import { AppendQueue } from './append-queue.js'
import { ChainWriter, headsOf, STATEMENT_TIMEOUT_MS, untilReplicated } from './chain-writer.js'
import { pageBeside } from './page-beside.js'
import type { PostgresAddress } from './postgres-address.js'
import { isLost, sqlState, UNIQUE_VIOLATION, willPass } from './postgres-errors.js'
import type { PostgresConnection } from './primary-connection.js'
import { PrimaryConnections } from './primary-connections.js'

export interface PostgresSharedLogOptions {
  readonly address: PostgresAddress
  /** An empty log is claimed for this cluster; the log of another cluster is refused. */
  readonly clusterId: string
  /** The time within which a call has an answer or an error. */
  readonly answerMs?: number
}

const ANSWER_MS = 8_000

const NOW = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint'
/** The distinct homes, each found by one step in the index. */
const HOMES = `
  WITH RECURSIVE homes (id) AS (
    (SELECT home_node_id FROM vendue.heads WHERE needs_home ORDER BY home_node_id LIMIT 1)
    UNION ALL
    SELECT (SELECT h.home_node_id FROM vendue.heads h WHERE h.needs_home AND h.home_node_id > homes.id
      ORDER BY h.home_node_id LIMIT 1)
    FROM homes WHERE homes.id IS NOT NULL
  ) SELECT id AS node_id, NULL AS name, NULL AS address, NULL::bigint AS beat_at, ${NOW} AS now
    FROM homes WHERE id IS NOT NULL`

interface CommitRow {
  readonly auction_id: string
  readonly first_seq: number
  readonly last_seq: number
  readonly hash: string
  readonly signer: string
  readonly signature: string
  readonly body: string
}

interface NodeRow {
  readonly node_id: string
  /** Null in the row of a home. */
  readonly name: string | null
  readonly address: string | null
  readonly beat_at: number | null
  readonly now: number
}

/** A shared log in PostgreSQL, or a database that speaks its protocol; connects at the first call. */
export class PostgresSharedLog implements SharedLog {
  readonly #connections: PrimaryConnections
  readonly #queue: AppendQueue
  readonly #answerMs: number

  constructor({ address, clusterId, answerMs = ANSWER_MS }: PostgresSharedLogOptions) {
    this.#connections = new PrimaryConnections(address, clusterId)
    this.#answerMs = answerMs
    const writer = new ChainWriter(this.#connections, answerMs)
    this.#queue = new AppendQueue((chains) => writer.store(chains))
  }

  async open(): Promise<void> {
    await this.#ask(async () => {})
  }

  append(entries: readonly Append[]): Promise<SharedAppendResult[]> {
    return this.#queue.append(entries)
  }

  /**
   * Locks the heads, so that they cannot move. So a home that takes over afterwards finds these outcomes, and an
   * earlier takeover is seen here.
   */
  async record(homeNodeId: string, outcomes: readonly RecordedOutcome[]): Promise<string[]> {
    const firsts = new Map<string, RecordedOutcome>()
    for (const recorded of outcomes.toReversed()) firsts.set(keyOf(recorded.outcome), recorded)
    const rows = [...firsts.values()]
    const auctionIds = [...new Set(rows.map(({ outcome }) => outcome.auctionId))]
    const text = `
      WITH home AS MATERIALIZED (
        SELECT auction_id FROM vendue.heads WHERE auction_id = ANY($1::text[]) AND home_node_id = $2
        ORDER BY auction_id FOR SHARE
      ), kept AS (
        INSERT INTO vendue.outcomes (auction_id, command_id, fingerprint, outcome)
        SELECT * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[])
          AS entry (auction_id, command_id, fingerprint, outcome)
        WHERE entry.auction_id IN (SELECT auction_id FROM home) AND NOT EXISTS (
          SELECT 1 FROM vendue.outcomes o WHERE o.auction_id = entry.auction_id AND o.command_id = entry.command_id
        )
      )
      SELECT auction_id FROM home`
    const values = [
      auctionIds,
      homeNodeId,
      rows.map(({ outcome }) => outcome.auctionId),
      rows.map(({ outcome }) => outcome.commandId),
      rows.map(({ fingerprint }) => fingerprint),
      rows.map(({ outcome }) => JSON.stringify(outcome)),
    ]
    let isRepeated = false
    const homes = await this.#ask(async (connection) => {
      connection.takeWarning()
      const mustWait = isRepeated
      isRepeated = true
      const statement = { name: 'record', text, values }
      const rows = await connection.query<{ auction_id: string }>(statement, STATEMENT_TIMEOUT_MS)
      // A row that it finds may be from a cancelled wait for a standby: see `ChainWriter`.
      if (connection.takeWarning() || mustWait) await untilReplicated(connection)
      return rows
    })
    const mine = new Set(homes.map(({ auction_id }) => auction_id))
    return auctionIds.filter((auctionId) => !mine.has(auctionId))
  }

  heads(auctionIds: readonly string[]): Promise<Map<string, Head>> {
    return this.#ask((connection) => headsOf(connection, auctionIds))
  }

  async read(auctionId: string, fromSeq: number, limit: { commits: number; bytes: number }): Promise<Commit[]> {
    const text = `
      SELECT auction_id, first_seq, last_seq, hash, signer, signature, body FROM (
        SELECT *, sum(octet_length(body)) OVER (ORDER BY last_seq) - octet_length(body) AS bytes_before FROM (
          SELECT * FROM vendue.commits WHERE auction_id = $1 AND last_seq >= $2 ORDER BY last_seq LIMIT $3
        ) AS next
      ) AS page WHERE bytes_before < $4 ORDER BY last_seq`
    const values = [auctionId, fromSeq, limit.commits, limit.bytes]
    const rows = await this.#rows<CommitRow>('read', text, values)
    return rows.map(({ auction_id, first_seq, last_seq, ...rest }) => {
      return { auctionId: auction_id, firstSeq: first_seq, lastSeq: last_seq, ...rest }
    })
  }

  beside(auctionId: string, after: string | null): Promise<SharedPage> {
    return pageBeside((name, text, values) => this.#rows(name, text, values), auctionId, after)
  }

  async beat(node: ClusterNode): Promise<ClusterView> {
    const { nodeId, name, address } = node
    // A heartbeat in the future comes from the clock of an earlier server.
    const text = `
      UPDATE vendue.nodes SET beat_at = ${NOW}, name = CASE WHEN node_id = $1 THEN $2 ELSE name END,
        address = CASE WHEN node_id = $1 THEN $3 ELSE address END
      WHERE node_id = $1 OR beat_at > ${NOW} RETURNING node_id`
    const values = [nodeId, name, address]
    const beaten = await this.#rows<{ node_id: string }>('beat', text, values)
    if (!beaten.some(({ node_id }) => node_id === nodeId)) {
      const insert = `INSERT INTO vendue.nodes (node_id, name, address, beat_at) VALUES ($1, $2, $3, ${NOW})`
      await this.#rows('first-beat', insert, values)
    }
    return this.view()
  }

  async view(): Promise<ClusterView> {
    const text = `
      SELECT * FROM (SELECT node_id, name, address, beat_at, ${NOW} AS now FROM vendue.nodes ORDER BY node_id) AS nodes
      UNION ALL SELECT * FROM (${HOMES}) AS homes
      UNION ALL SELECT NULL, NULL, NULL, NULL, ${NOW}`
    return this.#ask(async (connection) => {
      const rows = await connection.query<NodeRow>({ name: 'view', text }, STATEMENT_TIMEOUT_MS)
      const now = Math.max(...rows.map((row) => row.now))
      const nodes = rows.flatMap(({ node_id, name, address, beat_at }): BeatingNode[] => {
        if (name === null || address === null || beat_at === null) return []
        return [{ nodeId: node_id, name, address, lastBeatAt: Math.min(beat_at, now) }]
      })
      const homes = rows.filter(({ node_id, name }) => name === null && node_id !== null)
      return { now, nodes, homes: homes.map(({ node_id }) => node_id), session: this.#connections.session }
    })
  }

  async leave(nodeId: string): Promise<void> {
    await this.#rows('leave', 'UPDATE vendue.nodes SET beat_at = 0 WHERE node_id = $1', [nodeId])
  }

  async auctionsOf(homeNodeId: string, afterId: string | null, limit: number): Promise<OwnedAuction[]> {
    const text = `
      SELECT auction_id, seq, hash, due_at FROM vendue.heads
      WHERE needs_home AND home_node_id = $1 AND auction_id > $2 ORDER BY auction_id LIMIT $3`
    type Row = { auction_id: string; seq: number; hash: string; due_at: number | null }
    const rows = await this.#rows<Row>('auctions-of', text, [homeNodeId, afterId ?? '', limit])
    return rows.map(({ auction_id, due_at, ...head }) => ({ auctionId: auction_id, ...head, dueAt: due_at }))
  }

  status(): SharedLogStatus {
    return this.#connections.status()
  }

  close(): Promise<void> {
    return this.#connections.close()
  }

  #rows<Row extends object>(name: string, text: string, values: readonly unknown[]): Promise<Row[]> {
    return this.#ask((connection) => connection.query<Row>({ name, text, values }, STATEMENT_TIMEOUT_MS))
  }

  /** For idempotent statements: asks again until there is an answer, or until the deadline. */
  async #ask<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const deadlineMs = performance.now() + this.#answerMs
    for (;;) {
      try {
        return await this.#connections.use(deadlineMs, work)
      } catch (error) {
        if (error instanceof SharedLogError) throw error
        if (!isLost(error) && !willPass(error) && sqlState(error) !== UNIQUE_VIOLATION) throw error
        if (performance.now() < deadlineMs) continue
        throw new SharedLogError('LOG_UNREACHABLE', 'the shared log does not answer; this node keeps trying', {
          cause: error,
        })
      }
    }
  }
}

function keyOf({ auctionId, commandId }: Outcome): string {
  return `${auctionId} ${commandId}`
}
