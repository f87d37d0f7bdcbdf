import { join } from 'node:path'
import { consumerJson } from '../../../application/gateway/json-shapes.js'
import type { ConsumerStatus } from '../../../ports/store/consumer-status.js'
import { type DatabaseAddress, withPasswordFile } from '../../system/database-address.js'
import type { Args } from '../parse/args.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { databaseOptions, reachOptions } from '../parse/node-options.js'
import { UsageError } from '../parse/usage-error.js'
import { consumerFacts } from '../render/consumer-text.js'
import { ProgressLine } from '../render/progress-line.js'
import { facts } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import type { AnalyticsHandle } from '../session/cli-deps.js'
import { followingNodeApi } from '../session/following-node-api.js'
import type { Host, HostCommand } from '../session/host.js'
import { nodeLogger } from '../session/node-logger.js'
import { RpcSession } from '../session/node-session.js'
import { aborted, sleep } from '../session/waiting.js'

const ACTIONS: Readonly<Record<string, Action>> = { run, status, rebuild }

type Action = (context: Context) => Promise<ExitCode>

interface Context {
  readonly host: Host
  readonly args: Args
  readonly session: RpcSession
}

/** In the data directory of a node. */
const FILE = 'analytics.db'
const LOOK_MS = 250

export const analyticsCommand: HostCommand = {
  usage: 'analytics [action]',
  summary: 'Compute statistics for a node that runs elsewhere, until Ctrl-C; or: status, rebuild.',
  // Statistics are made from the log, as often as one likes.
  audited: 'changes nothing',
  positionals: { action: `${Object.keys(ACTIONS).join(', ')}; run otherwise` },
  options: {
    ...reachOptions,
    ...databaseOptions,
    'log-format': {
      kind: 'text',
      describe: 'pretty, json or auto (pretty on a terminal)',
      group: 'Configuration:',
    },
  },
  examples: [
    ['analytics --db postgres://vendue@db/stats', 'for the node of this machine, in PostgreSQL'],
    ['analytics --rpc 192.0.2.7:7000 --db stats.db', 'for a node of another machine, in a SQLite file'],
    ['analytics status', 'how far the statistics of the node are'],
    ['analytics rebuild', 'compute them anew beside the present ones, and then replace those'],
  ],
  notes:
    'A node computes statistics by itself (`vendue start --no-analytics` turns that off). Of several that write to one database, one works and the others wait. VENDUE_DB and "db" in the config file name the database as well as --db does.',
  async run(host, args) {
    const name = args.text('action') ?? 'run'
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
    if (action === undefined)
      throw new UsageError(`there is no action ${JSON.stringify(name.slice(0, 80))}`, {
        field: 'action',
        next: `it is one of ${Object.keys(ACTIONS).join(', ')}`,
      })
    const session = new RpcSession(host, args)
    try {
      return await action({ host, args, session })
    } finally {
      await session.close()
    }
  },
}

async function run(context: Context): Promise<ExitCode> {
  const { host, session } = context
  const { io, out } = host
  const { node } = await (await session.api()).status()
  const analytics = await open(context)
  analytics.start()
  out.document({ event: 'ready', db: analytics.place, node_id: node.nodeId, pid: process.pid })
  const words = `statistics of the node ${node.name} in ${analytics.place}. Ctrl-C stops it.`
  out.lines(`${out.look.paint.good('Ready')}: ${oneLine(words)}`)
  let shown = ''
  while (!io.ended.aborted) {
    const now = analytics.status()
    if (now.state !== shown) say(host, now)
    shown = now.state
    await sleep(LOOK_MS, io.ended)
  }
  if (!out.json) out.note('stopping')
  // Calls under way end with the session, so that nothing waits for the node.
  const closing = analytics.close()
  await session.close()
  await closing
  return EXIT.done
}

function say({ out }: Host, now: ConsumerStatus): void {
  if (now.state === 'stopped') return
  if (out.json) out.document({ event: 'state', ...(consumerJson(now) as object) })
  else for (const [what, words] of consumerFacts([now], out.look.paint)) out.note(`${what} ${words}`)
}

