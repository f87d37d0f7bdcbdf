import type { AuctionView } from '../../../ports/node/node-answers.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import { NodeError } from '../../../ports/node/node-error.js'
import type { NodeStatus } from '../../../ports/node/node-status.js'
import type { Args } from '../parse/args.js'
import type { NodeCommand, Session } from '../parse/command.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { UsageError } from '../parse/usage-error.js'
import { nameAuction } from '../render/auction-text.js'
import { sayAnswer } from '../render/say-answer.js'
import { oneLine } from '../render/terminal-text.js'

const PAGE = 1_000

export const handoverCommand: NodeCommand = {
  usage: 'handover [auction] [peer]',
  summary: 'Make another node the home of an auction of this node, or of all of them.',
  positionals: {
    auction: 'Id of an auction whose home is this node, or the start of one',
    peer: 'Name or id of a reachable peer',
  },
  options: {
    all: { kind: 'flag', describe: 'All auctions of this node that are not over: handover --all PEER' },
  },
  examples: [
    ['handover auc_7k2m bob', 'bob writes its log from now on'],
    ['handover --all bob', 'before this node goes away for good'],
  ],
  notes:
    'The log of the auction names its new home in a signed event. Bids that arrive meanwhile wait for it. The new home gets the reserve and the maxima that were left with this node; you remain the seller, and close, cancel and extend the auction from here.',
  async run(session, args) {
    if (!args.flag('all')) return handOverOne(session, args)
    const peer = args.text('peer') === undefined ? args.text('auction') : undefined
    if (peer === undefined)
      throw new UsageError('--all takes one argument: the peer', {
        field: 'peer',
        next: 'handover --all PEER',
      })
    const { moved, failed } = await handOverAll(session, peer)
    session.out.document({ moved, failed })
    return failed > 0 ? EXIT.unreachable : EXIT.done
  },
}

async function handOverOne(session: Session, args: Args): Promise<ExitCode> {
  const { out, ids } = session
  const request = { auction: args.need('auction'), peer: args.need('peer') }
  const view = await (await session.api()).handover(request)
  await sayAnswer(out, { auction_id: view.auctionId, moved: true }, async () => {
    if (out.json) return out.document(movedJson(view))
    out.lines(`${nameAuction(view, await ids.of(view.auctionId))} has moved: its home is ${homeOf(view)} now.`)
  })
  return EXIT.done
}

/** Where an auction is to go. */
export interface Move {
  readonly view: AuctionView
  /** A node's name, or its id. */
  readonly peer: string
  /** As people read it. */
  readonly peerName: string
}

export async function handOverAll(session: Session, peer: string): Promise<{ moved: number; failed: number }> {
  const own = await ownAuctions(await session.api())
  if (own.length === 0) session.out.lines('No auction of this node is waiting or open: there is nothing to hand over.')
  return carryOut(
    session,
    own.map((view) => ({ view, peer, peerName: peer })),
  )
}

/** One after the other, with a line for each. */
export async function carryOut(session: Session, moves: readonly Move[]): Promise<{ moved: number; failed: number }> {
  const { out, ids } = session
  const api = await session.api()
  let moved = 0
  for (const [i, { view, peer, peerName }] of moves.entries()) {
    const lot = nameAuction(view, await ids.of(view.auctionId))
    try {
      const after = await api.handover({ auction: view.auctionId, peer })
      moved += 1
      await sayAnswer(out, { auction_id: view.auctionId, moved: true }, () => {
        out.document(movedJson(after))
        out.lines(`${i + 1}/${moves.length}  ${lot} has moved to ${oneLine(peerName)}`)
      })
    } catch (error) {
      if (!(error instanceof NodeError)) throw error
      if (i === 0 && error.field === 'peer') throw error
      out.document({ auction_id: view.auctionId, moved: false, code: error.code, message: error.message })
      out.lines(`${i + 1}/${moves.length}  ${out.look.paint.bad(`${lot} stays here: ${error.message}`)}`)
    }
    if (session.ended.aborted) break
  }
  const failed = moves.length - moved
  const stay = `, ${failed} ${failed === 1 ? 'has' : 'have'} not; the same command tries again`
  if (moves.length > 0) out.lines(`${moved} of ${moves.length} auctions have moved${failed === 0 ? '' : stay}.`)
  return { moved, failed }
}

/** The auctions that would pause without this node. */
export async function ownAuctions(api: NodeApi): Promise<AuctionView[]> {
  const own: AuctionView[] = []
  let cursor: string | null = null
  do {
    const query = { statuses: ['scheduled', 'open', 'ended'] as const, limit: PAGE }
    const page: Awaited<ReturnType<NodeApi['list']>> = await api.list(cursor === null ? query : { ...query, cursor })
    own.push(...page.auctions.filter(({ homeState }) => homeState === 'self'))
    cursor = page.next
  } while (cursor !== null)
  return own
}

function homeOf({ homeName, state }: AuctionView): string {
  return homeName === null ? state.home.nodeId : `${oneLine(homeName)} (${state.home.nodeId})`
}

function movedJson({ auctionId, head, state, homeName }: AuctionView) {
  const home = { node_id: state.home.nodeId, name: homeName }
  return { auction_id: auctionId, moved: true, seq: head.seq, home }
}

/** What it means for these auctions that their home stops; null if there are none, or others take them over. */
export function pausedLine(status: NodeStatus): string | null {
  const count = status.ownLive
  if (count === 0 || othersTakeOver(status)) return null
  const auctions = count === 1 ? '1 auction of it waits' : `${count} auctions of it wait`
  const them = count === 1 ? 'it' : 'them'
  return `${auctions} until it is back; "vendue stop --handover PEER" would have moved ${them} to another node.`
}

/** Whether another node of the cluster is alive. */
export function othersTakeOver({ cluster, node }: NodeStatus): boolean {
  return cluster?.nodes.some(({ nodeId, state }) => state === 'alive' && nodeId !== node.nodeId) ?? false
}
