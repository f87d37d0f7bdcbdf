import type { PostgresAddress } from '../../../src/adapters/postgres/postgres-address.js'
import { PASSWORD, type PostgresServer } from './postgres-server.js'

/** How a shared log is found on a server, or on several. */
export function addressOf(
  servers: Pick<PostgresServer, 'port'> | readonly Pick<PostgresServer, 'port'>[],
  database = 'postgres',
  more: Partial<PostgresAddress> = {},
): PostgresAddress {
  const hosts = [servers].flat().map(({ port }) => ({ host: '127.0.0.1', port }))
  return { hosts, database, user: 'postgres', password: () => PASSWORD, tls: null, ...more }
}