async function status(context: Context): Promise<ExitCode> {
  const { host, session } = context
  const { out } = host
  if (host.settings(context.args).values.db === null) {
    const { consumers } = await (await session.api()).status()
    out.document({ consumers: consumers.map(consumerJson) })
    const lines = facts(consumerFacts(consumers, out.look.paint))
    out.lines(...(lines.length > 0 ? lines : ['the node computes no statistics; --db names a database']))
    return EXIT.done
  }
  const analytics = await open(context)
  try {
    const { generations, auctions, events, behind, misfits } = await analytics.progress()
    const stopped = misfits.map((misfit) => ({
      auction_id: misfit.auctionId,
      rule: misfit.rule,
      is_signed: misfit.isSigned,
      cursor: misfit.cursor,
      commit: misfit.commit,
    }))
    out.document({ db: analytics.place, generations, auctions, events, behind, stopped })
    const live = generations.find(({ state }) => state === 'live')
    out.lines(
      ...facts([
        ['database', oneLine(analytics.place)],
        ['worked on by', live?.holder == null ? 'nobody' : oneLine(live.holder)],
        ['events', `${events} of ${auctions} auctions, ${behind} behind the node`],
        ...generations
          .filter(({ state }) => state !== 'live')
          .map(({ state, number, holder }) => [state, `generation ${number}, ${oneLine(holder ?? 'nobody')}`] as const),
        ...misfits.map(({ auctionId, rule }) => ['stopped', `${auctionId}: ${oneLine(rule)}`] as const),
      ]),
    )
    return EXIT.done
  } finally {
    await analytics.close()
  }
}

async function rebuild(context: Context): Promise<ExitCode> {
  const { io, out } = context.host
  const analytics = await open(context)
  let line: ProgressLine | null = null
  // The timers of the work do not keep a process alive.
  const alive = setInterval(() => {}, LOOK_MS)
  let last = { done: 0, total: 0 }
  try {
    const show = (progress: { done: number; total: number }) => {
      if (line === null || progress.total !== last.total) {
        line?.clear()
        line = new ProgressLine(io.stderr, { total: progress.total, shown: !out.json })
      }
      last = progress
      line.show(progress.done, `${progress.done} of ${progress.total} events`)
    }
    await Promise.race([analytics.rebuild(show, io.ended), aborted(io.ended)])
    ;(line as ProgressLine | null)?.clear()
    if (io.ended.aborted) {
      if (!out.json) out.note('interrupted: the present statistics stay; the next rebuild goes on from here')
      return EXIT.done
    }
    out.document({ rebuilt: true, events: last.done, db: analytics.place })
    out.lines(`${out.look.paint.good('Rebuilt')} from ${last.done} events, in ${oneLine(analytics.place)}`)
    return EXIT.done
  } finally {
    clearInterval(alive)
    const closing = analytics.close()
    await context.session.close()
    await closing
  }
}

function open({ host, args, session }: Context): Promise<AnalyticsHandle> {
  const { deps, io } = host
  const { log_level: level, log_format: format } = host.settings(args).values
  return deps.openAnalytics({
    api: followingNodeApi(session),
    database: databaseOf({ host, args, session }),
    holder: `vendue analytics (process ${process.pid})`,
    logger: nodeLogger({ level, format }, { stream: io.stderr, env: io.env }),
  })
}

/** Where the numbers of a node are: as named, or in the data directory of a node of this machine. */
export function databaseOf({ host, args, session }: Context): DatabaseAddress {
  const { db, db_password_file } = host.settings(args).values
  const named = withPasswordFile(db, db_password_file)
  if (named !== null) return named
  const { node } = session.find()
  if (node !== null) return { kind: 'sqlite', file: join(node.dataDir, FILE) }
  throw new UsageError('the node is not of this machine, and no database is named', {
    field: 'db',
    next: 'name a SQLite file or postgres://USER@HOST:PORT/DATABASE with --db',
  })
}
