import type { Chain } from '../../application/log/chains.js'
import { secretKept } from '../../application/log/read-model.js'
import { type OutcomesBeside, outcomesBeside } from '../../application/submissions/outcomes-of-commit.js'
import { dueAt } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { Head } from '../../domain/commit.js'
import type { Append } from '../../ports/store/event-log.js'
import type { Statement } from './primary-connection.js'

/**
 * Moves the heads that are where they are expected to be, stores the rows of the auctions whose heads moved, and
 * returns their ids. It is one statement, so it takes one round trip and one transaction. `moved` compares the head
 * under the row's lock, because PostgreSQL evaluates a row again if another transaction has changed it meanwhile. All
 * safety rests on this comparison, and no more is needed. If two openings of one auction race, a unique index makes the
 * second statement fail. ON CONFLICT is not used: it would report success although nothing was stored.
 */
const TEXT = `
  WITH step AS (
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::boolean[],
      $8::text[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bigint[])
    AS step (auction_id, prev_seq, prev_hash, seq, hash, home_node_id, needs_home, winner_id, price, due_at, opened_by,
      secrets, secrets_seq)
  ), opened AS (
    INSERT INTO vendue.heads (auction_id, seq, hash, home_node_id, needs_home, due_at, opened_by, secrets, secrets_seq)
    SELECT auction_id, seq, hash, home_node_id, coalesce(needs_home, false), due_at, opened_by, secrets, secrets_seq
    FROM step
    WHERE prev_hash IS NULL AND NOT EXISTS (
      SELECT 1 FROM vendue.heads h WHERE h.auction_id = step.auction_id
    ) AND NOT EXISTS (
      SELECT 1 FROM vendue.heads h WHERE h.opened_by = step.opened_by
    )
    RETURNING auction_id
  ), moved AS (
    UPDATE vendue.heads h
    SET seq = step.seq, hash = step.hash, home_node_id = step.home_node_id, due_at = step.due_at,
      secrets = coalesce(step.secrets, h.secrets), secrets_seq = coalesce(step.secrets_seq, h.secrets_seq),
      needs_home = coalesce(step.needs_home, EXISTS (
        SELECT 1 FROM vendue.sealed_maxima s
        WHERE s.auction_id = step.auction_id AND (step.winner_id IS NULL OR s.bidder_id <> step.winner_id
          OR s.amount <= step.price) AND NOT EXISTS (
          SELECT 1 FROM unnest($27::text[], $28::text[]) AS revealed (auction_id, bid_id)
          WHERE revealed.auction_id = s.auction_id AND revealed.bid_id = s.bid_id
        )
      ))
    FROM step
    WHERE h.auction_id = step.auction_id AND h.seq = step.prev_seq AND h.hash = step.prev_hash
    RETURNING h.auction_id
  ), changed AS (
    SELECT auction_id FROM opened UNION ALL SELECT auction_id FROM moved
  ), stored AS (
    INSERT INTO vendue.commits (auction_id, first_seq, last_seq, hash, signer, signature, body, outcomes)
    SELECT * FROM unnest($14::text[], $15::bigint[], $16::bigint[], $17::text[], $18::text[], $19::text[], $20::text[],
      $21::text[]) AS entry (auction_id, first_seq, last_seq, hash, signer, signature, body, outcomes)
    WHERE entry.auction_id IN (SELECT auction_id FROM changed)
  ), sealed AS (
    INSERT INTO vendue.sealed_maxima (auction_id, bid_id, bidder_id, amount, salt)
    SELECT * FROM unnest($22::text[], $23::text[], $24::text[], $25::bigint[], $26::text[])
      AS entry (auction_id, bid_id, bidder_id, amount, salt)
    WHERE entry.auction_id IN (SELECT auction_id FROM changed)
  ), revealed AS (
    DELETE FROM vendue.sealed_maxima s USING unnest($27::text[], $28::text[]) AS entry (auction_id, bid_id)
    WHERE s.auction_id = entry.auction_id AND s.bid_id = entry.bid_id
      AND entry.auction_id IN (SELECT auction_id FROM changed)
  )
  SELECT auction_id FROM changed`

