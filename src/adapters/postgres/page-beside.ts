import { readBodyAgain } from '../../application/log/written-body.js'
import { outcomesWith } from '../../application/submissions/outcomes-of-commit.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { Secrets } from '../../domain/pricing.js'
import type { Outcome } from '../../ports/store/outcome-repository.js'
import type { SharedPage } from '../../ports/store/shared-log.js'
import { outcomesIn } from './append-statement.js'

/** Runs a named statement. */
type Rows = <Row extends object>(name: string, text: string, values: readonly unknown[]) => Promise<Row[]>

type Source = 'commits' | 'outcomes' | 'sealed'

const PAGE_ROWS = 1_000
const PAGE_BYTES = 1_000_000

/** A page of the data beside an auction's log: one source after the other; a cursor is "source:last key". */
export function pageBeside(rows: Rows, auctionId: string, after: string | null): Promise<SharedPage> {
  const [source, key] = splitCursor(after)
  switch (source) {
    case 'commits':
      return outcomesOfCommits(rows, auctionId, Number(key))
    case 'outcomes':
      return otherOutcomes(rows, auctionId, key)
    case 'sealed':
      return sealedMaxima(rows, auctionId, key)
    default: {
      const unknown: never = source
      throw new RangeError(`unknown source ${String(unknown)}`)
    }
  }
}

async function outcomesOfCommits(rows: Rows, auctionId: string, afterSeq: number): Promise<SharedPage> {
  const text = `
    SELECT first_seq, last_seq, body, outcomes FROM (
      SELECT *, sum(octet_length(body) + octet_length(outcomes)) OVER (ORDER BY last_seq)
        - octet_length(body) - octet_length(outcomes) AS bytes_before
      FROM (
        SELECT first_seq, last_seq, body, outcomes FROM vendue.commits
        WHERE auction_id = $1 AND last_seq > $2 AND outcomes IS NOT NULL ORDER BY last_seq LIMIT ${PAGE_ROWS}
      ) AS next
    ) AS page WHERE bytes_before < ${PAGE_BYTES} ORDER BY last_seq`
  type Row = { first_seq: number; last_seq: number; body: string; outcomes: string }
  const found = await rows<Row>('outcomes-of-commits', text, [auctionId, afterSeq])
  const outcomes = found.flatMap(({ first_seq, body, outcomes }) =>
    outcomesWith({ auctionId, firstSeq: first_seq }, readBodyAgain(body).events, outcomesIn(outcomes)),
  )
  const last = found.at(-1)
  return { outcomes, sealed: [], secrets: null, next: last ? `commits:${last.last_seq}` : 'outcomes:' }
}

/** Outcomes without a commit. */
async function otherOutcomes(rows: Rows, auctionId: string, afterId: string): Promise<SharedPage> {
  const text = `
    SELECT command_id, fingerprint, outcome FROM vendue.outcomes WHERE auction_id = $1 AND command_id > $2
    ORDER BY command_id LIMIT ${PAGE_ROWS}`
  type Row = { command_id: string; fingerprint: string; outcome: string }
  const found = await rows<Row>('outcomes', text, [auctionId, afterId])
  const outcomes = found.map(({ fingerprint, outcome }) => ({ outcome: JSON.parse(outcome) as Outcome, fingerprint }))
  const next = found.length < PAGE_ROWS ? 'sealed:' : `outcomes:${found.at(-1)?.command_id}`
  return { outcomes, sealed: [], secrets: null, next }
}

async function sealedMaxima(rows: Rows, auctionId: string, afterId: string): Promise<SharedPage> {
  const text = `
    SELECT bid_id AS "bidId", bidder_id AS "bidderId", amount, salt FROM vendue.sealed_maxima
    WHERE auction_id = $1 AND bid_id > $2 ORDER BY bid_id LIMIT ${PAGE_ROWS}`
  const sealed = await rows<SealedMaximum>('sealed', text, [auctionId, afterId])
  if (sealed.length === PAGE_ROWS)
    return { outcomes: [], sealed, secrets: null, next: `sealed:${sealed.at(-1)?.bidId}` }
  const secretsText = 'SELECT secrets, secrets_seq FROM vendue.heads WHERE auction_id = $1'
  type Row = { secrets: string | null; secrets_seq: number | null }
  const [row] = await rows<Row>('secrets', secretsText, [auctionId])
  const { secrets: kept = null, secrets_seq: seq = null } = row ?? {}
  const secrets = kept === null || seq === null ? null : { seq, secrets: JSON.parse(kept) as Secrets }
  return { outcomes: [], sealed, secrets, next: null }
}

function splitCursor(cursor: string | null): [Source, string] {
  if (cursor === null) return ['commits', '0']
  const at = cursor.indexOf(':')
  return [cursor.slice(0, at) as Source, cursor.slice(at + 1)]
}
