import { SharedLogError } from '../../ports/store/shared-log.js'
import { hostText } from './postgres-address.js'
import { sqlState, UNIQUE_VIOLATION } from './postgres-errors.js'
import type { PostgresConnection } from './primary-connection.js'

/**
 * One step for each version, oldest first. Append only: never edit a step that was released. A step runs as one
 * transaction, and nodes of the version before may still be running: it must not break them.
 *
 * - `heads` is the lock: two writers can contend only for its row. Columns that change with each commit are in no
 *   index, so updates are cheap.
 * - `commits` holds a commit as it was signed, and those of its outcomes that its events do not contain (see
 *   application/submissions/outcomes-of-commit.ts).
 * - `invites` holds the cluster's key on its way to new nodes, sealed (see application/members/cluster-token.ts).
 * - `outcomes` holds outcomes without a commit; `sealed_maxima` holds maxima that no event has revealed yet.
 * - Ids are compared byte by byte, as JavaScript compares them.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE SCHEMA vendue;

  CREATE TABLE vendue.log (
    one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    version integer NOT NULL,
    cluster_id text NOT NULL,
    barriers bigint NOT NULL DEFAULT 0
  );

  CREATE TABLE vendue.heads (
    auction_id text COLLATE "C" PRIMARY KEY,
    seq bigint NOT NULL,
    hash text NOT NULL,
    home_node_id text COLLATE "C" NOT NULL,
    needs_home boolean NOT NULL,
    due_at bigint,
    opened_by text,
    secrets text,
    secrets_seq bigint
  ) WITH (fillfactor = 50);
  CREATE UNIQUE INDEX heads_opened_by ON vendue.heads (opened_by);
  CREATE INDEX heads_homes ON vendue.heads (home_node_id, auction_id) WHERE needs_home;

  CREATE TABLE vendue.commits (
    auction_id text COLLATE "C" NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    hash text NOT NULL,
    signer text NOT NULL,
    signature text NOT NULL,
    body text NOT NULL,
    outcomes text,
    PRIMARY KEY (auction_id, last_seq)
  );

  CREATE TABLE vendue.outcomes (
    auction_id text COLLATE "C" NOT NULL,
    command_id text COLLATE "C" NOT NULL,
    fingerprint text NOT NULL,
    outcome text NOT NULL,
    PRIMARY KEY (auction_id, command_id)
  );

  CREATE TABLE vendue.sealed_maxima (
    auction_id text COLLATE "C" NOT NULL,
    bid_id text COLLATE "C" NOT NULL,
    bidder_id text NOT NULL,
    amount bigint NOT NULL,
    salt text NOT NULL,
    PRIMARY KEY (auction_id, bid_id)
  );

  CREATE TABLE vendue.nodes (
    node_id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    address text NOT NULL,
    beat_at bigint NOT NULL
  );

  CREATE TABLE vendue.invites (
    secret_hash text COLLATE "C" PRIMARY KEY,
    sealed_key text NOT NULL,
    uses integer NOT NULL,
    used_by text[] NOT NULL DEFAULT '{}',
    expires_at bigint NOT NULL
  );
  `,
]

/** Abandoned versions: their logs are refused. */
const VERSIONS_BEFORE = 0
export const NEWEST_VERSION = VERSIONS_BEFORE + MIGRATIONS.length
const CHECK_TIMEOUT_MS = 2_000
const MIGRATION_TIMEOUT_MS = 60_000
/** Nodes that start at the same moment conflict once or twice. */
const MAX_RACES = 20
/** The schema exists already, or another node made it a moment ago. */
const RACE_LOST = new Set([UNIQUE_VIOLATION, '42P06', '42P07', '40001', '40P01'])

interface LogRow {
  readonly version: number
  readonly cluster_id: string
}

interface Settings {
  readonly read_only: string
  readonly encoding: string
  readonly fsync: string | null
  readonly synchronous_commit: string | null
}

