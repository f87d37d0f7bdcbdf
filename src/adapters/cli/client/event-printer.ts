import type { EventMaker } from '../../../application/gateway/event-maker.js'
import type { EventMessage } from '../../../application/gateway/public-events.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import type { Outcome } from '../../../ports/store/outcome-repository.js'
import type { Session } from '../parse/command.js'
import { paintEvent } from '../render/describe-event.js'
import { EventDescriber } from '../render/event-describer.js'
import { showTime } from '../render/look.js'
import { eventMakerOf } from '../session/session-events.js'
import { sleep, unlessAborted } from '../session/waiting.js'

const WAIT_MS = 25_000
/** The wait after a feed answers at once with nothing. */
const PAUSE_MS = 100
const RETRY_MS = 1_000
const MAX_REMEMBERED = 1_000
/** Events wait for the answer to the command that made them, but not longer. */
const MAX_HOLD_MS = 2_000

export interface EventPrinterDeps {
  readonly session: Session
  readonly api: NodeApi
}

/** Prints what happens elsewhere as it happens. What a command at this prompt did is shown by its own answer. */
export class EventPrinter {
  readonly #deps: EventPrinterDeps
  readonly #maker: EventMaker
  readonly #describer: EventDescriber
  readonly #reported = new Set<string>()
  #busy: Promise<unknown> = Promise.resolve()
  /** Null: all auctions. */
  #watched: ReadonlySet<string> | null = null

  constructor(deps: EventPrinterDeps, options: { readonly selfId: string }) {
    this.#deps = deps
    this.#maker = eventMakerOf(deps.session)
    this.#describer = new EventDescriber(deps.session, options.selfId)
  }

  get watched(): ReadonlySet<string> | null {
    return this.#watched
  }

  watch(auctionIds: ReadonlySet<string> | null): void {
    this.#watched = auctionIds
  }

  /** Events wait while a command runs. */
  during(work: Promise<unknown>): void {
    this.#busy = work.catch(() => {})
  }

  reported(outcome: Outcome): void {
    if (outcome.status !== 'accepted') return
    if (this.#reported.size >= MAX_REMEMBERED) this.#reported.clear()
    this.#reported.add(`${outcome.auctionId} ${outcome.seq}`)
  }

  /** The cursor to start from: everything after this moment is printed. */
  async begin(): Promise<string> {
    const { api } = this.#deps
    this.#describer.remember((await api.list({ statuses: ['open', 'ended'], limit: MAX_REMEMBERED })).auctions)
    return (await api.events({ waitMs: 0 })).cursor
  }

  /** Until the session ends. */
  async run(start: string): Promise<void> {
    const { api, session } = this.#deps
    const { ended, out } = session
    let cursor = start
    while (!ended.aborted) {
      const askedAt = performance.now()
      try {
        const page = await unlessAborted(api.events({ cursor, waitMs: WAIT_MS }), ended)
        if (page === null) return
        const events = await this.#maker.all(page.items)
        cursor = page.cursor
        await this.#print(events)
        if (page.items.length === 0 && performance.now() - askedAt < PAUSE_MS) await sleep(PAUSE_MS, ended)
      } catch (error) {
        if (ended.aborted) return
        out.note(out.look.paint.warn(`events cannot be shown at the moment: ${(error as Error).message}`))
        await sleep(RETRY_MS, ended)
      }
    }
  }

  async #print(events: readonly EventMessage[]): Promise<void> {
    const { out } = this.#deps.session
    for (const event of events) {
      await Promise.race([this.#busy, sleep(MAX_HOLD_MS, this.#deps.session.ended)])
      const text = await this.#describer.describe(event)
      const isReported = this.#reported.delete(`${event.auction_id} ${event.seq}`)
      if (this.#watched !== null && !this.#watched.has(event.auction_id)) continue
      out.document(event)
      if (isReported || out.json) continue
      const { paint } = out.look
      out.lines(`${paint.dim(showTime(Date.parse(event.timestamp), out.look))}  ${paintEvent(text, out.look)}`)
    }
  }
}
