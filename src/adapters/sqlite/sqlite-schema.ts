import type { Database } from 'better-sqlite3'
import { applyMigrations, checkSchemaOwner, type Schema } from './schema-versions.js'

/** "VNDU": marks the file as ours, for us and for file(1). */
export const APPLICATION_ID = 0x564e4455

/** Events in one commit, at most: so many places lie between two positions. */
export const MAX_EVENTS_PER_COMMIT = 65_536

/** Where an event is found, in one number: at `index` in the commit at `position`. */
export function eventPlace(position: number, index: number): number {
  return position * MAX_EVENTS_PER_COMMIT + index
}

/** The other way round. */
export function placeOf(event: number): { readonly position: number; readonly index: number } {
  const index = event % MAX_EVENTS_PER_COMMIT
  return { position: (event - index) / MAX_EVENTS_PER_COMMIT, index }
}

/**
 * See `Schema`. `auctions.ref` and `authors.ref` are small stand-ins, so that commits do not each carry the id of their
 * auction and the key of their author; commit-rows.ts says what else they leave out. Terms never change and may be
 * long, so they lie apart from the state, which is rewritten with every commit. Bids have no rows: whoever wants to see
 * them reads them from the log, where they stand anyway. Rows that are acted upon, and that nothing else is held
 * against, carry a sum (see row-sums.ts). The private tables (auction_secrets, sealed_maxima, outcomes) are filled at
 * the home only.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE commits (
    position INTEGER PRIMARY KEY,
    auction INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    signer INTEGER NOT NULL,
    signature ANY NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (auction, first_seq)
  ) STRICT;

  CREATE TABLE authors (
    ref INTEGER PRIMARY KEY,
    public_key TEXT NOT NULL UNIQUE
  ) STRICT;

  CREATE TABLE auctions (
    ref INTEGER PRIMARY KEY,
    auction_id TEXT NOT NULL UNIQUE,
    home_node_id TEXT NOT NULL,
    status TEXT NOT NULL,
    title TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    due_at INTEGER,
    bid_count INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    last_hash TEXT NOT NULL,
    unrevealed INTEGER NOT NULL,
    state TEXT NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX auctions_newest ON auctions (opened_at, auction_id);
  CREATE INDEX auctions_newest_of_status ON auctions (status, opened_at, auction_id);
  CREATE INDEX auctions_due ON auctions (home_node_id, due_at, auction_id) WHERE due_at IS NOT NULL;
  CREATE INDEX auctions_ending ON auctions (due_at, auction_id) WHERE status = 'open' AND due_at IS NOT NULL;
  CREATE INDEX auctions_live ON auctions (home_node_id) WHERE status IN ('scheduled', 'open');
  CREATE INDEX auctions_unrevealed ON auctions (home_node_id, auction_id) WHERE unrevealed = 1;

  -- Every three characters in a row of a title, and its last two with what fills them up (see title-search.ts).
  CREATE VIRTUAL TABLE auction_titles USING fts5(
    title, tokenize = 'trigram case_sensitive 1', content = '', columnsize = 0
  );
  CREATE VIRTUAL TABLE auction_title_parts USING fts5vocab('auction_titles', 'instance');

  CREATE TABLE auction_terms (
    auction INTEGER PRIMARY KEY,
    terms TEXT NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT;

  -- Which auctions show a picture; its bytes lie elsewhere.
  CREATE TABLE auction_pictures (
    hash TEXT NOT NULL,
    auction INTEGER NOT NULL,
    PRIMARY KEY (hash, auction)
  ) STRICT, WITHOUT ROWID;

  -- What a close has opened: the log shows such a bid with its commitment alone.
  CREATE TABLE revealed_maxima (
    auction INTEGER NOT NULL,
    bid_id TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (auction, bid_id)
  ) STRICT, WITHOUT ROWID;

  -- What changes with every commit, in one table, so that it is one page to write: by status how many auctions there are, with how
  -- many bids; by author, whose key is in name, how many auctions it has opened, and the bytes that it has written.
  CREATE TABLE tallies (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    auctions INTEGER NOT NULL,
    bids INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE auction_secrets (
    auction INTEGER PRIMARY KEY,
    reserve_amount INTEGER,
    reserve_salt TEXT,
    leader_max INTEGER
  ) STRICT;

  CREATE TABLE sealed_maxima (
    auction INTEGER NOT NULL,
    bid_id TEXT NOT NULL,
    bidder_id TEXT NOT NULL,
    amount INTEGER NOT NULL,
    salt TEXT NOT NULL,
    PRIMARY KEY (auction, bid_id)
  ) STRICT, WITHOUT ROWID;

  -- sum: of an outcome that is written out.
  -- The log says what an accepted bid was answered: event is the place of its event (see eventPlace), outcome is null, and
  -- fingerprint is empty where it follows from the event too.
  CREATE TABLE outcomes (
    command_id TEXT PRIMARY KEY,
    event INTEGER,
    fingerprint TEXT NOT NULL,
    outcome TEXT,
    sum INTEGER
  ) STRICT, WITHOUT ROWID;
  -- A handover passes on an auction's outcomes that its log does not say.
  CREATE INDEX outcomes_of_auction ON outcomes (json_extract(outcome, '$.auctionId'), command_id)
    WHERE outcome IS NOT NULL;

  CREATE TABLE auto_bids (
    auction_id TEXT PRIMARY KEY,
    limit_amount INTEGER NOT NULL,
    state TEXT NOT NULL,
    refusal TEXT,
    pending_bid_id TEXT,
    pending_amount INTEGER,
    updated_at INTEGER NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE participations (
    auction_id TEXT PRIMARY KEY
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE peers (
    node_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    public_key TEXT NOT NULL,
    address TEXT NOT NULL,
    dht_address TEXT,
    last_seen_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX peers_last_seen ON peers (last_seen_at);

  -- Receipts lie as they were signed, one row for each answer of a home.
  CREATE TABLE receipts (
    id INTEGER PRIMARY KEY,
    signed TEXT NOT NULL
  ) STRICT;

  CREATE TABLE receipt_auctions (
    auction_id TEXT NOT NULL,
    receipts INTEGER NOT NULL,
    PRIMARY KEY (auction_id, receipts)
  ) STRICT, WITHOUT ROWID;
  -- So that a gateway's account finds its own among those of all others.
  CREATE TABLE receipt_parties (
    auction_id TEXT NOT NULL,
    party_id TEXT NOT NULL,
    receipts INTEGER NOT NULL,
    PRIMARY KEY (auction_id, party_id, receipts)
  ) STRICT, WITHOUT ROWID;

  -- Alarms: what receipts say, and the log of the auction does not bear out.
  CREATE TABLE breaches (
    auction_id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    rule TEXT NOT NULL
  ) STRICT;

  -- author: the home that it convicts; sender: who brought it. Both have a budget of bytes.
  CREATE TABLE equivocations (
    auction_id TEXT PRIMARY KEY,
    author TEXT NOT NULL,
    sender TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    proof TEXT NOT NULL
  ) STRICT;

  -- Who sells and who bids where, once per party and auction: for the lists that gateways show their users.
  CREATE TABLE involvements (
    party_id TEXT NOT NULL,
    role TEXT NOT NULL,
    auction INTEGER NOT NULL,
    PRIMARY KEY (party_id, role, auction)
  ) STRICT, WITHOUT ROWID;
  `,
]

/** Their commits or states were written otherwise, and are not read any more. */
const VERSIONS_BEFORE = 15

const SCHEMA: Schema = {
  applicationId: APPLICATION_ID,
  versionsBefore: VERSIONS_BEFORE,
  migrations: MIGRATIONS,
}

/** Refuses a file that is not ours, or that a version wrote which is too old or too new. Changes nothing. */
export function checkOwnership(db: Database): void {
  checkSchemaOwner(db, SCHEMA)
}

/** Brings the schema up to date, each step as a whole or not at all. */
export function migrate(db: Database): void {
  applyMigrations(db, SCHEMA)
}
