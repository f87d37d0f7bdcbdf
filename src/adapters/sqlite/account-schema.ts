import type { Schema } from './schema-versions.js'

/** "VNDG": a gateway's accounts. */
const APPLICATION_ID = 0x564e4447

/** `name_key` and `email_key` are what must not be taken twice; the others are as they were typed. */
export const ACCOUNT_SCHEMA: Schema = {
  applicationId: APPLICATION_ID,
  migrations: [
    `
    CREATE TABLE accounts (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      name_key TEXT NOT NULL UNIQUE,
      email TEXT,
      email_key TEXT UNIQUE,
      roles TEXT NOT NULL,
      password_hash TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      disabled_at INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sessions (
      id TEXT PRIMARY KEY,
      account_id TEXT NOT NULL,
      token_hash TEXT NOT NULL,
      previous_hash TEXT,
      rotated_at INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_of_account ON sessions (account_id, created_at, id);
    CREATE INDEX sessions_expired ON sessions (expires_at);

    CREATE TABLE api_keys (
      id TEXT PRIMARY KEY,
      account_id TEXT NOT NULL,
      hash TEXT NOT NULL,
      label TEXT NOT NULL,
      scopes TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      last_used_at INTEGER,
      revoked_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX api_keys_of_account ON api_keys (account_id, created_at, id);
    `,
    // Where accounts have bid under pseudonyms, which no log says.
    `
    CREATE TABLE pseudonymous_bids (
      position INTEGER PRIMARY KEY,
      account_id TEXT NOT NULL,
      auction_id TEXT NOT NULL,
      UNIQUE (account_id, auction_id)
    ) STRICT;
    CREATE INDEX pseudonymous_bids_newest ON pseudonymous_bids (account_id, position);
    `,
    // Who may stand behind a pseudonym.
    'CREATE INDEX pseudonymous_bids_of_auction ON pseudonymous_bids (auction_id, position)',
  ],
}
