import { type AuditLine, parseLine } from '../../../application/audit/audit-line.js'
import type { AuditEntry, AuditLines } from '../../../ports/node/node-answers.js'
import type { AuditRequest } from '../../../ports/node/node-requests.js'
import { parseDuration } from '../../system/parse-duration.js'
import type { Args } from '../parse/args.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { gatewayOptions, reachOptions } from '../parse/node-options.js'
import { UsageError } from '../parse/usage-error.js'
import { showTime } from '../render/look.js'
import { oneLine } from '../render/terminal-text.js'
import type { Host, HostCommand } from '../session/host.js'
import { RpcSession } from '../session/node-session.js'
import { sleep } from '../session/waiting.js'

const FOLLOW_MS = 500

type Read = (request: AuditRequest) => Promise<AuditLines>

export const auditCommand: HostCommand = {
  usage: 'audit [what]',
  summary: 'Show who did what and from where, or verify that nobody has changed the record of it.',
  audited: 'changes nothing',
  positionals: { what: 'verify: read the whole record, and say whether it is as it was written' },
  options: {
    ...reachOptions,
    'accounts-dir': gatewayOptions['accounts-dir'] as NonNullable<(typeof gatewayOptions)[string]>,
    who: { kind: 'text', describe: 'Id of an account, a guest or a node, or the start of one' },
    auction: { kind: 'text', describe: 'Whole id of an auction' },
    action: { kind: 'text', describe: 'Such as bid, auction.close, account.log-in; auction: all about auctions' },
    since: { kind: 'text', describe: 'TIME, RFC 3339 with a zone, or how long ago: 2h' },
    until: { kind: 'text', describe: 'The same; now otherwise' },
    follow: { kind: 'flag', describe: 'Go on with what comes, until Ctrl-C' },
  },
  examples: [
    ['audit --since 1h', 'the last hour'],
    ['audit --auction auc_7k2m0000000000000000000000', 'all about one auction'],
    ['audit --action account --who usr_7k2m', 'log-ins and the like of one account'],
    ['audit --follow --json', 'for programs'],
    ['audit --rpc 192.0.2.7:7000 --token-file operator.token', 'of another machine: for operators alone'],
    ['audit verify', 'exit code 1: something was changed, and it says which line'],
  ],
  notes:
    'Reads audit.db in the data directory, whether the node runs or not. Bids of one sender within a moment are one line with their ids; refusals that repeat are one line with a count. What a killed process had not written yet is lost: a quarter of a second at most, and counts of refusals since the last seal.',
  async run(host, args) {
    const what = args.text('what')
    if (what === 'verify') return verify(host, args)
    if (what !== undefined) throw args.wrong('what', 'must be verify, or left out')
    const request = requestOf(args, host.io.now())
    if (args.has('rpc')) {
      const session = new RpcSession(host, args)
      try {
        const api = await session.api()
        return await show(host, args, request, (page) => api.audit(page))
      } finally {
        await session.close()
      }
    }
    const record = await opened(host, args)
    try {
      return await show(host, args, request, async (page) => record.query(page))
    } finally {
      record.close()
    }
  },
}

async function opened(host: Host, args: Args) {
  const dir = directoryOf(host, args)
  const record = await host.deps.readAudit(dir)
  if (record !== null) return record
  throw new UsageError(`there is no audit record in ${dir}`, {
    next: 'name the node with --name or --data; a gateway of its own writes to its --accounts-dir',
  })
}

function directoryOf(host: Host, args: Args): string {
  const { values } = host.settings(args)
  return args.has('accounts-dir') ? values.accounts_dir : values.data
}

async function verify(host: Host, args: Args): Promise<ExitCode> {
  const { out } = host
  const dir = directoryOf(host, args)
  const record = await opened(host, args)
  try {
    const { finding, firstSeq, lines, seals, unsealed, notes } = record.check()
    out.document({
      valid: finding === null,
      directory: dir,
      ...(finding && { fault: finding.fault, line: finding.seq, reason: finding.what }),
      ...{ first_line: firstSeq, lines, seals, unsealed, notes },
    })
    if (finding !== null) {
      out.lines(
        `${out.look.paint.bad('NOT AS IT WAS WRITTEN')}: audit.db in ${oneLine(dir)}`,
        `  ${finding.fault}: line ${finding.seq} ${oneLine(finding.what)}`,
        '  What stands before it is as it was; restore a copy, and compare the two.',
      )
      return EXIT.rejected
    }
    out.lines(
      `${out.look.paint.good('as it was written')}: ${lines} lines from line ${firstSeq} on, ${seals} seals`,
      ...(unsealed > 0
        ? [`  ${unsealed} lines are younger than the last seal: none can be seen to be missing yet`]
        : []),
      ...notes.map((note) => `  ${oneLine(note)}`),
    )
    return EXIT.done
  } finally {
    record.close()
  }
}

function requestOf(args: Args, now: number): AuditRequest {
  const [who, auction, act] = [args.text('who'), args.text('auction'), args.text('action')]
  const sinceMs = momentOf(args, 'since', now)
  const untilMs = momentOf(args, 'until', now)
  return {
    ...(who !== undefined && { who }),
    ...(auction !== undefined && { auction }),
    ...(act !== undefined && { act }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
  }
}

function momentOf(args: Args, name: string, now: number): number | undefined {
  const ago = parseDuration(args.text(name) ?? '')
  return ago === null ? args.time(name) : now - ago
}

async function show(host: Host, args: Args, request: AuditRequest, read: Read): Promise<ExitCode> {
  const { io, out } = host
  let afterSeq = 0
  let shown = 0
  while (!io.ended.aborted) {
    const { lines, next, seq } = await read({ ...request, afterSeq })
    for (const entry of lines) print(host, entry)
    shown += lines.length
    afterSeq = next ?? seq
    if (next !== null) continue
    if (!args.flag('follow')) break
    await sleep(FOLLOW_MS, io.ended)
  }
  if (shown === 0) out.note('no line matches')
  return EXIT.done
}

function print({ out }: Host, { text, hash }: AuditEntry): void {
  const line = parseLine(text)
  if (out.json) out.document(line === null ? { unreadable: text, hash } : { ...line, hash })
  else out.lines(line === null ? `unreadable: ${oneLine(text)}` : oneLine(textOf(line, out.look)))
}

export function textOf(line: AuditLine, look: Host['out']['look']): string {
  const { seq, at, act, via, from, who, key, auction, code, count = 1, commands = [], about } = line
  const words = [
    ...[String(seq).padStart(6), showTime(at, look), act, code === 'ok' ? '' : code, count > 1 ? `×${count}` : ''],
    ...[who ?? '', key ?? '', `${via}${from === null ? '' : ` ${from}`}`, auction ?? '', about ?? ''],
    ...[commands.slice(0, 3).join(' '), commands.length > 3 ? `and ${commands.length - 3} more` : ''],
  ]
  return words.filter((word) => word !== '').join('  ')
}