export function appendStatement(chains: readonly Chain[]): Statement {
  const moves = chains.map(moveOf)
  const entries = chains.flat()
  const commits = entries.map(({ commit }) => commit)
  const sealed = moves.flatMap(({ sealed, auctionId }) => sealed.map((maximum) => ({ ...maximum, auctionId })))
  const revealed = moves.flatMap(({ revealed, auctionId }) => [...revealed].map((bidId) => ({ bidId, auctionId })))
  return {
    name: 'append',
    text: TEXT,
    values: [
      moves.map(({ auctionId }) => auctionId),
      moves.map(({ expected }) => expected?.seq ?? null),
      moves.map(({ expected }) => expected?.hash ?? null),
      moves.map(({ head }) => head.seq),
      moves.map(({ head }) => head.hash),
      moves.map(({ homeNodeId }) => homeNodeId),
      moves.map(({ needsHome }) => needsHome),
      moves.map(({ kept }) => kept?.winnerId ?? null),
      moves.map(({ kept }) => kept?.price ?? null),
      moves.map(({ dueAt }) => dueAt),
      moves.map(({ openedBy }) => openedBy),
      moves.map(({ secrets }) => secrets?.text ?? null),
      moves.map(({ secrets }) => secrets?.seq ?? null),
      commits.map(({ auctionId }) => auctionId),
      commits.map(({ firstSeq }) => firstSeq),
      commits.map(({ lastSeq }) => lastSeq),
      commits.map(({ hash }) => hash),
      commits.map(({ signer }) => signer),
      commits.map(({ signature }) => signature),
      commits.map(({ body }) => body),
      entries.map(outcomesText),
      sealed.map(({ auctionId }) => auctionId),
      sealed.map(({ bidId }) => bidId),
      sealed.map(({ bidderId }) => bidderId),
      sealed.map(({ amount }) => amount),
      sealed.map(({ salt }) => salt),
      revealed.map(({ auctionId }) => auctionId),
      revealed.map(({ bidId }) => bidId),
    ],
  }
}

/** The head that a chain expects; null for an opening. */
export function expectedHead([{ commit, prevHash }]: Chain): Head | null {
  return prevHash === null ? null : { seq: commit.firstSeq - 1, hash: prevHash }
}

/** The command that opens the auction, if the chain opens one. */
export function openingCommand([{ prevHash, outcomes }]: Chain): string | null {
  return prevHash === null ? (outcomes?.[0]?.outcome.commandId ?? null) : null
}

/** The auction's head after the chain. */
function moveOf(chain: Chain) {
  const last = chain.at(-1) as Append
  const { commit, state } = last
  const placed = chain.flatMap(({ secret }) => secret?.sealed ?? [])
  const revealed = new Set(chain.flatMap(({ events }) => events.flatMap(revealedBy)))
  const sealed = placed.filter(({ bidId }) => !revealed.has(bidId))
  const kept = secretKept(state)
  const withSecret = chain.findLast(({ secret }) => secret !== undefined)
  return {
    auctionId: commit.auctionId,
    expected: expectedHead(chain),
    head: { seq: commit.lastSeq, hash: commit.hash },
    homeNodeId: state.home.nodeId,
    needsHome: needsHome(last, sealed),
    kept,
    dueAt: dueAt(state),
    openedBy: openingCommand(chain),
    secrets: withSecret && { seq: withSecret.commit.lastSeq, text: JSON.stringify(withSecret.secret?.secrets) },
    sealed,
    revealed,
  }
}

/** Null if this depends on earlier maxima. */
function needsHome({ state }: Append, sealed: readonly SealedMaximum[]): boolean | null {
  if (state.status !== 'closed') return state.status !== 'cancelled'
  const kept = secretKept(state)
  const isDue = ({ bidderId, amount }: SealedMaximum) =>
    kept === null || bidderId !== kept.winnerId || amount <= kept.price
  return sealed.some(isDue) ? true : null
}

function revealedBy(event: Append['events'][number]): string[] {
  return event.type === 'MaximaRevealed' ? event.maxima.map(({ bidId }) => bidId) : []
}

function outcomesText(entry: Append): string | null {
  if (entry.outcomes === undefined || entry.outcomes.length === 0) return null
  const { fingerprints, others } = outcomesBeside(entry)
  return JSON.stringify([fingerprints, others])
}

export function outcomesIn(text: string): OutcomesBeside {
  const [fingerprints, others] = JSON.parse(text) as [OutcomesBeside['fingerprints'], OutcomesBeside['others']]
  return { fingerprints, others }
}
