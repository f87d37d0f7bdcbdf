import { jsonTime } from '../../../application/gateway/json-shapes.js'
import type { Moving } from '../../../ports/node/node-answers.js'
import type { Session } from '../parse/command.js'
import { sleep, unlessAborted } from './waiting.js'

/** A command that is not answered within this may wait for an auction that moves. */
const LOOK_MS = 1_000

const WAIT_MS = 25_000
const RETRY_MS = 1_000

/** Says so if the auction of a command under way moves to another node. Ends when the signal aborts. */
export async function noteMoving(
  { api, out }: Pick<Session, 'api' | 'out'>,
  { auction, what }: { readonly auction: string; readonly what: string },
  over: AbortSignal,
): Promise<void> {
  const id = auction.startsWith('auc_') ? auction : `auc_${auction}`
  for (;;) {
    await sleep(LOOK_MS, over)
    if (over.aborted) return
    const moving = await api()
      .then((node) => node.moving({ after: null, waitMs: 0 }))
      .catch(() => null)
    if (over.aborted) return
    if (moving?.auctions.some(({ auctionId }) => auctionId.startsWith(id))) {
      out.note(`moving to another node; ${what} yet`)
      return
    }
  }
}

/** Says which auctions move to another node, and that they do no longer, until the session ends. */
export async function followMoving(session: Session, auction: string | undefined): Promise<void> {
  const { ended } = session
  const prefix = auction === undefined || auction.startsWith('auc_') ? (auction ?? '') : `auc_${auction}`
  let before: ReadonlySet<string> = new Set()
  let after: number | null = null
  while (!ended.aborted) {
    // Where the node is away, whoever follows its events says so.
    const moving: Moving | null = await unlessAborted(askedAfter(session, after), ended)
    if (ended.aborted) return
    if (moving === null || moving.version === after) await sleep(RETRY_MS, ended)
    if (moving === null) continue
    after = moving.version
    const since = new Map(moving.auctions.map((one) => [one.auctionId, one.since]))
    const now = new Set([...since.keys()].filter((id) => id.startsWith(prefix)))
    for (const id of now) if (!before.has(id)) await say(session, id, since.get(id) ?? null)
    for (const id of before) if (!now.has(id)) await say(session, id, null)
    before = now
  }
}

async function askedAfter({ api }: Session, after: number | null): Promise<Moving | null> {
  try {
    return await (await api()).moving({ after, waitMs: WAIT_MS })
  } catch {
    return null
  }
}

async function say({ out, ids }: Session, auctionId: string, since: number | null): Promise<void> {
  out.document({ type: 'auction_moving', auction_id: auctionId, moving: since !== null, since: jsonTime(since) })
  if (out.json) return
  const name = await ids.of(auctionId).catch(() => auctionId)
  const words = since === null ? 'bids are answered again' : 'is moving to another node; bids are not placed yet'
  out.lines(out.look.paint.warn(`${name}  ${words}`))
}
