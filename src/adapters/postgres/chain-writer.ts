import { setTimeout as wait } from 'node:timers/promises'
import type { Chain } from '../../application/log/chains.js'
import { readBodyAgain } from '../../application/log/written-body.js'
import { outcomesWith } from '../../application/submissions/outcomes-of-commit.js'
import type { Head } from '../../domain/commit.js'
import type { Append } from '../../ports/store/event-log.js'
import { type SharedAppendResult, SharedLogError } from '../../ports/store/shared-log.js'
import { appendStatement, expectedHead, openingCommand, outcomesIn } from './append-statement.js'
import { isLost, sqlState, UNIQUE_VIOLATION, willPass } from './postgres-errors.js'
import type { PostgresConnection, Statement } from './primary-connection.js'
import type { PrimaryConnections } from './primary-connections.js'

/** A statement that takes longer is sent again on another connection. */
export const STATEMENT_TIMEOUT_MS = 2_000
/** The pause before a statement that lost a race is tried again. */
const RACE_PAUSE_MS = 10

const APPENDED = { appended: true } as const
/** Undecided: to be tried again, without the commits that the log has already. */
type Decision = SharedAppendResult | { readonly left: Chain }

interface HeadRow extends Head {
  readonly auction_id: string
}

/**
 * Stores chains, however often the connection breaks meanwhile. If an answer is lost, the server may have carried the
 * statement out, or may still do so. So reading the log does not prove that it was not carried out. The same statement
 * is sent again until the log has the commit, by its hash, or has another commit in its place. Both results are final.
 *
 * A commit that is found in the log may not have reached a standby yet: after a cancelled wait the row stays visible.
 * In that case, and if the server warns of it, the writer commits another row and waits for it: once this row has
 * arrived, all rows before it have.
 */
export class ChainWriter {
  readonly #connections: PrimaryConnections
  readonly #answerMs: number

  /** `answerMs`: the time within which there is a result or an error. */
  constructor(connections: PrimaryConnections, answerMs: number) {
    this.#connections = connections
    this.#answerMs = answerMs
  }

  async store(chains: readonly Chain[]): Promise<SharedAppendResult[]> {
    const deadlineMs = performance.now() + this.#answerMs
    let isUnsure = false
    /** By the place of the chain. */
    const decisions: Decision[] = chains.map((left) => ({ left }))
    for (;;) {
      const places = [...chains.keys()].filter((i) => 'left' in (decisions[i] as Decision))
      if (places.length === 0) return decisions as SharedAppendResult[]
      const left = places.map((i) => (decisions[i] as { left: Chain }).left)
      try {
        const found = await this.#connections.use(deadlineMs, (connection) => this.#attempt(connection, left))
        places.forEach((place, i) => {
          decisions[place] = found[i] as Decision
        })
      } catch (error) {
        const mayPass = willPass(error) || (!(error instanceof SharedLogError) && isLost(error))
        isUnsure ||= mayPass && !willPass(error)
        if (!mayPass && !isUnsure) throw error
        if (!mayPass || performance.now() >= deadlineMs) throw unknown(error, isUnsure)
        await wait(RACE_PAUSE_MS)
      }
      if (performance.now() >= deadlineMs && decisions.some((decision) => 'left' in decision))
        throw unknown(null, isUnsure)
    }
  }