/** Whether a server takes writes. A server that would lose them is refused. */
export async function takesWrites(connection: PostgresConnection): Promise<boolean> {
  // A statement that is planned while the log is small reads all of it, and still does so after the log has grown.
  const text = `
    SELECT current_setting('transaction_read_only') AS read_only, current_setting('server_encoding') AS encoding,
      current_setting('fsync', true) AS fsync, current_setting('synchronous_commit', true) AS synchronous_commit,
      (SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'enable_seqscan') AS reads_all`
  const [settings] = await connection.query<Settings>({ text }, CHECK_TIMEOUT_MS)
  if (settings === undefined || settings.read_only === 'on') return false
  const at = hostText(connection.host)
  const unsafe = (what: string, next: string) => {
    throw new SharedLogError('LOG_UNSAFE', `PostgreSQL at ${at} has ${what}; ${next}`)
  }
  const { encoding, fsync, synchronous_commit } = settings
  if (fsync === 'off') unsafe('fsync off: it would lose what it has acknowledged', 'turn it on')
  if (synchronous_commit === 'off')
    unsafe('synchronous_commit off: it would lose what it has acknowledged', 'set it to on, or to local, for this user')
  if (!/^utf-?8$/i.test(encoding))
    unsafe(`a database in ${encoding}, which cannot hold every text`, 'create one with ENCODING UTF8')
  return true
}

/** Brings the schema to this version, and claims an empty log for the cluster; refuses logs that it must not touch. */
export async function prepareLog(connection: PostgresConnection, clusterId: string): Promise<void> {
  for (let race = 0; ; race++) {
    try {
      const log = await logRow(connection)
      if (log !== null) checkLog(log, clusterId, connection)
      if (log?.version === NEWEST_VERSION) return
      await migrate(connection, log?.version ?? 0, clusterId)
    } catch (error) {
      if (race >= MAX_RACES || !RACE_LOST.has(sqlState(error))) throw error
    }
  }
}

async function logRow(connection: PostgresConnection, isSecondLook = false): Promise<LogRow | null> {
  try {
    const text = 'SELECT version, cluster_id FROM vendue.log'
    const [row] = await connection.query<LogRow>({ text }, CHECK_TIMEOUT_MS)
    if (row !== undefined) return row
  } catch (error) {
    if (sqlState(error) !== '42P01') throw error
    // There is no such schema: the log is new.
    if (!(await hasSchema(connection))) return null
    if (isSecondLook) throw error
    // Another node may have made it between the two looks.
    return logRow(connection, true)
  }
  throw new SharedLogError(
    'LOG_FOREIGN',
    `the shared log at ${hostText(connection.host)} does not name its cluster; restore it from a backup, or use another database`,
  )
}

async function hasSchema(connection: PostgresConnection): Promise<boolean> {
  const text = `SELECT 1 FROM information_schema.schemata WHERE schema_name = 'vendue'`
  return (await connection.query({ text }, CHECK_TIMEOUT_MS)).length > 0
}

function checkLog({ version, cluster_id }: LogRow, clusterId: string, { host }: PostgresConnection): void {
  const at = hostText(host)
  if (cluster_id !== clusterId)
    throw new SharedLogError(
      'LOG_OF_ANOTHER_CLUSTER',
      `the shared log at ${at} belongs to cluster ${cluster_id}, this node to ${clusterId}; give each cluster a database of its own`,
    )
  if (version <= VERSIONS_BEFORE)
    throw new SharedLogError(
      'LOG_TOO_OLD',
      `the shared log at ${at} was written by an earlier Vendue (schema ${version}), which this one does not read; finish its auctions with that version, and use another database`,
    )
  if (version > NEWEST_VERSION)
    throw new SharedLogError(
      'LOG_TOO_NEW',
      `the shared log at ${at} was written by a newer Vendue (schema ${version}, this one knows ${NEWEST_VERSION}); update this node`,
    )
}

/** Migrates from `found` (0: there is no schema) to the newest version, as a whole or not at all. */
async function migrate(connection: PostgresConnection, found: number, clusterId: string): Promise<void> {
  const run = (text: string, values: unknown[] = []) => connection.query({ text, values }, MIGRATION_TIMEOUT_MS)
  await run('BEGIN')
  try {
    // A node that has to wait here finds another version afterwards: it has lost the race.
    if (found > 0) await run('SELECT version FROM vendue.log FOR UPDATE')
    for (const step of MIGRATIONS.slice(Math.max(0, found - VERSIONS_BEFORE))) await run(step)
    if (found === 0)
      await run('INSERT INTO vendue.log (version, cluster_id) VALUES ($1, $2)', [NEWEST_VERSION, clusterId])
    else await run('UPDATE vendue.log SET version = $1', [NEWEST_VERSION])
    await run('COMMIT')
  } catch (error) {
    if (connection.broken === null) await run('ROLLBACK')
    throw error
  }
}
