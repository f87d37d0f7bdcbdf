import type { AuditReader } from '../../ports/audit/audit-store.js'
import type { AuditEntry, AuditLines } from '../../ports/node/node-answers.js'
import type { AuditRequest } from '../../ports/node/node-requests.js'
import { parseLine } from './audit-line.js'

const DEFAULT_LIMIT = 200
const READ_AT_ONCE = 1_000
/** Lines that one request looks at: the next one goes on where it ended. */
const MAX_LOOKED_AT = 20_000

/** A page of the lines that match. */
export function queryAudit(reader: Pick<AuditReader, 'rows'>, request: AuditRequest): AuditLines {
  const { auction, limit = DEFAULT_LIMIT } = request
  const found: AuditEntry[] = []
  let seq = request.afterSeq ?? 0
  let lookedAt = 0
  while (lookedAt < MAX_LOOKED_AT) {
    const rows = reader.rows({ afterSeq: seq, auction, limit: READ_AT_ONCE })
    for (const row of rows) {
      seq = row.seq
      lookedAt += 1
      if (matches(row.text, request)) found.push({ text: row.text, hash: row.hash })
      if (found.length === limit) return { lines: found, next: seq, seq }
    }
    if (rows.length < READ_AT_ONCE) return { lines: found, next: null, seq }
  }
  return { lines: found, next: seq, seq }
}

function matches(text: string, { who, act, sinceMs, untilMs }: AuditRequest): boolean {
  const line = parseLine(text)
  // One that cannot be read is shown, not hidden.
  if (line === null) return true
  if (who !== undefined && !(line.who ?? '').startsWith(who)) return false
  if (act !== undefined && line.act !== act && !line.act.startsWith(`${act}.`)) return false
  return line.at >= (sinceMs ?? Number.NEGATIVE_INFINITY) && line.at <= (untilMs ?? Number.POSITIVE_INFINITY)
}