  async #attempt(connection: PostgresConnection, chains: readonly Chain[]): Promise<Decision[]> {
    connection.takeWarning()
    let changed: ReadonlySet<string> = new Set()
    try {
      const rows = await connection.query<{ auction_id: string }>(appendStatement(chains), STATEMENT_TIMEOUT_MS)
      changed = new Set(rows.map(({ auction_id }) => auction_id))
    } catch (error) {
      if (sqlState(error) !== UNIQUE_VIOLATION) throw error
      // One of them raced with the same opening, so nothing was stored. Sending each alone shows which one.
      if (chains.length > 1) {
        const decisions: Decision[] = []
        for (const chain of chains) decisions.push(...(await this.#attempt(connection, [chain])))
        return decisions
      }
    }
    const refused = chains.filter((chain) => !changed.has(auctionOf(chain)))
    const { decisions, found } = await this.#lookAt(connection, refused)
    if (connection.takeWarning() || found) await untilReplicated(connection)
    return chains.map((chain) => (changed.has(auctionOf(chain)) ? APPENDED : (decisions.get(chain) as Decision)))
  }

  /** The results of chains that were not stored now; `found`: whether any was stored before. */
  async #lookAt(connection: PostgresConnection, chains: readonly Chain[]) {
    const decisions = new Map<Chain, Decision>()
    let found = false
    if (chains.length === 0) return { decisions, found }
    const heads = await headsOf(connection, chains.map(auctionOf))
    const stored = await storedHashes(connection, chains.flat())
    for (const chain of chains) {
      const missing = chain.filter(({ commit }) => !stored.has(commit.hash))
      found ||= missing.length < chain.length
      const head = heads.get(auctionOf(chain)) ?? null
      decisions.set(chain, await this.#decide(connection, chain, missing, head))
    }
    return { decisions, found }
  }

  async #decide(
    connection: PostgresConnection,
    chain: Chain,
    missing: readonly Append[],
    head: Head | null,
  ): Promise<Decision> {
    const left = missing as unknown as Chain
    if (missing.length === 0) return APPENDED
    const expected = expectedHead(left)
    if (missing.length < chain.length || (head !== null && head.hash === expected?.hash)) return { left }
    const command = openingCommand(chain)
    const earlier = head === null && command !== null ? await openedBy(connection, command) : undefined
    return earlier === undefined ? { appended: false, head } : { appended: false, earlier }
  }
}

const BARRIER: Statement = { name: 'barrier', text: 'UPDATE vendue.log SET barriers = barriers + 1' }

/** Commits a row, and resolves when it has reached the standbys: then all commits before it have, too. */
export async function untilReplicated(connection: PostgresConnection): Promise<void> {
  do await connection.query(BARRIER, STATEMENT_TIMEOUT_MS)
  while (connection.takeWarning())
}

export async function headsOf(
  connection: PostgresConnection,
  auctionIds: readonly string[],
): Promise<Map<string, Head>> {
  const text = 'SELECT auction_id, seq, hash FROM vendue.heads WHERE auction_id = ANY($1::text[])'
  const rows = await connection.query<HeadRow>({ name: 'heads', text, values: [auctionIds] }, STATEMENT_TIMEOUT_MS)
  return new Map(rows.map(({ auction_id, seq, hash }) => [auction_id, { seq, hash }]))
}

/** Those of the entries' hashes that are in the log. */
async function storedHashes(connection: PostgresConnection, entries: readonly Append[]): Promise<Set<string>> {
  const text = `
    SELECT c.hash FROM unnest($1::text[], $2::bigint[], $3::text[]) AS entry (auction_id, last_seq, hash)
    JOIN vendue.commits c ON c.auction_id = entry.auction_id AND c.last_seq = entry.last_seq AND c.hash = entry.hash`
  const commits = entries.map(({ commit }) => commit)
  const values = [
    commits.map(({ auctionId }) => auctionId),
    commits.map(({ lastSeq }) => lastSeq),
    commits.map(({ hash }) => hash),
  ]
  const rows = await connection.query<{ hash: string }>({ name: 'stored', text, values }, STATEMENT_TIMEOUT_MS)
  return new Set(rows.map(({ hash }) => hash))
}

/** The outcome of the command's earlier opening. */
async function openedBy(connection: PostgresConnection, commandId: string) {
  const text = `
    SELECT c.auction_id, c.body, c.outcomes FROM vendue.heads h JOIN vendue.commits c ON c.auction_id = h.auction_id
    WHERE h.opened_by = $1 ORDER BY c.last_seq LIMIT 1`
  const statement = { name: 'opened-by', text, values: [commandId] }
  const [row] = await connection.query<{ auction_id: string; body: string; outcomes: string | null }>(
    statement,
    STATEMENT_TIMEOUT_MS,
  )
  if (row === undefined || row.outcomes === null) return undefined
  const opening = { auctionId: row.auction_id, firstSeq: 1 }
  const outcomes = outcomesWith(opening, readBodyAgain(row.body).events, outcomesIn(row.outcomes))
  return outcomes.find(({ outcome }) => outcome.commandId === commandId)
}

function auctionOf([{ commit }]: Chain): string {
  return commit.auctionId
}

function unknown(cause: unknown, isUnsure: boolean): SharedLogError {
  if (!isUnsure)
    return new SharedLogError('LOG_UNREACHABLE', 'the shared log did not process it in time: nothing was stored', {
      cause,
    })
  return new SharedLogError(
    'LOG_OUTCOME_UNKNOWN',
    'the connection to the shared log broke, so it is unknown whether the log has stored the commits; ask again with the same ids',
    { cause },
  )
}
