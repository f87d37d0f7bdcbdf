import { SqlStatReader } from '../../src/adapters/sql/sql-stat-reader.js'
import { sqlStatRows } from '../../src/adapters/sql/sql-stat-rows.js'
import { statProjection } from '../../src/application/analytics/stat-projection.js'
import type { StatFact } from '../../src/ports/store/stat-facts.js'
import type { StatReader } from '../../src/ports/store/stat-reader.js'
import type { ConsumerService } from '../consumers/open-consumer.js'

/** The numbers about auctions. */
export const analyticsService: ConsumerService<StatFact, StatReader> = {
  projection: statProjection,
  rows: sqlStatRows,
  reader: (db, options) => new SqlStatReader({ db }, options),
}
