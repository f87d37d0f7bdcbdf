import { auctionJson } from '../../../application/gateway/json-shapes.js'
import type { LostSecrets, TakenBack } from '../../../ports/node/node-answers.js'
import { NodeError } from '../../../ports/node/node-error.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { nameAuction } from '../render/auction-text.js'
import { oneLine } from '../render/terminal-text.js'
import type { RpcSession } from '../session/node-session.js'

export const ALL = 'all'

/** Has a running node take back from its peers an auction that it holds, or all of them. */
export async function takeBackHeld(session: RpcSession, auction: string, withoutPeers: boolean): Promise<ExitCode> {
  const { out } = session
  const api = await session.api()
  if (auction !== ALL) {
    const taken = await api.takeBack({ auction, withoutPeers })
    out.document(takenBackJson(taken))
    out.lines(...takenBackLines(taken))
    return isWhole(taken) ? EXIT.done : EXIT.rejected
  }
  let failed = 0
  const tried = new Set<string>()
  // A page of them at a time: those that are taken back make room for others.
  for (;;) {
    const { held } = await api.status()
    const next = held.find(({ auctionId, because }) => because === 'behind' && !tried.has(auctionId))
    if (next === undefined || session.ended.aborted) break
    tried.add(next.auctionId)
    try {
      const taken = await api.takeBack({ auction: next.auctionId, withoutPeers })
      out.document(takenBackJson(taken))
      out.lines(...takenBackLines(taken))
      if (!isWhole(taken)) failed += 1
    } catch (error) {
      if (!(error instanceof NodeError)) throw error
      failed += 1
      const { code, message, next: hint } = error
      out.document({ auction_id: next.auctionId, taken_back: false, code, message })
      out.lines(`${out.look.paint.bad('still held')} ${next.auctionId}: ${oneLine(message)}`)
      if (hint !== undefined) out.lines(`next: ${oneLine(hint)}`)
    }
  }
  if (tried.size === 0) out.lines('No auction of the node is held because peers hold more of it.')
  return failed > 0 ? EXIT.rejected : EXIT.done
}

/** Has a running node give up an auction that it holds. */
export async function giveUpHeld(
  session: RpcSession,
  request: { readonly auction: string; readonly withoutPeers: boolean; readonly reason?: string },
): Promise<ExitCode> {
  const { out, ids } = session
  const view = await (await session.api()).giveUp(request)
  out.document({ ...auctionJson(view), given_up: true })
  if (!out.json)
    out.lines(
      `${nameAuction(view, await ids.of(view.auctionId))} is given up: nobody has won, and everybody can see it.`,
    )
  return EXIT.done
}

function isWhole({ absent, isHeld, lost }: TakenBack): boolean {
  return absent.length === 0 && !isHeld && !lost.reserve && lost.maxima === 0
}

function takenBackLines({ auctionId, fromSeq, untilSeq, peers, absent, lost, isHeld }: TakenBack): string[] {
  const from = peers.length === 0 ? '' : ` from ${peers.map(oneLine).join(', ')}`
  return [
    `taken back ${auctionId}: events ${fromSeq} to ${untilSeq}${from}`,
    ...(absent.length === 0
      ? []
      : [
          `not asked: ${absent.map(oneLine).join(', ')}. Where one of them holds more of it, what is written from now on is a second history.`,
        ]),
    ...lostLines(lost),
    isHeld
      ? `It stays held: without its reserve nobody could close it as it was promised. Next: repair --give-up ${auctionId}`
      : 'The node goes on as its home.',
  ]
}

function lostLines({ reserve, maxima, maximaOf, leading }: LostSecrets): string[] {
  const leader = leading ? ', the leader’s among them, who leads at the price from here on' : ''
  const of = maximaOf.length < maxima ? `${maximaOf.join(', ')} and others` : maximaOf.join(', ')
  return [
    ...(maxima === 0
      ? []
      : [
          `lost: ${maxima} ${maxima === 1 ? 'maximum' : 'maxima'} that no peer holds${leader}: ${oneLine(of)}. The log says so; their bidders have to leave them anew.`,
        ]),
    ...(reserve ? ['lost: the reserve, which no peer holds'] : []),
    'Also lost with the old database, and held by nobody else: answers to commands that were refused, this node’s receipts since then, and changes to its auto-bids (`autobids` shows them as they were).',
  ]
}

function takenBackJson({ auctionId, fromSeq, untilSeq, peers, absent, lost, isHeld }: TakenBack) {
  const { maximaOf, ...rest } = lost
  return {
    auction_id: auctionId,
    taken_back: true,
    from_seq: fromSeq,
    until_seq: untilSeq,
    peers: [...peers],
    absent: [...absent],
    lost: { ...rest, maxima_of: [...maximaOf] },
    held: isHeld,
  }
}
