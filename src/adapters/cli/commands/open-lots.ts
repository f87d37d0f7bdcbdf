import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { openTerms } from '../../../application/home/open-terms.js'
import { findCurrency } from '../../../domain/currency.js'
import { openingProblems, termsProblems } from '../../../domain/terms.js'
import { NodeError } from '../../../ports/node/node-error.js'
import type { OpenRequest } from '../../../ports/node/node-requests.js'
import { LotsFileError, readLots } from '../../system/lots-file.js'
import { systemRandom } from '../../system/system-random.js'
import { Args } from '../parse/args.js'
import type { Session } from '../parse/command.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { UsageError } from '../parse/usage-error.js'
import { rejectionLines } from '../render/outcome-text.js'
import { oneLine } from '../render/terminal-text.js'

/** Makes the request of a row; the same checks as for one auction. Throws `UsageError`. */
type RequestOf = (args: Args, commandId: string) => OpenRequest

interface Lot {
  readonly row: number
  readonly request: OpenRequest
}

const COLUMNS = [
  ...['title', 'start', 'currency', 'description', 'reserve', 'increment', 'buy-now', 'opens-at', 'closes-in'],
  ...['closes-at', 'soft-close', 'hard-stop'],
]
const FLAGS = ['pseudonyms', 'no-give-back']
const AT_ONCE = 16
const MAX_SHOWN = 20

/** Opens the lots of a list, after all of them have been checked. A lot that was opened before is not opened again. */
export async function openLots(session: Session, args: Args, requestOf: RequestOf): Promise<ExitCode> {
  const { out } = session
  const lots = readAll(args, requestOf)
  if (args.flag('dry-run')) {
    out.document({ rows: lots.map(({ row, request }) => ({ row, command_id: request.commandId })), opened: [] })
    out.lines(`${lots.length} lots are right. Nothing was opened.`)
    return EXIT.done
  }
  const api = await session.api()
  const opened: { row: number; auction_id: string; command_id: string }[] = []
  const refused: { row: number; code: string; command_id: string }[] = []
  for (let i = 0; i < lots.length && !session.ended.aborted; i += AT_ONCE) {
    const some = lots.slice(i, i + AT_ONCE)
    const results = await Promise.allSettled(some.map(({ request }) => api.open(request)))
    for (const [j, result] of results.entries()) {
      const { row, request } = some[j] as Lot
      const { commandId: command_id } = request
      if (result.status === 'rejected') throw stopped(result.reason, row, opened.length)
      const { outcome, auction } = result.value
      session.reported?.(outcome)
      if (outcome.status === 'accepted') opened.push({ row, auction_id: outcome.auctionId, command_id })
      else {
        refused.push({ row, code: outcome.rejection.code, command_id })
        for (const line of await rejectionLines(session, outcome, auction)) out.note(`row ${row}: ${line}`)
      }
    }
    out.live([`${opened.length} of ${lots.length} lots are open`])
  }
  out.document({ opened, refused })
  return refused.length > 0 ? EXIT.rejected : EXIT.done
}

function readAll(args: Args, requestOf: RequestOf): Lot[] {
  const file = args.need('from')
  const rows = fileRows(file)
  const given = Object.fromEntries(COLUMNS.flatMap((name) => (args.has(name) ? [[name, args.text(name)]] : [])))
  const flags = Object.fromEntries(FLAGS.map((name) => [name, args.flag(name)]))
  const ack = args.has('ack') ? { ack: args.text('ack') } : {}
  const seen = new Map<string, number>()
  const wrong: string[] = []
  const lots: Lot[] = []
  for (const { row, cells } of rows) {
    const values = { ...given, ...cells, ...flags }
    const text = JSON.stringify(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)))
    const before = seen.get(text) ?? 0
    seen.set(text, before + 1)
    const one = new Args({ ...values, ...ack }, { positionals: [], words: args.words })
    try {
      const request = requestOf(one, commandIdOf(text, before, args.text('batch') ?? ''))
      checkTerms(request)
      lots.push({ row, request })
    } catch (error) {
      wrong.push(`row ${row}: ${saidOf(error)}`)
    }
  }
  if (wrong.length === 0) return lots
  const more = wrong.length > MAX_SHOWN ? `; and ${wrong.length - MAX_SHOWN} more rows` : ''
  throw new UsageError(
    `${wrong.length} of ${rows.length} lots in ${file} are wrong: ${wrong.slice(0, MAX_SHOWN).join('; ')}${more}`,
    {
      field: 'from',
      next: 'correct them; nothing was opened',
    },
  )
}

function fileRows(file: string) {
  try {
    return readLots(readFileSync(file), COLUMNS)
  } catch (cause) {
    const next = cause instanceof LotsFileError ? cause.next : 'name a file that can be read'
    throw new UsageError(`cannot use ${file}: ${(cause as Error).message}`, { field: 'from', next, cause })
  }
}

/**
 * The same row has the same id, whenever the list is opened and whatever else is in it, so the node opens it once.
 * `batch`: for those who want to hold the same lots again.
 */
function commandIdOf(text: string, before: number, batch: string): string {
  return `cmd_${createHash('sha256')
    .update(JSON.stringify([batch, text, before]))
    .digest('base64url')}`
}

/** As the home will check them. Those of currencies that only the node's configuration knows are left to it. */
function checkTerms(request: OpenRequest): void {
  if (findCurrency(request.currency) === undefined && /^[A-Z][A-Z0-9]{2,9}$/.test(request.currency)) return
  const now = Date.now()
  const { terms, reserve } = openTerms(request, { now, random: systemRandom, currencies: {}, pictures: [] })
  const [problem] = [...termsProblems(terms, reserve?.amount ?? null), ...openingProblems(terms, now)]
  if (problem) throw new UsageError(`${problem.field} ${problem.rule}`, { field: problem.field })
}

/** Names the column, the rule and what to do. */
function saidOf(error: unknown): string {
  if (!(error instanceof UsageError || error instanceof NodeError)) throw error
  const { message, field, next } = error
  const column = field?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const rule = message.replace(/^--/, '')
  const named = column === undefined || rule.startsWith(column) ? rule : `${column}: ${rule}`
  return oneLine(next === undefined ? named : `${named} (${next})`)
}

function stopped(reason: unknown, row: number, opened: number): unknown {
  if (!(reason instanceof NodeError)) return reason
  const { code, message, field } = reason
  return new NodeError(code, `row ${row}: ${message}; ${opened} lots are open`, {
    ...(field !== undefined && { field }),
    next: `${reason.next ?? 'see what is wrong'}; then give the same command again: no lot is opened twice`,
    cause: reason,
  })
}
