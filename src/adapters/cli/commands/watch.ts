import type { EventMaker } from '../../../application/gateway/event-maker.js'
import type { EventMessage } from '../../../application/gateway/public-events.js'
import { NodeError } from '../../../ports/node/node-error.js'
import type { Args } from '../parse/args.js'
import type { NodeCommand, Session } from '../parse/command.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { paintEvent } from '../render/describe-event.js'
import { EventDescriber } from '../render/event-describer.js'
import { showTime } from '../render/look.js'
import { followMoving } from '../session/moving-note.js'
import { eventMakerOf } from '../session/session-events.js'
import { sleep, unlessAborted } from '../session/waiting.js'

const WAIT_MS = 25_000
/** How often, and how long, a lost node is looked for. */
const RETRY_MS = 1_000
const GIVE_UP_MS = 60_000
/** The wait after a node answers at once with nothing. */
const PAUSE_MS = 250
/** Open auctions whose leaders are known from the start. */
const MAX_REMEMBERED = 1_000

export const watchCommand: NodeCommand = {
  usage: 'watch [auction]',
  summary: 'Print what happens as it happens, until Ctrl-C.',
  positionals: { auction: 'Only this auction: its id, or the start of one' },
  options: { from: { kind: 'text', describe: 'With AUCTION: begin at this seq; 1 is the opening' } },
  examples: [
    ['watch', 'everything in the mesh, from now on'],
    ['watch auc_7k2m --from 1', 'one auction from its opening'],
    ['watch --json', 'one JSON document a line, for programs'],
  ],
  notes: 'A node that goes away is waited for, for a minute; nothing is missed or printed twice.',
  run: watch,
}

async function watch(session: Session, args: Args): Promise<ExitCode> {
  const { ended, out } = session
  const auction = args.text('auction')
  const fromSeq = args.int('from', 1, Number.MAX_SAFE_INTEGER)
  if (fromSeq !== undefined && auction === undefined) {
    throw args.wrong('from', 'needs an auction', 'say which: watch AUCTION --from SEQ')
  }
  const scope = {
    ...(auction === undefined ? {} : { auction }),
    ...(fromSeq === undefined ? {} : { fromSeq }),
  }
  const first = await session.api()
  const describer = new EventDescriber(session, (await first.status()).node.nodeId)
  if (!out.json && fromSeq === undefined) {
    describer.remember((await first.list({ statuses: ['open', 'ended'], limit: MAX_REMEMBERED })).auctions)
  }
  const maker = eventMakerOf(session)
  // Everything from this moment on, including what happens between this answer and the next question.
  const begun = await first.events({ ...scope, waitMs: 0 })
  let events = await maker.all(begun.items)
  let { cursor } = begun
  if (!out.json) out.note(out.look.paint.dim('watching; Ctrl-C ends it'))
  void followMoving(session, auction)
  for (;;) {
    for (const event of events) await print(session, describer, event)
    if (ended.aborted) return EXIT.done
    const page = await nextEvents(session, maker, cursor)
    if (page === null) return EXIT.done
    events = page.events
    cursor = page.cursor
  }
}

/** The next events, from the node or from the one that replaces it; null when the user ends the command. */
async function nextEvents(
  session: Session,
  maker: EventMaker,
  cursor: string,
): Promise<{ events: EventMessage[]; cursor: string } | null> {
  const { ended, out } = session
  let lostAt: number | null = null
  while (!ended.aborted) {
    const askedAt = performance.now()
    try {
      const api = await session.api()
      const page = await unlessAborted(api.events({ cursor, waitMs: WAIT_MS }), ended)
      if (page === null) return null
      if (lostAt !== null) out.note(out.look.paint.dim('the node is back'))
      // Before it is handed on: a node that goes away meanwhile is asked for the same page again.
      const events = await maker.all(page.items)
      lostAt = null
      if (page.items.length > 0) return { events, cursor: page.cursor }
      if (performance.now() - askedAt < PAUSE_MS) await sleep(PAUSE_MS, ended)
    } catch (error) {
      if (!isAway(error)) throw error
      if (lostAt === null) out.note(out.look.paint.warn('the node does not answer; waiting for it'))
      lostAt ??= askedAt
      if (askedAt - lostAt > GIVE_UP_MS) throw error
      await session.reconnect()
      await sleep(RETRY_MS, ended)
    }
  }
  return null
}

/** The node is gone for now; another may replace it. */
export function isAway(error: unknown): boolean {
  return error instanceof NodeError && (error.code === 'NODE_UNREACHABLE' || error.code === 'STOPPING')
}

async function print({ out }: Session, describer: EventDescriber, event: EventMessage): Promise<void> {
  out.document(event)
  if (out.json) return
  const { paint } = out.look
  const text = await describer.describe(event)
  out.lines(
    `${paint.dim(`${showTime(Date.parse(event.timestamp), out.look)} #${event.seq}`)}  ${paintEvent(text, out.look)}`,
  )
}
